"""The embedded pool refuses whom AWS would refuse, tells what was put into it, and ignores the user's environment."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from connector.demo.embedded import EmbeddedPool, embedded_pool
from connector.demo.local_environment import environment_for, isolated
from connector.demo.sample_directory import Sample, sample_directory
from connector.directory.records import GroupRecord, UserRecord
from tests.fakes.growing_pool import access_to, demand_exact

NO_EXTERNAL_ID: dict[str, str] = {}


@pytest.fixture(scope="module")
def pool() -> Iterator[EmbeddedPool]:
    """A pool that runs, empty."""
    with embedded_pool() as running:
        yield running


@pytest.fixture(scope="module")
def sample(pool: EmbeddedPool) -> Sample:
    """What was put into the pool."""
    directory = sample_directory(users=130, groups=70, pool_id=pool.pool_id)
    pool.fill(directory)
    return directory


def client(pool: EmbeddedPool, service: str, access_key_id: str | None = None) -> Any:
    """A client of the embedded AWS, signed by the service user unless another key is given."""
    with isolated(pool.endpoint):
        session: Any = boto3.session.Session(
            access_key_id or pool.access_key_id, pool.secret_access_key, None, pool.region
        )
        return session.client(service)


def assume(pool: EmbeddedPool, **request: str) -> Any:
    """Assume the role of the pool."""
    with closing(client(pool, "sts")) as sts:
        return sts.assume_role(**{"RoleArn": pool.role_arn, "RoleSessionName": "test", **request})


@pytest.mark.parametrize("request_", [NO_EXTERNAL_ID, {"ExternalId": "wrong"}], ids=["missing", "wrong"])
def test_role_refuses_a_caller_without_its_external_id(pool: EmbeddedPool, request_: dict[str, str]) -> None:
    """P09: what the negative probe of `check` is shown is what AWS would answer."""
    with pytest.raises(ClientError) as refused:
        assume(pool, **request_)

    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert pool.role_arn in str(refused.value)


def test_role_lets_in_a_caller_with_its_external_id(pool: EmbeddedPool) -> None:
    """The gate lets through what AWS lets through."""
    answer = assume(pool, ExternalId=pool.external_id)

    assert answer["AssumedRoleUser"]["Arn"].endswith("/test")


def test_role_that_does_not_exist_is_refused(pool: EmbeddedPool) -> None:
    """AWS does not tell a missing role from a forbidden one."""
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(pool, RoleArn=f"{pool.role_arn}-other", ExternalId=pool.external_id)


def test_role_that_asks_for_no_external_id_lets_everybody_in(pool: EmbeddedPool) -> None:
    """The gate reads the trust policy; it does not merely compare one value."""
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, \
        "Action": "sts:AssumeRole"}]}'
    with closing(client(pool, "iam")) as iam:
        role = iam.create_role(RoleName="open", AssumeRolePolicyDocument=policy)["Role"]

    answer = assume(pool, RoleArn=role["Arn"])
    with closing(client(pool, "iam")) as iam:
        iam.delete_role(RoleName="open")

    assert ":assumed-role/open/" in answer["AssumedRoleUser"]["Arn"]


@pytest.mark.parametrize("operation", ["get_caller_identity", "assume_role"])
def test_unknown_access_key_is_refused(pool: EmbeddedPool, operation: str) -> None:
    """AWS STS answers InvalidClientTokenId to a key that it never gave out."""
    request = {"RoleArn": pool.role_arn, "RoleSessionName": "test", "ExternalId": pool.external_id}
    with closing(client(pool, "sts", access_key_id="AKIAUNKNOWN0000000")) as sts, pytest.raises(ClientError) as refused:
        getattr(sts, operation)(**(request if operation == "assume_role" else {}))

    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_users_come_out_as_they_were_put_in(pool: EmbeddedPool, sample: Sample) -> None:
    """Every attribute, status and date of every user, in pages of 60."""
    with closing(client(pool, "cognito-idp")) as cognito:
        pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool.pool_id, PaginationConfig={"PageSize": 60})
        actual = {user["Username"]: _user_record(user) for page in pages for user in page["Users"]}

    assert {user.username: user for user in sample.users} == actual


def test_groups_come_out_as_they_were_put_in(pool: EmbeddedPool, sample: Sample) -> None:
    """Every group with its description, precedence, role and dates."""
    with closing(client(pool, "cognito-idp")) as cognito:
        pages = cognito.get_paginator("list_groups").paginate(
            UserPoolId=pool.pool_id, PaginationConfig={"PageSize": 60}
        )
        actual = {group["GroupName"]: _group_record(group) for page in pages for group in page["Groups"]}

    assert {group.name: group for group in sample.groups} == actual


def test_members_come_out_as_they_were_put_in(pool: EmbeddedPool, sample: Sample) -> None:
    """Every membership, of the empty group too."""
    with closing(client(pool, "cognito-idp")) as cognito:
        walk = cognito.get_paginator("list_users_in_group").paginate
        actual = {
            group.name: {
                user["Username"]
                for page in walk(UserPoolId=pool.pool_id, GroupName=group.name)
                for user in page["Users"]
            }
            for group in sample.groups[:14]
        }

    assert {name: set(sample.members[name]) for name in actual} == actual


def test_pool_counts_what_it_holds(pool: EmbeddedPool, sample: Sample) -> None:
    """The demonstration compares what a client walked with what the pool holds."""
    assert (len(sample.users), len(sample.groups)) == (pool.count_users(), pool.count_groups())


def test_pool_is_made_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's profile, certificate bundle, endpoint or proxy reaches into the demonstration."""
    for name in ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/bundle.pem")

    with embedded_pool() as pool:
        actual = pool.count_users()

    assert actual == 0
    assert os.environ["AWS_PROFILE"] == "no-such-profile"


def test_pool_is_gone_after_its_block() -> None:
    """No thread and no port stay behind."""
    with embedded_pool() as pool:
        address = urlsplit(pool.endpoint)

    with socket.socket() as probe:
        actual = probe.connect_ex((str(address.hostname), int(address.port or 0)))

    assert actual != 0


def test_secrets_of_the_pool_are_not_shown() -> None:
    """P27: a value that is printed by accident tells nothing."""
    with embedded_pool() as pool:
        shown = repr(pool)

    assert [secret for secret in (pool.secret_access_key, pool.external_id) if secret in shown] == []


def test_isolated_environment_knows_one_aws() -> None:
    """What steers AWS libraries, proxies and this product is left out; the rest stays."""
    before = {
        "AWS_PROFILE": "prod",
        "AWS_ENDPOINT_URL_STS": "https://sts.example.com",
        "COGNITO_SCIM_STORE__URL": "postgresql://db.example.com/prod",
        "https_proxy": "http://proxy.example.com:3128",
        "HOME": "/home/ann",
    }
    expected = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "HOME": "/home/ann",
    }

    assert expected == environment_for("http://127.0.0.1:4566", before)


def test_isolation_ends_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process gets its own environment back, even after an error."""
    monkeypatch.setenv("AWS_PROFILE", "prod")
    before = dict(os.environ)

    with pytest.raises(ZeroDivisionError), isolated("http://127.0.0.1:4566"):
        os.environ["AWS_PROFILE"] = str(1 / 0)

    assert before == dict(os.environ)


def _user_record(user: dict[str, Any]) -> UserRecord:
    return UserRecord(
        username=user["Username"],
        attributes={attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]},
        enabled=user["Enabled"],
        status=user["UserStatus"],
        created=user["UserCreateDate"],
        modified=user["UserLastModifiedDate"],
    )


def _group_record(group: dict[str, Any]) -> GroupRecord:
    return GroupRecord(
        name=group["GroupName"],
        description=group["Description"],
        precedence=group.get("Precedence"),
        role_arn=group["RoleArn"],
        created=group["CreationDate"],
        modified=group["LastModifiedDate"],
    )


def test_a_pool_that_grows_while_it_is_read_is_read_exactly() -> None:
    """P11: on moto, attribute by attribute; whoever was there before is read, and nobody as somebody else."""
    with embedded_pool() as running:
        sample = sample_directory(users=130, groups=1, pool_id=running.pool_id)
        running.fill(sample)
        access = access_to(
            running.endpoint,
            running.pool_id,
            region=running.region,
            key=(running.access_key_id, running.secret_access_key),
            role=(running.role_arn, running.external_id),
        )
        with closing(client(running, "cognito-idp")) as cognito:
            demand_exact(access, cognito, running.pool_id, {user.username for user in sample.users})
