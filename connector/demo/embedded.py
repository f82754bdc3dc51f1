"""A user pool inside this process: moto's server on a free port, behind a role that asks for an ExternalId.

The AWS side is made the way the guide for administrators describes it: a policy of six read actions, a role that holds
it, and a service user who may do nothing but assume that role.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import boto3
from moto.cognitoidp.models import CognitoIdpGroup, CognitoIdpUser, CognitoIdpUserPool, cognitoidp_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from connector.demo.assume_role import TrustGate
from connector.demo.local_environment import isolated
from connector.demo.sample_directory import Sample
from connector.directory.records import GroupRecord, UserRecord

REGION = "eu-central-1"
READ_ACTIONS = (
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminListGroupsForUser",
    "cognito-idp:GetGroup",
    "cognito-idp:ListGroups",
    "cognito-idp:ListUsers",
    "cognito-idp:ListUsersInGroup",
)


@dataclass(frozen=True, slots=True)
class EmbeddedPool:
    """A pool that runs, and what it takes to read it."""

    endpoint: str
    pool_id: str
    role_arn: str
    external_id: str = field(repr=False)
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str = REGION

    def fill(self, sample: Sample) -> None:
        """Put a directory into the pool.

        It goes into moto's memory rather than through its API, where nobody can make a user who came from an identity
        provider, nor choose a sub or a date, and where 10,000 users with their groups take minutes.
        """
        pool = self._pool()
        for record in sample.users:
            pool.users[record.username] = _user(self.pool_id, record)
        for group_record in sample.groups:
            group = _group(self.pool_id, group_record)
            pool.groups[group.group_name] = group
            for username in sample.members[group_record.name]:
                group.users.add(pool.users[username])
                pool.users[username].groups.add(group)

    def count_users(self) -> int:
        """Return how many users the pool holds."""
        return len(self._pool().users)

    def count_groups(self) -> int:
        """Return how many groups the pool holds."""
        return len(self._pool().groups)

    def _pool(self) -> CognitoIdpUserPool:
        return cognitoidp_backends[DEFAULT_ACCOUNT_ID][self.region].describe_user_pool(self.pool_id)


def _user(pool_id: str, record: UserRecord) -> CognitoIdpUser:
    attributes = [{"Name": name, "Value": value} for name, value in record.attributes.items()]
    user = CognitoIdpUser(pool_id, record.username, None, record.status, attributes)
    user.id = record.sub
    user.update_attributes([{"Name": "sub", "Value": record.sub}])
    user.enabled = record.enabled
    user.create_date = record.created or user.create_date
    user.last_modified_date = record.modified or user.create_date
    return user


def _group(pool_id: str, record: GroupRecord) -> CognitoIdpGroup:
    precedence: Any = record.precedence  # moto's annotation forgets that a group may have none
    group = CognitoIdpGroup(pool_id, record.name, record.description, record.role_arn, precedence)
    group.creation_date = record.created or group.creation_date
    group.last_modified_date = record.modified or group.creation_date
    return group


@contextmanager
def embedded_pool() -> Iterator[EmbeddedPool]:
    """Run an empty pool for the length of a block."""
    with _server() as endpoint:
        with isolated(endpoint):
            pool = _furnish(endpoint)
        try:
            yield pool
        finally:
            cognitoidp_backends[DEFAULT_ACCOUNT_ID][pool.region].delete_user_pool(pool.pool_id)


class _QuietHandler(MotoRequestHandler):
    """Answers without a line in the log for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


@contextmanager
def _server() -> Iterator[str]:
    gate = TrustGate(DomainDispatcherApplication(create_backend_app), DEFAULT_ACCOUNT_ID)
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_QuietHandler)
    thread = Thread(target=server.serve_forever, name="embedded-pool", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _furnish(endpoint: str) -> EmbeddedPool:
    """Make the pool, the role and the service user, by the same calls that an administrator would make."""
    session = boto3.session.Session(
        aws_access_key_id="administrator", aws_secret_access_key=secrets.token_hex(), region_name=REGION
    )
    pool_id, pool_arn = _create_pool(session.client("cognito-idp", endpoint_url=endpoint))
    iam = session.client("iam", endpoint_url=endpoint)
    suffix = pool_id[-8:]  # moto keeps one account for the whole process
    external_id = f"cognito-integration-{secrets.token_hex(8)}"
    role_arn = _create_role(iam, f"cognitoApiAccessRole-{suffix}", pool_arn, external_id)
    access_key = _create_service_user(iam, f"serviceAccountUser-{suffix}", role_arn)
    return EmbeddedPool(
        endpoint=endpoint,
        pool_id=pool_id,
        role_arn=role_arn,
        external_id=external_id,
        access_key_id=access_key["AccessKeyId"],
        secret_access_key=access_key["SecretAccessKey"],
    )


def _create_pool(cognito: Any) -> tuple[str, str]:
    pool = cognito.create_user_pool(PoolName="sample-directory")["UserPool"]
    cognito.add_custom_attributes(
        UserPoolId=pool["Id"],
        CustomAttributes=[{"Name": name, "AttributeDataType": "String"} for name in ("department", "employee_id")],
    )
    return pool["Id"], pool["Arn"]


def _create_role(iam: Any, name: str, pool_arn: str, external_id: str) -> str:
    trust = _allow(
        "sts:AssumeRole",
        Principal={"AWS": f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:root"},
        Condition={"StringEquals": {"sts:ExternalId": external_id}},
    )
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    read = _allow(*READ_ACTIONS, Resource=pool_arn)
    iam.put_role_policy(RoleName=name, PolicyName="cognitoAPIAccessPolicy", PolicyDocument=read)
    return str(role["Arn"])


def _create_service_user(iam: Any, name: str, role_arn: str) -> dict[str, str]:
    iam.create_user(UserName=name)
    assume = _allow("sts:AssumeRole", Resource=role_arn)
    iam.put_user_policy(UserName=name, PolicyName="assumeRolePolicy", PolicyDocument=assume)
    key: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return key


def _allow(*actions: str, **rest: object) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), **rest}]},
    )
