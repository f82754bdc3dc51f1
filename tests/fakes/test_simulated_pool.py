import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from connector.cognito.meter import Meter
from connector.cognito.sending import RetryLimits
from connector.cognito.session import open_pool
from connector.errors import SourceError
from tests.fakes.clock import Clock
from tests.fakes.population import Generated, people
from tests.fakes.quotas import TOO_MANY, cognito_quotas
from tests.fakes.simulated_pool import POOL_ID, REGION, USER, SimulatedPool

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool that the service user may read."""
    with SimulatedPool(people(61), {"staff": ["p0"], "other": ["p1"]}, source_may_read=True) as pool:
        yield pool


@pytest.fixture
def clock() -> Clock:
    """Time for the buckets."""
    return Clock()


@pytest.fixture
def client(simulated: SimulatedPool) -> "CognitoIdentityProviderClient":
    """A plain AWS client for it."""
    return boto3.client(
        "cognito-idp",
        region_name=REGION,
        endpoint_url=simulated.endpoint_url,
        aws_access_key_id=USER.key_id,
        aws_secret_access_key=USER.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def code_of(error: ClientError) -> str:
    """Return the code of an error."""
    return str(error.response["Error"]["Code"])


def test_more_than_sixty_a_page_are_refused(client: "CognitoIdentityProviderClient") -> None:
    """Cognito API reference, ListUsers: Limit is at most 60."""
    with pytest.raises(ClientError, match="less than or equal to 60") as caught:
        client.list_users(UserPoolId=POOL_ID, Limit=61)
    assert code_of(caught.value) == "InvalidParameterException"


@pytest.mark.parametrize(
    "changed",
    [{"Limit": 59}, {"PaginationToken": "Z2FyYmFnZQ=="}, {"PaginationToken": "~"}, {"UserPoolId": "us-east-1_Y"}],
)
def test_a_token_continues_only_its_own_request(
    client: "CognitoIdentityProviderClient", changed: dict[str, Any]
) -> None:
    """Cognito API reference: a token is re-sent with the same parameters."""
    asked: dict[str, Any] = {"UserPoolId": POOL_ID, "Limit": 60}
    token = client.list_users(**asked)["PaginationToken"]

    with pytest.raises(ClientError):
        client.list_users(**{**asked, "PaginationToken": token, **changed})
    assert len(client.list_users(**asked, PaginationToken=token)["Users"]) == 1


def test_a_token_of_one_group_does_not_continue_another(
    simulated: SimulatedPool, client: "CognitoIdentityProviderClient"
) -> None:
    """Cognito API reference: likewise for ListUsersInGroup."""
    simulated.split_pages("ListUsersInGroup", [0])
    token = client.list_users_in_group(UserPoolId=POOL_ID, GroupName="staff", Limit=60).get("NextToken")
    assert token

    with pytest.raises(ClientError, match="Paging marker"):
        client.list_users_in_group(UserPoolId=POOL_ID, GroupName="other", Limit=60, NextToken=token)


@pytest.mark.parametrize(
    ("expression", "count"), [('username = "p7"', 1), ('username="P7"', 0), ('email = "p9@corp.local"', 1)]
)
def test_filters_compare_one_attribute(client: "CognitoIdentityProviderClient", expression: str, count: int) -> None:
    """Cognito API reference, ListUsers: usernames are case-sensitive."""
    assert len(client.list_users(UserPoolId=POOL_ID, Filter=expression)["Users"]) == count


def test_a_made_up_pool_has_exactly_what_was_asked_for() -> None:
    """The pool of the measurements: every user, group and membership counted, every sub once."""
    with SimulatedPool(population=Generated(users=125, groups=7, memberships=500)) as simulated:
        pool = open_pool(simulated.access(), run="7", meter=Meter())
        subs = [user.sub for page in pool.users() for user in page]
        groups = [group.name for page in pool.groups() for group in page]
        members = {name: [user.sub for page in pool.members(name) for user in page] for name in groups}

        assert (len(subs), len(set(subs)), len(groups)) == (125, 125, 7)
        assert sum(len(set(one)) for one in members.values()) == 500
        assert set().union(*members.values()) <= set(subs)
        assert pool.group("group-00003").name == "group-00003"
        generated = Generated(users=125, groups=7, memberships=500)
        assert sum(len(generated.groups_of(f"user-{number:07d}")) for number in range(125)) == 500
        found = pool.find_user(subs[100])
        assert found is not None
        assert found.username == "user-0000100"


def test_a_later_revision_changes_every_hundredth_user_and_one_member_of_each_group() -> None:
    """The pool of the measurements: so much is another sync to find."""
    before = Generated(users=300, groups=3, memberships=200, largest=100)
    after = Generated(users=300, groups=3, memberships=200, largest=100, revision=1)

    pairs = zip(before.users_after(-1, 999), after.users_after(-1, 999), strict=True)
    assert [old[0] for old, new in pairs if old != new] == [0, 100, 200]
    for group, size in (("group-00000", 100), ("group-00001", 50), ("group-00002", 50)):
        names = [
            {json.loads(user)["Username"] for _, user in population.members_after(group, -1, 999)}
            for population in (before, after)
        ]
        assert [len(one) for one in names] == [size, size]
        assert len(names[0] - names[1]) == 1


def test_a_quota_refuses_what_comes_too_fast(clock: Clock) -> None:
    """Cognito quotas: ListUsers and ListUsersInGroup share one; each operation on groups has its own."""
    quotas = cognito_quotas(32, burst_seconds=0.1)
    for bucket in quotas.buckets.values():
        bucket.clock, bucket._filled = clock.read, clock.now

    operations = ["ListUsers", "ListUsersInGroup", "ListUsers", "ListUsersInGroup"]
    assert [quotas.refusal(operation) for operation in operations] == [None, None, None, TOO_MANY]
    assert [quotas.refusal(operation) for operation in ("ListGroups", "GetGroup", "ListGroups")] == [
        None,
        None,
        TOO_MANY,
    ]
    clock.now += 1 / 32
    assert [quotas.refusal("ListUsers"), quotas.refusal("ListUsers")] == [None, TOO_MANY]
    assert quotas.refusal("DescribeUserPool") is None


def test_a_quota_may_be_halved_in_silence(clock: Clock) -> None:
    """An account's quota is shared: how much is left for us changes during a run."""
    quotas = cognito_quotas(32, burst_seconds=0, halve_after=3)
    bucket = quotas.buckets["lists"]
    bucket.clock, bucket._filled = clock.read, clock.now

    admitted = 0
    for _ in range(60):
        clock.now += 1 / 32
        admitted += quotas.refusal("ListUsers") is None

    assert admitted == 3 + 28


def test_refusals_of_a_quota_come_over_the_wire() -> None:
    """API reference, TooManyRequestsException: HTTP 400."""
    with SimulatedPool(people(1), quotas=cognito_quotas(1, burst_seconds=0)) as simulated:
        meter = Meter()
        pool = open_pool(simulated.access(patience=RetryLimits(deadline=0.5)), run="7", meter=meter)
        list(pool.users())
        with pytest.raises(SourceError):
            list(pool.users())
        assert meter.throttled > 0


def test_a_user_hidden_from_the_list_is_still_a_member(simulated: SimulatedPool) -> None:
    """Cognito API reference: the list operations are eventually consistent."""
    simulated.directory.hide_user("p0")
    pool = open_pool(simulated.access(), run="7", meter=Meter())

    assert "p0" not in {user.username for page in pool.users() for user in page}
    assert [user.username for page in pool.members("staff") for user in page] == ["p0"]
    assert len(simulated.directory.groups_of("p0")) == 1


def test_it_runs_in_a_process_of_its_own() -> None:
    """A measurement of memory must not count the pool's."""
    command = [sys.executable, "-m", "tests.fakes.simulated_pool", "--users", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with SimulatedPool() as here:
                access = here.access(endpoint_url=url)
            pool = open_pool(access, run="7", meter=Meter())
            names = [user.username for page in pool.users() for user in page]
        finally:
            process.terminate()

    assert names == ["user-0000000", "user-0000001", "user-0000002"]
