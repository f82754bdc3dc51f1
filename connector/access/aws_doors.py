"""Clients of AWS for a person who has no AWS credentials yet.

They sign with nothing, or with the keys given; no profile is ever asked for keys. A profile whose credential_process
is this very program would otherwise call it again, without end (boto3 resolves the profile of AWS_PROFILE).
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ProfileNotFound

from connector.access.model import AwsCredentials
from connector.cognito.errors import time_of_header
from connector.rotation.aws.aws_clients import keep_requests_out_of_logs

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_identity import CognitoIdentityClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sts import STSClient

_log = logging.getLogger(__name__)
_NO_PROFILE = {"profile": (None, None, None, None)}


@dataclass(slots=True)
class AwsDoors:
    """Makes the clients of one login.

    Args:
        region: of the user pool.
        connect_timeout: seconds.
        read_timeout: seconds.
    """

    region: str
    connect_timeout: float = 5
    read_timeout: float = 20
    clock_ahead: timedelta | None = None
    _session: "botocore.session.Session | None" = field(default=None, repr=False)

    def user_pool(self) -> "CognitoIdentityProviderClient":
        """Return a client of Cognito user pools that signs nothing and sends each request once."""
        client: CognitoIdentityProviderClient = self._unsigned("cognito-idp", self.region, attempts=1)
        return client

    def identity_pool(self, region: str) -> "CognitoIdentityClient":
        """Return a client of Cognito identity pools that signs nothing."""
        client: CognitoIdentityClient = self._unsigned("cognito-identity", region, attempts=3)
        return client

    def unsigned_sts(self) -> "STSClient":
        """Return a client of STS that signs nothing, for AssumeRoleWithWebIdentity."""
        client: STSClient = self._unsigned("sts", self.region, attempts=3)
        return client

    def sts(self, credentials: AwsCredentials) -> "STSClient":
        """Return a client of STS that signs with these credentials."""
        client: STSClient = self._signed("sts", self.region, credentials)
        return client

    def functions(self, region: str, credentials: AwsCredentials) -> "LambdaClient":
        """Return a client of Lambda that signs with these credentials; a function may take half a minute."""
        client: LambdaClient = self._signed("lambda", region, credentials, read_timeout=40)
        return client

    def _unsigned(self, service: str, region: str, *, attempts: int) -> Any:
        return self._client(service, region, self._config(attempts).merge(Config(signature_version=UNSIGNED)))

    def _signed(self, service: str, region: str, keys: AwsCredentials, *, read_timeout: float = 0) -> Any:
        config = self._config(3)
        if read_timeout:
            config = config.merge(Config(read_timeout=read_timeout))
        return self._client(
            service,
            region,
            config,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key.reveal(),
            aws_session_token=keys.session_token.reveal(),
        )

    def _client(self, service: str, region: str, config: Config, **keys: Any) -> Any:
        keep_requests_out_of_logs()
        if self._session is None:
            self._session = _make_session()
        client = self._session.create_client(service, region_name=region, config=config, **keys)
        client.meta.events.register("response-received", self._compare_clocks)
        client.meta.events.register("before-call", _name_call)
        return client

    def _config(self, attempts: int) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
        )

    def _compare_clocks(self, response_dict: dict[str, Any] | None, **_: Any) -> None:
        date = time_of_header((response_dict or {}).get("headers", {}).get("date"))
        if date is not None:
            self.clock_ahead = datetime.now(UTC) - date


def _name_call(model: Any, **_: Any) -> None:
    _log.debug("%s %s", model.service_model.service_name, model.name)


def _make_session() -> botocore.session.Session:
    """Return a session that heeds the machine's settings, but not a profile that is still to be installed."""
    session = botocore.session.Session()
    try:
        session.get_scoped_config()
    except ProfileNotFound:
        return botocore.session.Session(session_vars=_NO_PROFILE)
    return session
