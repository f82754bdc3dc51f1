"""Who sets up: the caller of the environment or of a profile, never the keys that the configuration names.

Each call is sent once by botocore; what only reads is repeated here, and what changes something by whoever has looked
what became of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore import exceptions as aws
from botocore import xform_name

from connector.errors import SetUpDenied, SetUpUnavailable, SetUpUnfit
from connector.provisioning.account.errors import is_refusal, provisioning_faults
from connector.provisioning.design.arns import PoolArn
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.aws.errors import AwsCall
from connector.rotation.engine.backoff import Backoff

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

Answer = TypeVar("Answer")
READING = Backoff(delays=(0.5, 1, 2, 4))


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who the caller is, as AWS says."""

    account: str
    arn: str


@dataclass
class Caller:
    """The administrator.

    Args:
        session: whose credentials sign.
        region: of the pool; IAM has one endpoint a partition, which botocore finds by it.
        patience: how long a call that reads is tried.
    """

    session: boto3.Session
    region: str
    patience: Backoff = field(default_factory=lambda: READING)

    @cached_property
    def iam(self) -> "IAMClient":
        """The client of IAM."""
        return self._door.iam()

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """The client of Secrets Manager in the pool's Region."""
        return self._door.secrets_manager()

    @cached_property
    def identity(self) -> CallerIdentity:
        """Who it is; this needs no right (STS API reference: GetCallerIdentity)."""
        sts = self._door.sts()
        answer = self.ask(AwsCall("sts:GetCallerIdentity", "the caller"), sts.get_caller_identity)
        return CallerIdentity(answer["Account"], answer["Arn"])

    @property
    def _door(self) -> AwsDoor:
        return AwsDoor(self.session, self.region)

    def ask(self, call: AwsCall, do: Callable[[], Answer]) -> Answer:
        """Make a call that changes nothing until it is answered."""
        fault = SetUpUnavailable(f"{call} was not tried.")
        for _ in self.patience.attempts():
            try:
                with provisioning_faults(call):
                    return do()
            except SetUpUnavailable as error:
                fault = error
        raise fault

    def find(self, call: AwsCall, do: Callable[[], Answer]) -> Answer | None:
        """Return what a call reads, None where the object does not exist."""

        def look() -> Answer | None:
            try:
                return do()
            except aws.ClientError as error:
                if is_refusal(error, "NoSuchEntity"):
                    return None
                raise

        return self.ask(call, look)

    def pages(self, call: AwsCall, key: str, **parameters: Any) -> list[Any]:
        """Return every entry under a key of a list operation of IAM; an object that is not there has none."""
        operation = _method(call.action)

        def walk() -> Iterator[Any]:
            for page in self.iam.get_paginator(operation).paginate(**parameters):  # type: ignore[call-overload]
                yield from page[key]

        return self.find(call, lambda: list(walk())) or []

    def check_account(self, pool: PoolArn) -> None:
        """See that the caller is in the pool's account.

        Raises:
            SetUpUnfit: it is another one.
        """
        if self.identity.account != pool.account:
            raise SetUpUnfit(
                f"The pool {pool.pool_id} is in account {pool.account}, and the caller in {self.identity.account}.",
                remedy="The role has to be in the pool's account: sign in there, or name a profile with --profile.",
            )

    def check_pool(self, pool: PoolArn) -> str:
        """See that the caller is in the pool's account and that the pool exists; return what could not be seen.

        Raises:
            SetUpUnfit: another account, or no such pool.
        """
        self.check_account(pool)
        cognito = self._door.cognito()
        call = AwsCall("cognito-idp:DescribeUserPool", f"user pool {pool.pool_id} in {pool.region}")
        try:
            self.ask(call, lambda: cognito.describe_user_pool(UserPoolId=pool.pool_id))
        except SetUpDenied as denied:
            return f"Whether the pool exists was not seen: {denied.message}"
        return ""


def open_caller(profile: str, region: str) -> Caller:
    """Return the caller of a profile, or of the environment if it is empty.

    Raises:
        SetUpUnfit: there is no such profile, or the AWS settings of this machine contradict themselves.
    """
    try:
        return Caller(boto3.Session(profile_name=profile or None), region)
    except aws.ProfileNotFound:
        raise SetUpUnfit(
            f"There is no profile {profile!r} in the AWS configuration files.", remedy="aws configure list-profiles"
        ) from None
    except aws.BotoCoreError as error:
        raise SetUpUnfit(
            f"The AWS configuration of this machine cannot be read ({type(error).__name__}).",
            remedy="Check ~/.aws/config and the variables AWS_*.",
        ) from None


def _method(action: str) -> str:
    return str(xform_name(action.partition(":")[2]))
