"""Who the names of an allow-list are, against the strict pool over HTTP."""

import pytest

from connector.errors import TargetUnavailable, TargetUnfit
from connector.rotation.engine.backoff import Backoff
from connector.rotation.targets.members import find_members
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import POOL_ID

OPERATION = "ListUsersInGroup"
AT_ONCE = Backoff(delays=(0, 0), sleep=lambda _: None)


@pytest.fixture(autouse=True)
def _people(cloud):
    for name in ("ann", "bo", "cy", "di", "ed"):
        cloud.pool.add_user(name, "0ld-Passw0rd!", groups=["services"] if name != "ed" else ["testers"])


def members(door, *names, pool_id=POOL_ID):
    """Find the users behind some names."""
    return find_members(door.cognito(), pool_id, names, backoff=AT_ONCE)


def test_a_group_stands_for_its_members_and_any_other_name_for_itself(door, cloud):
    """P37: all pages of a group, empty ones too; nobody twice, in the order of the list."""
    found = members(door, "di", "services", "someone", "testers")

    assert found.names == ("di", "ann", "bo", "cy", "someone", "ed")
    assert (found.faults, found.notes) == ({}, ())
    assert cloud.calls[OPERATION] > 4


def test_where_groups_may_not_be_listed_names_are_taken_for_users(door, cloud):
    """P37: a right that is missing is told, and stops nothing."""
    cloud.deny(OPERATION)
    found = members(door, "ann", "services")

    assert (found.names, found.faults) == (("ann", "services"), {})
    assert " ".join(found.notes) == (
        "Whether 'ann', 'services' are groups may not be told (cognito-idp:ListUsersInGroup),"
        " so they are taken for users."
    )


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.ERROR_500, Fault.UNHEARD])
def test_a_passing_fault_is_waited_for(door, cloud, fault):
    """P37: the call changes nothing, so it is sent again."""
    cloud.fail(OPERATION, call=1, fault=fault, times=2)

    assert members(door, "ann").names == ("ann",)


def test_a_group_that_cannot_be_read_stops_no_other(door, cloud):
    """P37: its name is told with the reason; the rest of the list is rotated."""
    cloud.fail(OPERATION, call=1, fault=Fault.THROTTLE, times=3)
    found = members(door, "services", "ed")

    assert (found.names, type(found.faults["services"])) == (("ed",), TargetUnavailable)


def test_a_walk_that_goes_in_circles_ends(door, cloud):
    """P37: a token that comes twice is no way on."""
    cloud._signed[OPERATION] = lambda _: {"Users": [{"Username": "ann"}], "NextToken": "again"}
    found = members(door, "services")

    assert (found.names, found.faults["services"].retryable) == ((), True)


def test_a_missing_pool_is_not_a_missing_group(door):
    """P37: nobody is taken for a user of a pool that is not there."""
    found = members(door, "ann", pool_id="eu-west-1_Missing")

    assert (found.names, type(found.faults["ann"])) == ((), TargetUnfit)


def test_an_odd_refusal_is_that_name_s_alone(door, cloud):
    """P37: whatever AWS has against one name, the others are found."""
    cloud.fail(OPERATION, call=1, fault=Refusal("InvalidParameterException", "1 validation error"))
    found = members(door, "odd", "ed")

    assert (found.names, type(found.faults["odd"])) == (("ed",), TargetUnfit)
