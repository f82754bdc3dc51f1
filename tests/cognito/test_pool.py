import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.cognito.session import open_pool
from connector.directory.records import UserRecord
from connector.errors import (
    ConnectorError,
    GroupGone,
    HarvestIncomplete,
    SourceDenied,
    SourceError,
    SourceMissing,
    SourceUnavailable,
)
from tests.fakes.faults import Fault
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool

BORDERS = [0, 1, 59, 60, 61, 120]


def opened(simulated: SimulatedPool) -> UserPool:
    """Return the simulated pool as a run opens it."""
    return open_pool(simulated.access(), run="7", meter=Meter())


def usernames(pages: list[tuple[UserRecord, ...]]) -> list[str]:
    """Return who is on some pages."""
    return [user.username for page in pages for user in page]


@pytest.mark.parametrize("size", BORDERS)
def test_users_across_page_borders_are_exact(size: int) -> None:
    """P09: nobody is lost or doubled where one page ends."""
    with SimulatedPool(people(size)) as simulated:
        assert usernames(list(opened(simulated).users())) == [f"p{number}" for number in range(size)]
        assert simulated.calls["ListUsers"] == max(1, -(-size // 60))


@pytest.mark.parametrize("size", BORDERS)
def test_groups_across_page_borders_are_exact(size: int) -> None:
    """P09: as with users."""
    names = [f"g{number}" for number in range(size)]
    with SimulatedPool(groups=dict.fromkeys(names, ())) as simulated:
        assert [group.name for page in opened(simulated).groups() for group in page] == names
        assert simulated.calls["ListGroups"] == max(1, -(-size // 60))


@pytest.mark.parametrize("size", BORDERS)
def test_members_across_page_borders_are_exact(size: int) -> None:
    """P09: a group of 61 has 61 members."""
    names = [f"p{number}" for number in range(size)]
    with SimulatedPool(people(size), {"staff": names}) as simulated:
        assert usernames(list(opened(simulated).members("staff"))) == names
        assert simulated.calls["ListUsersInGroup"] == max(1, -(-size // 60))


def test_any_split_into_pages_gives_the_same_users() -> None:
    """P07: short and empty pages, on the wire, with tokens that fit nothing but their own walk."""
    with SimulatedPool(people(9)) as simulated:
        pool = opened(simulated)

        @given(st.lists(st.integers(0, 4), max_size=8))
        def check(sizes: list[int]) -> None:
            simulated.split_pages("ListUsers", sizes)
            assert usernames(list(pool.users())) == [f"p{number}" for number in range(9)]

        check()


@pytest.mark.parametrize("length", [1, 2, 5])
def test_tokens_that_cycle_make_the_harvest_incomplete(simulated: SimulatedPool, length: int) -> None:
    """P08: AWS answering in circles ends the run, and soon."""
    simulated.cycle_tokens("ListUsers", length)

    with pytest.raises(HarvestIncomplete, match=r"ListUsers on user pool .* answered before"):
        list(opened(simulated).users())
    assert simulated.calls["ListUsers"] == length + 1


def test_who_stays_during_a_walk_is_seen(simulated: SimulatedPool) -> None:
    """P11: somebody removed between two pages shifts nobody."""
    simulated.before("ListUsers", call=2, do=lambda: simulated.directory.remove_user("p3"))

    seen = usernames(list(opened(simulated).users()))

    assert {f"p{number}" for number in range(61)} - {"p3"} <= set(seen)


def test_one_group_is_read_by_name(simulated: SimulatedPool) -> None:
    """GetGroup: for a list of groups."""
    assert opened(simulated).group("staff").name == "staff"


@pytest.mark.parametrize("name", ["Staff", "absent", "ü ß"])
def test_a_missing_group_is_named(simulated: SimulatedPool, name: str) -> None:
    """P12: the pool was asked again, and it is there."""
    with pytest.raises(GroupGone, match=f"no group '{name}' in user pool"):
        opened(simulated).group(name)


def test_a_group_that_vanishes_during_its_walk_is_gone(simulated: SimulatedPool) -> None:
    """P12: the caller can leave it out, whole."""
    simulated.split_pages("ListUsersInGroup", [1, 1])
    simulated.before("ListUsersInGroup", call=2, do=lambda: simulated.directory.remove_group("staff"))

    with pytest.raises(GroupGone, match="no group 'staff'"):
        list(opened(simulated).members("staff"))


def test_a_group_that_is_there_after_all_makes_the_harvest_incomplete(simulated: SimulatedPool) -> None:
    """P12: only a confirmed absence is one."""
    simulated.fail("ListUsersInGroup", call=1, fault=Fault.POOL_MISSING)

    with pytest.raises(HarvestIncomplete, match="but GetGroup does"):
        list(opened(simulated).members("staff"))


def test_absence_is_confirmed_by_listing_where_reading_one_group_is_denied(simulated: SimulatedPool) -> None:
    """P12: either of the two actions will do."""
    simulated.deny("GetGroup")

    with pytest.raises(GroupGone):
        list(opened(simulated).members("absent"))


def test_what_nobody_may_confirm_is_not_called_gone(simulated: SimulatedPool) -> None:
    """P12: without either action it may be the pool."""
    simulated.deny("GetGroup", "ListGroups")

    with pytest.raises(SourceMissing, match="or no such pool") as caught:
        list(opened(simulated).members("absent"))
    assert not isinstance(caught.value, GroupGone)


@pytest.mark.parametrize("read", ["users", "groups", "members", "group"])
def test_a_missing_pool_is_never_taken_for_a_missing_group(simulated: SimulatedPool, read: str) -> None:
    """P12: the same code of AWS, another outcome."""
    pool = open_pool(simulated.access(user_pool_id="us-east-1_Elsewhere"), run="7", meter=Meter())
    reads = {
        "users": lambda: list(pool.users()),
        "groups": lambda: list(pool.groups()),
        "members": lambda: list(pool.members("staff")),
        "group": lambda: pool.group("staff"),
    }

    with pytest.raises(SourceMissing, match="user pool us-east-1_Elsewhere") as caught:
        reads[read]()
    assert not isinstance(caught.value, GroupGone)
    assert caught.value.exit_code == 78


def test_a_user_is_found_by_sub(simulated: SimulatedPool) -> None:
    """One targeted query, which costs no monthly active user."""
    sub = simulated.directory.user("p7")["Attributes"][0]["Value"]

    found = opened(simulated).find_user(sub)

    assert found is not None
    assert (found.username, found.sub) == ("p7", sub)
    assert opened(simulated).find_user("nobody") is None


@pytest.mark.parametrize("sub", ['a"b', "a\\b", 'x" or sub = "y', '\\"'])
def test_a_sub_is_a_value_and_never_a_filter(simulated: SimulatedPool, sub: str) -> None:
    """Cognito API reference, ListUsers: quotation marks and backslashes are escaped."""
    simulated.directory.add_user(a_user("odd", sub=sub))

    found = opened(simulated).find_user(sub)

    assert found is not None
    assert found.username == "odd"


def test_records_with_missing_fields_are_read(simulated: SimulatedPool) -> None:
    """P17: what the API leaves out never ends a walk."""
    simulated.directory.add_user({})
    simulated.directory.add_user({"Username": "bare"})

    assert usernames(list(opened(simulated).users()))[61:] == ["", "bare"]


@pytest.mark.parametrize("operation", ["ListUsers", "ListGroups", "ListUsersInGroup", "GetGroup"])
def test_a_denial_names_the_action_to_allow(simulated: SimulatedPool, operation: str) -> None:
    """Exit 77, and an administrator knows what to add to the policy."""
    simulated.deny(operation)
    pool = opened(simulated)
    reads = {
        "ListUsers": lambda: list(pool.users()),
        "ListGroups": lambda: list(pool.groups()),
        "ListUsersInGroup": lambda: list(pool.members("staff")),
        "GetGroup": lambda: pool.group("staff"),
    }

    with pytest.raises(SourceDenied, match=f"Allow cognito-idp:{operation} ") as caught:
        reads[operation]()
    assert caught.value.exit_code == 77


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.EMPTY_OBJECT, SourceUnavailable),
        (Fault.DENIED_AS_XML, SourceDenied),
        (Fault.INVALID_PARAMETER, SourceError),
    ],
)
def test_faults_of_a_single_read_are_told_too(
    simulated: SimulatedPool, fault: Fault, expected: type[ConnectorError]
) -> None:
    """P01: GetGroup is held to the same as the lists."""
    simulated.fail("GetGroup", call=1, fault=fault)

    with pytest.raises(expected, match="GetGroup on group 'staff' of user pool"):
        opened(simulated).group("staff")
