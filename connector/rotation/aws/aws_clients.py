"""Make the AWS clients of a rotation: one attempt a call.

botocore sends a call again after a read time-out, AdminSetUserPassword included; the second answer then hides what the
first one did. Here who repeats is the engine, which looks first.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

_PRINT_REQUESTS_AT_DEBUG = ("boto3", "botocore", "urllib3")


@dataclass(frozen=True, slots=True)
class AwsDoor:
    """How AWS is reached, with which credentials and in which Region.

    Args:
        session: whose credentials sign.
        region: for IAM, one of the partition's.
        endpoint_url: where AWS is, if not where botocore looks (which heeds AWS_ENDPOINT_URL).
        connect_timeout: seconds.
        read_timeout: seconds.
    """

    session: boto3.Session
    region: str
    endpoint_url: str = ""
    connect_timeout: float = 5
    read_timeout: float = 15

    def cognito(self) -> "CognitoIdentityProviderClient":
        """Return a client of Cognito user pools."""
        client: CognitoIdentityProviderClient = self._client("cognito-idp")
        return client

    def iam(self) -> "IAMClient":
        """Return a client of IAM."""
        client: IAMClient = self._client("iam")
        return client

    def sts(self) -> "STSClient":
        """Return a client of STS."""
        client: STSClient = self._client("sts")
        return client

    def secrets_manager(self) -> "SecretsManagerClient":
        """Return a client of Secrets Manager."""
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    def _client(self, service: str) -> Any:
        keep_requests_out_of_logs()
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
        )
        make: Callable[..., Any] = self.session.client  # the service is not a literal, which the stubs ask for
        client = make(service, region_name=self.region, endpoint_url=self.endpoint_url or None, config=config)
        client.meta.events.register("after-call", _refuse_foreign_page)
        return client


def keep_requests_out_of_logs() -> None:
    """Hold botocore to INFO: at DEBUG it prints every password that it sends (botocore#2626), whoever asked for it."""
    for name in _PRINT_REQUESTS_AT_DEBUG:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))


def _refuse_foreign_page(http_response: Any, **_: Any) -> None:
    # botocore takes any page with status 200 for a yes to a call that answers nothing, a proxy's sign-in page included.
    page = http_response.content.lstrip()[:14].lower()
    if http_response.status_code == HTTPStatus.OK and page.startswith((b"<html", b"<!doctype html")):
        raise ValueError("the answer is not one of AWS")
