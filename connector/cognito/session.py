"""Sign in to AWS for one run: the caller's own credentials, then the role with its ExternalId.

The role's session is named after the run, so that CloudTrail tells which run asked (STS API reference: AssumeRole).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver

from connector.cognito.change_queue import ChangeQueue
from connector.cognito.deadline import Deadline
from connector.cognito.errors import SourceCall, prepared, server_time, told
from connector.cognito.meter import Meter
from connector.cognito.pace import Pace, Paces
from connector.cognito.parsing import COMPONENT, ParserFactory
from connector.cognito.pool import UserPool
from connector.cognito.role_credentials import RoleCredentials, RoleProvider, SessionGrant
from connector.cognito.sending import RetryLimits, Sender
from connector.errors import SourceDenied

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

CONNECTIONS = 16
"""Kept open at most; more than there are walks side by side."""

PROBE_SECONDS = 900
"""The shortest session STS gives, for a probe whose session nobody uses."""


@dataclass(frozen=True, slots=True)
class Access:
    """Everything it takes to read one pool; an empty string is a setting that was left out.

    Args:
        credential_source: "access-key", "chain", "profile" or "login".
        sts_region: the Region whose STS is asked; empty = that of the pool.
        session_duration: seconds that a session of the role lasts.
        requests_per_second: ceiling for ListUsers and ListUsersInGroup together.
        group_requests_per_second: ceiling for ListGroups and GetGroup together; a pool allows 5 of each.
        endpoint_url: where AWS is, if not where botocore looks (which heeds AWS_ENDPOINT_URL).
        person: gives the credentials of whoever is signed in, where the source is "login".
    """

    region: str
    user_pool_id: str
    credential_source: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    profile: str
    role_arn: str
    external_id: str = field(repr=False)
    session_duration: int
    requests_per_second: float
    group_requests_per_second: float = 5.0
    sts_region: str = ""
    endpoint_url: str = ""
    person: Callable[[], SessionGrant] | None = field(default=None, repr=False)
    patience: RetryLimits = field(default_factory=RetryLimits)


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """Whose the source credentials are, as AWS says (STS API reference: GetCallerIdentity)."""

    account: str
    arn: str


def utc_now() -> datetime:
    """Return the time with its zone."""
    return datetime.now(UTC)


def open_pool(access: Access, *, run: str, meter: Meter, now: Callable[[], datetime] = utc_now) -> UserPool:
    """Return the configured pool; AWS is asked only when it is read.

    Args:
        access: how to reach the pool.
        run: the number or name of the run, which names the role's session.
        meter: counts the calls.
        now: the clock by which credentials end.

    Raises:
        ConfigError: the AWS settings of this machine contradict themselves.
    """
    return AwsSession(access, run=run, meter=meter, now=now).pool()


class AwsSession:
    """The doors to AWS that one run may use."""

    def __init__(self, access: Access, *, run: str, meter: Meter, now: Callable[[], datetime] = utc_now) -> None:
        self._access = access
        self._name = re.sub(r"[^\w+=,.@-]", "-", f"cognito-scim-{run}", flags=re.ASCII)[:64]
        self._meter = meter
        self._now = now
        self.clock_ahead: timedelta | None = None
        with prepared("A session with AWS"):
            self._source = _source_session(access, now)
            sts = self._client_options(access.sts_region or access.region, attempts=self._attempts())
            self._sts: STSClient = self._source.client("sts", **sts)
        meter.watch_calls(self._sts)
        meter.watch_answers(self._sts)
        self._sts.meta.events.register("response-received", self._compare_clocks)

    def caller(self) -> SourceIdentity:
        """Return who the source credentials belong to; this needs no permission."""
        with told(SourceCall("GetCallerIdentity", f"STS in {self._access.sts_region or self._access.region}")):
            answer = self._sts.get_caller_identity()
            return SourceIdentity(answer["Account"], answer["Arn"])

    def assume_role(self) -> SessionGrant:
        """Assume the configured role as configured."""
        return self._assume(self._access.external_id, self._access.session_duration)

    def role_admits(self, external_id: str) -> bool:
        """Say whether the role lets the caller in with another ExternalId, or with none if it is empty."""
        try:
            self._assume(external_id, PROBE_SECONDS)
        except SourceDenied:
            return False
        return True

    def signed(self) -> boto3.Session:
        """Return what signs requests: the role where one is configured, else the source credentials."""
        if not self._access.role_arn:
            return self._source
        with prepared("A session with AWS"):
            return _role_session(self._access, RoleCredentials(self.assume_role, now=self._now))

    def pool(self) -> UserPool:
        """Return the pool, read as the role where one is configured."""
        role = RoleCredentials(self.assume_role, now=self._now) if self._access.role_arn else None
        with prepared("A session with AWS"):
            session = _role_session(self._access, role) if role else self._source
            # The sender tries again, not the client: only so each attempt has its turn, and the run its deadline.
            options = self._client_options(self._access.region, attempts=1)
            client: CognitoIdentityProviderClient = session.client("cognito-idp", **options)
        self._meter.watch_answers(client)
        return UserPool(
            client,
            self._sender(role),
            pool_id=self._access.user_pool_id,
            region=self._access.region,
            account=self.account,
        )

    def queue(self, url: str, *, region: str = "") -> ChangeQueue:
        """Return the queue of a change feed, read as the role where one is configured; any number of calls long.

        Args:
            url: of the queue.
            region: where it is; empty = where the pool is.
        """
        signed = self.signed()
        with prepared("A session with AWS"):
            # A long poll is answered after 20 seconds, so the read timeout is longer (Access.patience).
            options = self._client_options(region or self._access.region, attempts=3)
            client = signed.client("sqs", **options)
        return ChangeQueue(client, url)

    def account(self) -> str:
        """Return the number of the AWS account that holds the pool, from the role's ARN or by sts:GetCallerIdentity."""
        return self._access.role_arn.split(":")[4] if self._access.role_arn else self.caller().account

    def _sender(self, role: RoleCredentials | None) -> Sender:
        patience = replace(self._access.patience, attempts=self._attempts())
        deadline = Deadline(patience.deadline)
        paces = Paces(
            users=Pace(self._access.requests_per_second, sleep=deadline.sleep),
            one_user=Pace(self._access.requests_per_second, sleep=deadline.sleep),
            groups=Pace(self._access.group_requests_per_second, sleep=deadline.sleep),
        )
        return Sender(paces, self._meter, patience, deadline, role.discard if role else None)

    def _assume(self, external_id: str, seconds: int) -> SessionGrant:
        arn = self._access.role_arn
        request: AssumeRoleRequestTypeDef = {
            "RoleArn": arn,
            "RoleSessionName": self._name,
            "DurationSeconds": seconds,
        }
        if external_id:
            request["ExternalId"] = external_id
        with told(SourceCall("AssumeRole", f"role {arn}")):
            got = self._sts.assume_role(**request)["Credentials"]
            return SessionGrant(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"], got["Expiration"])

    def _attempts(self) -> int:
        """Return how often a call is tried: as `max_attempts` of the profile says, where it does."""
        asked = self._source._session.get_config_variable("max_attempts")  # noqa: SLF001 - boto3 shows no other way
        return self._access.patience.attempts if asked is None else max(1, int(asked))

    def _client_options(self, region: str, *, attempts: int) -> dict[str, Any]:
        patience = self._access.patience
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=patience.connect_timeout,
            read_timeout=patience.read_timeout,
            max_pool_connections=CONNECTIONS,
        )
        return {
            "region_name": region,
            "endpoint_url": self._access.endpoint_url or None,
            "config": config,
        }

    def _compare_clocks(self, parsed_response: dict[str, Any] | None, **_: Any) -> None:
        date = server_time(parsed_response or {})
        if date is not None:
            self.clock_ahead = self._now() - date


def _source_session(access: Access, now: Callable[[], datetime]) -> boto3.Session:
    if access.person is not None:
        return _role_session(access, RoleCredentials(access.person, now=now))
    core = _core_session(access)
    if access.credential_source != "access-key":
        return boto3.Session(botocore_session=core)
    keys = {"aws_access_key_id": access.access_key_id, "aws_secret_access_key": access.secret_access_key}
    return boto3.Session(botocore_session=core, **keys)


def _role_session(access: Access, role: RoleCredentials) -> boto3.Session:
    core = _core_session(access)
    core.register_component("credential_provider", CredentialResolver([RoleProvider(role)]))
    return boto3.Session(botocore_session=core)


def _core_session(access: Access) -> botocore.session.Session:
    """Return what every client of a run is made from, so that the settings of the profile hold for each.

    A profile holds more than credentials: use_fips_endpoint, ca_bundle, endpoint_url, retries (AWS SDKs and Tools
    Reference Guide). Keys that are given need none, so an AWS_PROFILE that is not there does not stop them.
    """
    core = botocore.session.Session(profile=access.profile if access.credential_source == "profile" else None)
    if access.credential_source == "access-key" and core.profile not in {None, *core.available_profiles}:
        core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    core.register_component(COMPONENT, ParserFactory())
    return core
