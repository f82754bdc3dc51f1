from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.checks.connectivity import Check, Remark, Status, Subject, check_connectivity
from connector.cognito.sending import RetryLimits
from connector.errors import ConfigError, StoreError
from tests.fakes.clock import Clock
from tests.fakes.faults import Fault
from tests.fakes.population import people
from tests.fakes.simulated_pool import EXTERNAL_ID, USER, SimulatedPool

NAMES = [
    "configuration",
    "credentials",
    "clock",
    "assume_role",
    "external_id",
    "list_users",
    "list_groups",
    "list_users_in_group",
    "configured_groups",
    "store",
]
ALLOWED = {"ListUsers", "ListGroups", "ListUsersInGroup", "GetGroup", "AssumeRole", "GetCallerIdentity", "*"}


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool that is set up as it should be."""
    with SimulatedPool(people(3), {"staff": ["p0"], "idp-support": []}, source_may_read=True) as pool:
        yield pool


def examine(simulated: SimulatedPool, *, changes: dict[str, Any] | None = None, **subject: Any) -> dict[str, Check]:
    """Return the checks by name; every failure and warning must come with a remedy."""
    access = simulated.access(**(changes or {}))
    checks = list(check_connectivity(Subject(**{"access": access, "examine_store": list, **subject})))
    assert [check.name for check in checks] == NAMES
    assert all(check.remedy for check in checks if check.status in {Status.FAILED, Status.WARNING})
    assert not any(check.remedy for check in checks if check.status in {Status.PASSED, Status.SKIPPED})
    assert set(simulated.calls) <= ALLOWED
    shown = repr(checks)
    assert EXTERNAL_ID not in shown
    assert USER.secret not in shown
    return {check.name: check for check in checks}


def by_status(checks: dict[str, Check], status: Status) -> list[str]:
    """Return the names of the checks that ended so."""
    return [name for name, check in checks.items() if check.status is status]


def test_a_pool_that_is_set_up_well_passes_everything(simulated: SimulatedPool) -> None:
    """Contract: ten checks, in order."""
    checks = examine(simulated)

    assert by_status(checks, Status.PASSED) == NAMES


def test_checks_come_one_by_one(simulated: SimulatedPool) -> None:
    """Each is shown as it ends: nothing is asked of AWS before the configuration is told."""
    checks = check_connectivity(Subject(access=simulated.access()))

    assert next(checks).name == "configuration"
    assert sum(simulated.calls.values()) == 0
    assert next(checks).name == "credentials"
    assert simulated.calls["GetCallerIdentity"] == 1


def test_a_configuration_that_did_not_load_skips_everything_but_the_store(simulated: SimulatedPool) -> None:
    """The store never depends on AWS."""
    fault = ConfigError("cognito.region is missing.", remedy="Set it.")

    checks = examine(simulated, access=fault)

    assert by_status(checks, Status.FAILED) == ["configuration"]
    assert (checks["configuration"].detail, checks["configuration"].remedy) == (fault.message, fault.remedy)
    assert by_status(checks, Status.SKIPPED) == NAMES[1:9]
    assert by_status(checks, Status.PASSED) == ["store"]


def test_an_unknown_store_is_skipped(simulated: SimulatedPool) -> None:
    """Without a configuration nobody knows where it is."""
    checks = examine(simulated, access=ConfigError("unreadable", remedy="Repair it."), examine_store=None)

    assert checks["store"].status is Status.SKIPPED


def test_what_the_configuration_should_do_better_is_a_warning(simulated: SimulatedPool) -> None:
    """P33: for example an ExternalId below 16 characters."""
    checks = examine(simulated, warnings=("aws.external_id is shorter than 16 characters.",))

    assert by_status(checks, Status.WARNING) == ["configuration"]
    assert "shorter than 16" in checks["configuration"].detail


@pytest.mark.parametrize("changes", [{"access_key_id": "AKIAUNKNOWN000000001"}, {"secret_access_key": "mistyped"}])
def test_wrong_keys_fail_the_credentials_and_not_the_clock(simulated: SimulatedPool, changes: dict[str, str]) -> None:
    """The answer of AWS says the time even when it says no, which rules the clock out."""
    checks = examine(simulated, changes=changes)

    assert by_status(checks, Status.FAILED) == ["credentials"]
    assert by_status(checks, Status.PASSED) == ["configuration", "clock", "store"]
    assert "aws.secret_access_key" in str(checks["credentials"].remedy)


def test_an_unknown_profile_fails_the_credentials(simulated: SimulatedPool) -> None:
    """No session can be made, so there is no time to compare with."""
    checks = examine(simulated, changes={"credential_source": "profile", "profile": "nowhere"})

    assert by_status(checks, Status.FAILED) == ["credentials"]
    assert by_status(checks, Status.PASSED) == ["configuration", "store"]


def test_an_unreachable_endpoint_fails_once(simulated: SimulatedPool) -> None:
    """One cause, one message."""
    checks = examine(simulated, changes={"endpoint_url": "http://127.0.0.1:1"})

    assert by_status(checks, Status.FAILED) == ["credentials"]
    assert "http://127.0.0.1:1" in checks["credentials"].detail
    assert by_status(checks, Status.SKIPPED) == NAMES[2:9]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, Status.PASSED), (50, Status.PASSED), (-90, Status.WARNING), (200, Status.WARNING), (-290, Status.WARNING)],
)
def test_the_clock_is_compared_with_that_of_aws(simulated: SimulatedPool, seconds: int, status: Status) -> None:
    """P25: up to a minute is fine, up to five still work."""
    simulated.shift_clock(timedelta(seconds=seconds))

    checks = examine(simulated)

    assert checks["clock"].status is status
    assert by_status(checks, Status.FAILED) == []


@pytest.mark.parametrize(("minutes", "word"), [(10, "behind"), (-10, "ahead of")])
def test_a_clock_that_breaks_signatures_is_found_to_be_the_cause(
    simulated: SimulatedPool, minutes: int, word: str
) -> None:
    """P25: AWS refuses the credentials; the check says that the clock is to blame, and by how much."""
    simulated.shift_clock(timedelta(minutes=minutes))

    checks = examine(simulated)

    assert by_status(checks, Status.FAILED) == ["credentials", "clock"]
    assert all(word in checks[name].detail and "NTP" in str(checks[name].remedy) for name in ("credentials", "clock"))


def test_a_clock_that_is_off_fails_even_if_aws_puts_up_with_it(simulated: SimulatedPool) -> None:
    """P25: the limit is ours, by the injected clock."""
    checks = examine(simulated, now=lambda: datetime.now(UTC) + timedelta(minutes=6))

    assert by_status(checks, Status.FAILED) == ["clock"]


def test_without_a_role_the_check_warns(simulated: SimulatedPool) -> None:
    """Contract: the source credentials are then used as they are, with a warning."""
    checks = examine(simulated, changes={"role_arn": "", "external_id": ""})

    assert by_status(checks, Status.WARNING) == ["assume_role", "external_id"]
    assert by_status(checks, Status.FAILED) == []
    assert simulated.calls["AssumeRole"] == 0


@pytest.mark.parametrize(
    "changes",
    [{"external_id": "some-other-value"}, {"external_id": ""}, {"role_arn": "arn:aws:iam::123456789012:role/x"}],
)
def test_a_role_that_refuses_the_caller_skips_what_needs_it(simulated: SimulatedPool, changes: dict[str, str]) -> None:
    """The remedy names the three things that must agree."""
    checks = examine(simulated, changes=changes)

    assert by_status(checks, Status.FAILED) == ["assume_role"]
    assert by_status(checks, Status.SKIPPED) == NAMES[4:9]
    assert "sts:ExternalId equals" in str(checks["assume_role"].remedy)


@pytest.mark.parametrize(
    ("admits_without", "admits_wrong", "words"),
    [
        (True, False, "lets the caller in without an ExternalId."),
        (False, True, "lets the caller in with a wrong ExternalId."),
        (True, True, "without an ExternalId and with a wrong ExternalId."),
    ],
)
def test_a_role_that_does_not_insist_on_the_external_id_is_a_warning(
    simulated: SimulatedPool, words: str, *, admits_without: bool, admits_wrong: bool
) -> None:
    """P33: a green AssumeRole proves nothing, since AWS ignores an ExternalId that nobody asks for."""
    simulated.trust.admits_without, simulated.trust.admits_wrong = admits_without, admits_wrong

    checks = examine(simulated)

    assert by_status(checks, Status.WARNING) == ["external_id"]
    assert words in checks["external_id"].detail
    assert '"Condition": {"StringEquals": {"sts:ExternalId":' in str(checks["external_id"].remedy)


def test_a_role_without_external_id_on_both_sides_is_a_warning(simulated: SimulatedPool) -> None:
    """P33: it works, for everybody who knows the ARN and may assume roles."""
    simulated.trust.admits_without = True

    checks = examine(simulated, changes={"external_id": ""})

    assert by_status(checks, Status.WARNING) == ["external_id"]


@pytest.mark.parametrize(
    ("denied", "name"),
    [("ListUsers", "list_users"), ("ListGroups", "list_groups"), ("ListUsersInGroup", "list_users_in_group")],
)
def test_each_missing_permission_fails_its_own_check(simulated: SimulatedPool, denied: str, name: str) -> None:
    """One denial says nothing about the others, so they are tried."""
    simulated.deny(denied)

    checks = examine(simulated)

    assert by_status(checks, Status.FAILED) == [name]
    assert by_status(checks, Status.SKIPPED) == []
    assert f"cognito-idp:{denied}" in str(checks[name].remedy)


def test_with_a_list_of_groups_the_lists_of_everything_are_not_needed(simulated: SimulatedPool) -> None:
    """Contract: with a group list there is no ListUsers at all."""
    simulated.deny("ListUsers", "ListGroups")

    checks = examine(simulated, groups=("staff",))

    assert by_status(checks, Status.WARNING) == ["list_users", "list_groups"]
    assert by_status(checks, Status.FAILED) == []


def test_reading_a_listed_group_by_name_is_needed(simulated: SimulatedPool) -> None:
    """A listed group that does not exist must be an error, which GetGroup tells."""
    simulated.deny("GetGroup")

    checks = examine(simulated, groups=("staff",))

    assert by_status(checks, Status.FAILED) == ["configured_groups"]
    assert "cognito-idp:GetGroup" in str(checks["configured_groups"].remedy)


def test_a_pool_without_groups_is_asked_for_one_that_does_not_exist() -> None:
    """Contract: ResourceNotFound is a pass."""
    with SimulatedPool(people(1)) as simulated:
        simulated.deny("GetGroup")

        assert by_status(examine(simulated), Status.PASSED) == NAMES
        assert simulated.calls["ListUsersInGroup"] == 1


def test_all_missing_groups_are_named_with_the_nearest_that_exists(simulated: SimulatedPool) -> None:
    """One run of the check is enough to correct the whole list."""
    checks = examine(simulated, groups=("STAFF", "idp-suport", "unheard-of"))

    assert by_status(checks, Status.FAILED) == ["configured_groups"]
    assert "'STAFF', 'idp-suport', 'unheard-of'" in checks["configured_groups"].detail
    remedy = str(checks["configured_groups"].remedy)
    assert "'staff' for 'STAFF', 'idp-support' for 'idp-suport' was meant" in remedy
    assert "unheard-of" not in remedy


def test_missing_groups_are_named_even_where_listing_them_is_denied(simulated: SimulatedPool) -> None:
    """Nothing can be suggested then, but every missing one is still named."""
    simulated.deny("ListGroups")

    checks = examine(simulated, groups=("Staff", "staff", "absent"))

    assert by_status(checks, Status.FAILED) == ["configured_groups"]
    assert checks["configured_groups"].detail == "Not in the pool: 'Staff', 'absent'."
    assert "Perhaps" not in str(checks["configured_groups"].remedy)


def test_a_missing_pool_is_told_once(simulated: SimulatedPool) -> None:
    """What follows would only repeat it."""
    checks = examine(simulated, changes={"user_pool_id": "us-east-1_Elsewhere"})

    assert by_status(checks, Status.FAILED) == ["list_users"]
    assert by_status(checks, Status.SKIPPED) == ["list_groups", "list_users_in_group", "configured_groups"]
    assert checks["list_groups"].detail == "Not tried, because list_users failed."


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.CUT_JSON])
def test_a_disturbed_answer_fails_the_check_that_met_it(simulated: SimulatedPool, fault: Fault) -> None:
    """Each error of our tree becomes a failed check with its remedy."""
    simulated.fail("ListUsersInGroup", call=1, fault=fault)

    checks = examine(simulated)

    assert by_status(checks, Status.FAILED) == ["list_users_in_group"]


def test_throttling_that_lasts_fails_the_check_that_met_it(
    simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10: somebody who waits at a terminal is told what to lower after a minute."""
    clock = Clock()
    clock.rule(monkeypatch)
    simulated.fail("ListUsersInGroup", call=1, fault=Fault.THROTTLE, times=None)

    checks = examine(simulated, changes={"patience": RetryLimits()})

    assert by_status(checks, Status.FAILED) == ["list_users_in_group"]
    assert "cognito.requests_per_second" in str(checks["list_users_in_group"].remedy)
    assert clock.passed <= 60


def test_a_store_that_does_not_answer_fails_alone(simulated: SimulatedPool) -> None:
    """The store is the last check, and its error is shown as it is."""

    def refuse() -> None:
        raise StoreError("The database cannot be opened.", remedy="Check store.url.")

    checks = examine(simulated, examine_store=refuse)

    assert by_status(checks, Status.FAILED) == ["store"]
    assert (checks["store"].detail, checks["store"].remedy) == ("The database cannot be opened.", "Check store.url.")


def test_what_deserves_a_second_look_about_the_store_is_a_warning(simulated: SimulatedPool) -> None:
    """The sync works; the details and what to do about them stand side by side."""
    remarks = [Remark("One.", "Do this."), Remark("Two.", "Do that.")]
    checks = examine(simulated, examine_store=lambda: remarks)

    assert by_status(checks, Status.WARNING) == ["store"]
    assert checks["store"].detail == "the store can be read and written. One. Two."
    assert checks["store"].remedy == "Do this. Do that."


def test_a_check_that_breaks_is_a_failed_check_and_no_traceback(simulated: SimulatedPool) -> None:
    """P27: the text of an unforeseen error could hold anything, so only its kind is shown."""

    def explode() -> None:
        raise KeyError(EXTERNAL_ID)

    checks = examine(simulated, examine_store=explode)

    assert by_status(checks, Status.FAILED) == ["store"]
    assert "KeyError" in checks["store"].detail
