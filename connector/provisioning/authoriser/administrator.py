"""The administrator who sets up: the caller of the environment or of a profile, and the clients that it signs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from connector.directory.pool_names import partition_of
from connector.provisioning.account.errors import provisioning_faults
from connector.rotation.aws.aws_clients import keep_requests_out_of_logs
from connector.rotation.aws.errors import AwsCall, aws_error_code

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_identity import CognitoIdentityClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

Report = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass
class Administrator:
    """Who sets up, and where.

    Args:
        session: whose credentials sign.
        region: of what is set up.
        report: hears each thing that was done.
    """

    session: boto3.Session
    region: str
    report: Report
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def iam(self) -> "IAMClient":
        """The client of IAM."""
        client: IAMClient = self._client("iam")
        return client

    @property
    def functions(self) -> "LambdaClient":
        """The client of Lambda."""
        client: LambdaClient = self._client("lambda")
        return client

    @property
    def secrets(self) -> "SecretsManagerClient":
        """The client of Secrets Manager."""
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    def identity_pools(self, region: str) -> "CognitoIdentityClient":
        """Return the client of identity pools in a Region."""
        client: CognitoIdentityClient = self._client("cognito-identity", region)
        return client

    @cached_property
    def account(self) -> str:
        """The account of the caller; finding it out needs no right."""
        with provisioning_faults(AwsCall("sts:GetCallerIdentity", "the caller")):
            return str(self._client("sts").get_caller_identity()["Account"])

    def arn_of_key(self, access_key_id: str, secret_access_key: str) -> str:
        """Return whose a key is, as AWS knows it."""
        with provisioning_faults(AwsCall("sts:GetCallerIdentity", f"access key {access_key_id}")):
            client = self._make(
                "sts",
                self.region,
                aws_access_key_id=access_key_id,
                aws_secret_access_key=secret_access_key,
                aws_session_token=None,
            )
            return str(client.get_caller_identity()["Arn"])

    @property
    def partition(self) -> str:
        """The partition of the Region."""
        return partition_of(self.region)

    def _client(self, service: str, region: str = "") -> Any:
        name = f"{service} {region}"
        if name not in self._clients:
            with provisioning_faults(AwsCall(f"{service}:", "the caller's settings")):
                self._clients[name] = self._make(service, region or self.region)
        return self._clients[name]

    def _make(self, service: str, region: str, **keys: Any) -> Any:
        keep_requests_out_of_logs()
        config = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=60)
        make: Callable[..., Any] = self.session.client  # the service is not a literal, which the stubs ask for
        return make(service, region_name=region, config=config, **keys)


@contextmanager
def asking(action: str, subject: str) -> Iterator[None]:
    """Turn what a call raises into the tree.

    Args:
        action: as IAM names it.
        subject: the object.

    Raises:
        ProvisioningError: AWS says no, or nothing.
    """
    with provisioning_faults(AwsCall(action, subject, changes=True)):
        yield


def unless(codes: frozenset[str], action: str, subject: str, do: Callable[[], Answer]) -> Answer | None:
    """Make a call, and return its answer, or None where AWS refuses by one of some codes.

    Args:
        codes: that say it is not there, or there already.
        action: as IAM names it.
        subject: the object.
        do: the call.

    Raises:
        ProvisioningError: AWS says no otherwise, or nothing.
    """
    with asking(action, subject):
        try:
            return do()
        except ClientError as error:
            if aws_error_code(error) not in codes:
                raise
            return None


NOT_THERE = frozenset({"NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"})
