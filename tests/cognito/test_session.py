from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.cognito.meter import Meter
from connector.cognito.pace import Pace
from connector.cognito.pool import UserPool
from connector.cognito.sending import RetryLimits
from connector.cognito.session import Access, AwsSession, SourceIdentity, open_pool
from connector.errors import ConfigError, ConnectorError, SourceDenied, SourceUnavailable
from tests.fakes.faults import Fault
from tests.fakes.population import people
from tests.fakes.simulated_pool import ACCOUNT, EXTERNAL_ID, USER, SimulatedPool


class Clock:
    """The time that our side and STS agree on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def read(self) -> datetime:
        """Return the time."""
        return self.now

    def pass_an_hour(self) -> None:
        """Let every session of the role end."""
        self.now += timedelta(hours=1)


def opened(simulated: SimulatedPool, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> UserPool:
    """Return the simulated pool as a run opens it."""
    return open_pool(simulated.access(), run="7", meter=Meter(), now=now)


def count_users(pool: UserPool) -> int:
    """Return the number of users that a walk finds."""
    return sum(len(page) for page in pool.users())


def test_opening_a_pool_asks_nothing(simulated: SimulatedPool) -> None:
    """AWS is asked when something is read, not before."""
    opened(simulated)

    assert simulated.calls == Counter()


def test_one_assume_role_serves_a_harvest(simulated: SimulatedPool) -> None:
    """The calls of a sync are those of its pages plus one AssumeRole."""
    meter = Meter()
    pool = open_pool(simulated.access(), run="7", meter=meter)

    users, groups = count_users(pool), sum(len(page) for page in pool.groups())
    members = sum(len(page) for page in pool.members("staff"))

    assert (users, groups, members) == (61, 2, 3)
    assert meter.calls == {"AssumeRole": 1, "ListUsers": 2, "ListGroups": 1, "ListUsersInGroup": 1}
    assert meter.throttled == 0


def test_the_role_session_is_named_after_the_run(simulated: SimulatedPool) -> None:
    """P13, audit: what STS does not allow in a name is replaced."""
    simulated.deny("ListUsers")
    pool = open_pool(simulated.access(), run="2026/ü 7", meter=Meter())

    with pytest.raises(SourceDenied, match="cognitoApiAccessRole/cognito-scim-2026---7 "):
        next(pool.users())


def test_the_account_comes_from_the_role(simulated: SimulatedPool) -> None:
    """P05: no call is needed to know whose pool it is."""
    assert opened(simulated).account() == ACCOUNT
    assert simulated.calls == Counter()


def test_without_a_role_the_source_credentials_read_the_pool() -> None:
    """Contract: aws.role_arn may be left out; the account is then that of the caller."""
    with SimulatedPool(people(3), source_may_read=True) as simulated:
        pool = open_pool(simulated.access(role_arn="", external_id=""), run="7", meter=Meter())

        assert (count_users(pool), pool.account()) == (3, ACCOUNT)
        assert simulated.calls["AssumeRole"] == 0


def test_three_ends_of_credentials_in_one_harvest_lose_nothing() -> None:
    """P13: the role is assumed again in time, and AWS never sees expired credentials."""
    clock = Clock()
    with SimulatedPool(people(6), now=clock.read) as simulated:
        simulated.split_pages("ListUsers", [1] * 6)
        names = []
        for page in opened(simulated, now=clock.read).users():
            names += [user.username for user in page]
            if names[-1] in {"p0", "p2", "p3"}:
                clock.pass_an_hour()

        assert names == ["p0", "p1", "p2", "p3", "p4", "p5"]
        assert (simulated.calls["AssumeRole"], simulated.calls["ListUsers"]) == (4, 6)


def test_credentials_that_aws_calls_expired_are_renewed() -> None:
    """P13: the clock of AWS decides, even if ours says that there is time left."""
    clock = Clock()
    with SimulatedPool(people(6), now=clock.read) as simulated:
        simulated.split_pages("ListUsers", [1] * 6)
        for call in (2, 4, 6):
            simulated.before("ListUsers", call=call, do=clock.pass_an_hour)

        assert count_users(opened(simulated)) == 6
        assert (simulated.calls["AssumeRole"], simulated.calls["ListUsers"]) == (4, 9)


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.ACCESS_DENIED, SourceDenied), (Fault.ERROR_500, SourceUnavailable)]
)
def test_a_renewal_that_fails_ends_the_harvest_cleanly(fault: Fault, expected: type[ConnectorError]) -> None:
    """P13: the error is that of AssumeRole, in our tree."""
    clock = Clock()
    with SimulatedPool(people(6), now=clock.read) as simulated:
        simulated.split_pages("ListUsers", [1] * 6)
        simulated.before("ListUsers", call=3, do=clock.pass_an_hour)
        simulated.fail("AssumeRole", call=2, fault=fault)
        pages = opened(simulated, now=clock.read).users()

        with pytest.raises(expected, match="AssumeRole on role"):
            list(pages)


@pytest.mark.parametrize("external_id", ["", "not-the-one-that-was-agreed"])
def test_a_wrong_external_id_is_denied_and_named_nowhere(simulated: SimulatedPool, external_id: str) -> None:
    """P33, P27: the message says what to compare, not the value."""
    pool = open_pool(simulated.access(external_id=external_id), run="7", meter=Meter())

    with pytest.raises(SourceDenied, match=r"AssumeRole on role .* was denied to arn:.*aws\.external_id") as caught:
        next(pool.users())

    told = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert EXTERNAL_ID not in told
    assert not external_id or external_id not in told


@pytest.mark.parametrize(
    "changes", [{"access_key_id": "AKIAUNKNOWN000000001"}, {"secret_access_key": "a-mistyped-secret"}]
)
def test_wrong_keys_are_named_as_such_without_showing_them(simulated: SimulatedPool, changes: dict[str, str]) -> None:
    """P27: AWS repeats the signed request in its message; we do not."""
    pool = open_pool(simulated.access(**changes), run="7", meter=Meter())

    with pytest.raises(SourceDenied, match="does not know the keys") as caught:
        next(pool.users())

    assert not any(secret in f"{caught.value!r}" for secret in (EXTERNAL_ID, USER.secret, "a-mistyped-secret", "host:"))


def test_an_access_shows_no_secret(simulated: SimulatedPool) -> None:
    """P27: neither key nor ExternalId is in its repr."""
    shown = repr(simulated.access())

    assert USER.secret not in shown
    assert EXTERNAL_ID not in shown


@pytest.mark.parametrize("seconds", [3601, 43_200])
def test_a_session_longer_than_the_role_allows_is_a_configuration_error(simulated: SimulatedPool, seconds: int) -> None:
    """STS API reference, AssumeRole: DurationSeconds is bounded by the role's MaxSessionDuration."""
    simulated.trust.longest_session = 3600
    pool = open_pool(simulated.access(session_duration=seconds), run="7", meter=Meter())

    with pytest.raises(ConfigError, match=r"aws\.session_duration"):
        next(pool.users())


def test_a_profile_is_a_source_of_credentials(
    simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Contract: aws.credential_source profile, and AWS_ENDPOINT_URL works as everywhere."""
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[reader]\naws_access_key_id={USER.key_id}\naws_secret_access_key={USER.secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_ENDPOINT_URL", simulated.endpoint_url)
    access = simulated.access(
        credential_source="profile", profile="reader", access_key_id="", secret_access_key="", endpoint_url=""
    )

    assert count_users(open_pool(access, run="7", meter=Meter())) == 61


def test_the_default_chain_is_a_source_of_credentials(
    simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: aws.credential_source chain."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", USER.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", USER.secret)
    access = simulated.access(credential_source="chain", access_key_id="", secret_access_key="")

    assert SourceIdentity(ACCOUNT, USER.arn) == AwsSession(access, run="7", meter=Meter()).caller()


def chain(simulated: SimulatedPool) -> Access:
    """Return an access without keys."""
    return simulated.access(credential_source="chain", access_key_id="", secret_access_key="")


def test_no_credentials_at_all_is_a_configuration_error(simulated: SimulatedPool) -> None:
    """The message names the keys of the configuration."""
    with pytest.raises(ConfigError, match=r"none were found.*aws\.access_key_id"):
        next(open_pool(chain(simulated), run="7", meter=Meter()).users())


def test_an_unknown_profile_is_a_configuration_error(simulated: SimulatedPool) -> None:
    """The message names the profile."""
    with pytest.raises(ConfigError, match="profile 'nowhere', which does not exist"):
        open_pool(simulated.access(credential_source="profile", profile="nowhere"), run="7", meter=Meter())


def test_half_a_key_is_a_configuration_error(simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """PartialCredentialsError of botocore."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", USER.key_id)

    with pytest.raises(ConfigError, match="PartialCredentialsError"):
        next(open_pool(chain(simulated), run="7", meter=Meter()).users())


def test_an_endpoint_that_is_no_url_is_a_configuration_error(simulated: SimulatedPool) -> None:
    """The message names the variable."""
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"):
        open_pool(simulated.access(endpoint_url="not a url"), run="7", meter=Meter())


def test_an_unreachable_endpoint_is_named(simulated: SimulatedPool) -> None:
    """The message says where nobody listened, and what may be in the way."""
    pool = open_pool(simulated.access(endpoint_url="http://127.0.0.1:1"), run="7", meter=Meter())

    with pytest.raises(SourceUnavailable, match=r"no connection to http://127\.0\.0\.1:1 .*firewall"):
        next(pool.users())


@pytest.mark.parametrize(("minutes", "word"), [(10, "behind"), (-10, "ahead of")])
def test_a_wrong_clock_is_told_with_the_difference(simulated: SimulatedPool, minutes: int, word: str) -> None:
    """P25: SigV4 refuses five minutes; the Date header of the refusal says how far we are off."""
    simulated.shift_clock(timedelta(minutes=minutes))
    session = AwsSession(simulated.access(), run="7", meter=Meter())

    with pytest.raises(SourceDenied, match=rf"clock is wrong .* (599|60\d) seconds {word} AWS.*NTP"):
        session.caller()


def test_a_call_that_was_throttled_is_one_call(simulated: SimulatedPool) -> None:
    """Contract, `calls` and `throttled` of a result: attempts are not calls, but each refusal counts."""
    simulated.fail("ListUsers", call=1, fault=Fault.THROTTLE, times=2)
    meter = Meter()

    assert count_users(open_pool(simulated.access(patience=RetryLimits(attempts=3)), run="7", meter=meter)) == 61
    assert (meter.calls["ListUsers"], meter.throttled, simulated.calls["ListUsers"]) == (2, 2, 4)


def test_every_attempt_waits_for_its_turn(simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the quota counts attempts, so the pace does too; STS has a quota of its own."""
    turns: list[float] = []

    class Watched(Pace):
        def wait(self, urgency: int = 0) -> float:
            turns.append(self.rate)
            return super().wait(urgency)

    monkeypatch.setattr("connector.cognito.session.Pace", Watched)
    simulated.fail("ListUsers", call=1, fault=Fault.ERROR_500, times=2)
    access = simulated.access(patience=RetryLimits(attempts=3, backoff=0), requests_per_second=1000)
    pool = open_pool(access, run="7", meter=Meter())

    assert count_users(pool) == 61
    assert turns == [1000.0] * 4


def test_calls_on_groups_have_a_pace_of_their_own(simulated: SimulatedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cognito quotas: ListGroups and GetGroup are counted apart from the lists of users."""
    turns: list[float] = []

    class Watched(Pace):
        def wait(self, urgency: int = 0) -> float:
            turns.append(self.rate)
            return super().wait(urgency)

    monkeypatch.setattr("connector.cognito.session.Pace", Watched)
    access = simulated.access(requests_per_second=1000, group_requests_per_second=500)
    pool = open_pool(access, run="7", meter=Meter())

    reads = (list(pool.groups()), pool.group("staff"), list(pool.members("staff")), list(pool.member_ids("staff")))

    assert len(reads) == 4
    assert turns == [500.0, 500.0, 1000.0, 1000.0]
