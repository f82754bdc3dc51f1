"""Translate what botocore raises into the error tree, at the edge: no ClientError or BotoCoreError goes further.

Codes come from the API references of Cognito and STS and their common errors. What AWS writes beside a code is not
repeated: it can hold the canonical request, which is signed with secrets, or the ExternalId.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connector.aws_codes import ACCESS_DENIED, CLOCK_OFF, EXPIRED_CREDENTIALS, THROTTLED, WRONG_KEYS
from connector.cognito.unsent import unsent
from connector.errors import (
    ConfigError,
    ConnectorError,
    SourceDenied,
    SourceError,
    SourceMissing,
    SourceThrottled,
    SourceUnavailable,
    UserGone,
)

_DATE = len("Sun, 06 Nov 1994 08:49:37 GMT")
"""A time in HTTP has one length, and is in UTC (RFC 9110, section 5.6.7)."""

TOLERANCE = timedelta(minutes=5)
"""How far a signature's time may be off (IAM User Guide, "Signature Version 4")."""


@dataclass(frozen=True, slots=True)
class SourceCall:
    """What is asked of what, as messages name it."""

    operation: str
    target: str

    @property
    def action(self) -> str:
        """The IAM action that the call needs."""
        service = "sts" if self.operation in {"AssumeRole", "GetCallerIdentity"} else "cognito-idp"
        return f"{service}:{self.operation}"

    def __str__(self) -> str:
        return f"{self.operation} on {self.target}"


@contextmanager
def told(call: SourceCall) -> Iterator[None]:
    """Turn whatever an AWS call raises into our tree."""
    try:
        yield
    except ConnectorError:
        raise
    except ClientError as error:
        raise refused(error, call) from None
    except BotoCoreError as error:
        raise unsent(error, str(call)) from None
    except Exception as error:  # noqa: BLE001  botocore's parsers raise whatever an odd body makes of them
        raise unreadable(call, type(error).__name__) from None


@contextmanager
def prepared(what: str) -> Iterator[None]:
    """Turn whatever making a session or a client raises into our tree."""
    try:
        yield
    except BotoCoreError as error:
        raise unsent(error, what) from None
    except ValueError:
        raise ConfigError(
            f"{what} cannot be prepared: the address of AWS is not a URL.",
            remedy="Check AWS_ENDPOINT_URL and the proxies.",
        ) from None


def unreadable(call: SourceCall, why: str) -> SourceUnavailable:
    """Return the error for an answer that arrived damaged."""
    return SourceUnavailable(
        f"The answer to {call} could not be read ({why}).",
        remedy="Try again; if it stays so, look for a proxy or an endpoint setting between here and AWS.",
    )


def refused(error: ClientError, call: SourceCall, *, now: datetime | None = None) -> ConnectorError:
    """Return the error for an answer of AWS that says no."""
    code, status = error_code(error), _status(error)
    if _is_skewed(error, now or datetime.now(UTC)):
        return _clock_is_off(error, call, now or datetime.now(UTC))
    explain = _EXPLANATIONS.get(code) or _by_status(status)
    return explain(error, call)


def error_code(error: ClientError) -> str:
    """Return the code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_expired(error: ClientError) -> bool:
    """Say whether AWS took the credentials for expired."""
    return error_code(error) in EXPIRED_CREDENTIALS


def is_throttled(parsed: Mapping[str, Any]) -> bool:
    """Say whether a parsed answer tells the caller to slow down."""
    return parsed.get("Error", {}).get("Code") in THROTTLED or _http(parsed).get("HTTPStatusCode") == 429  # noqa: PLR2004  Too Many Requests


def server_time(parsed: Mapping[str, Any]) -> datetime | None:
    """Return the time that an answer's Date header tells, if it has one."""
    return time_of_header(_http(parsed).get("HTTPHeaders", {}).get("date"))


def time_of_header(date: str | None) -> datetime | None:
    """Return the time of a Date header, the first where a proxy added its own (RFC 9110, section 5.3); None if none."""
    try:
        return parsedate_to_datetime((date or "")[:_DATE]).replace(tzinfo=UTC)
    except ValueError:
        return None


def describe_skew(ahead: timedelta) -> str:
    """Say in words how this machine's clock differs from that of AWS, whose Date header has whole seconds."""
    if abs(ahead) < timedelta(seconds=2):
        return "in step with AWS"
    return f"{abs(ahead.total_seconds()):.0f} seconds {'ahead of' if ahead > timedelta(0) else 'behind'} AWS"


SKEW_REMEDY = "Set this machine's clock by NTP (for example with chrony or systemd-timesyncd); AWS refuses 5 minutes."


def _http(parsed: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = parsed.get("ResponseMetadata", {})
    return metadata


def _status(error: ClientError) -> int:
    return int(_http(error.response).get("HTTPStatusCode", 0))


def _is_skewed(error: ClientError, now: datetime) -> bool:
    code, text = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    date = server_time(error.response)
    return (
        code in CLOCK_OFF
        or text.startswith(("Signature expired", "Signature not yet current"))
        or (code in WRONG_KEYS | EXPIRED_CREDENTIALS and date is not None and abs(now - date) > TOLERANCE)
    )


def _clock_is_off(error: ClientError, call: SourceCall, now: datetime) -> SourceDenied:
    date = server_time(error.response)
    difference = f"; it is {describe_skew(now - date)}" if date else ""
    return SourceDenied(
        f"AWS refused {call} because this machine's clock is wrong ({error_code(error)}){difference}.",
        remedy=SKEW_REMEDY,
    )


def _denied(error: ClientError, call: SourceCall) -> SourceDenied:
    caller = re.search(r"User: (arn:[\w+=,.@:/-]+) is not authorized", str(error.response["Error"].get("Message", "")))
    who = f" to {caller[1]}" if caller else ""
    return SourceDenied(f"{call} was denied{who} ({error_code(error)}).", remedy=_allowance(call))


def _allowance(call: SourceCall) -> str:
    if call.operation == "AssumeRole":
        return (
            "Three things must agree: the role's trust policy names the caller as principal, its sts:ExternalId equals"
            " aws.external_id, and the caller's own policy allows sts:AssumeRole on the role."
        )
    return f"Allow {call.action} on the ARN of the user pool in the policy of the role that reads it."


def _wrong_keys(error: ClientError, call: SourceCall) -> SourceDenied:
    other_region = (
        " In a Region that has to be enabled, only accounts that have enabled it are known: else name another Region in"
        " aws.sts_region, such as us-east-1."
    )
    return SourceDenied(
        f"AWS does not know the keys with which {call} was signed ({error_code(error)}).",
        remedy="Check aws.access_key_id and aws.secret_access_key (or what aws.credential_source names): both parts of"
        f" one key, active, of the right account.{other_region if call.action.startswith('sts:') else ''}",
    )


def _expired(error: ClientError, call: SourceCall) -> SourceDenied:
    return SourceDenied(
        f"The credentials for {call} have expired ({error_code(error)}).",
        remedy="Renew the temporary credentials that aws.credential_source names, or use keys that do not expire.",
    )


def _throttled(error: ClientError, call: SourceCall) -> SourceThrottled:
    return SourceThrottled(
        f"AWS throttled {call} until the time ran out ({error_code(error)}).",
        remedy="Lower cognito.requests_per_second: the quota is shared by every application of the account in the"
        " Region. Then try again.",
    )


def _missing(error: ClientError, call: SourceCall) -> SourceMissing:
    return SourceMissing(
        f"There is no {call.target}, says {call.operation} ({error_code(error)}).",
        remedy="Check cognito.user_pool_id, cognito.region and the account of the role.",
    )


def _user_gone(error: ClientError, call: SourceCall) -> UserGone:
    return UserGone(
        f"{call} finds no such user ({error_code(error)}).", remedy="They were deleted meanwhile; try again."
    )


def _not_understood(error: ClientError, call: SourceCall) -> ConnectorError:
    if call.operation == "AssumeRole":
        return ConfigError(
            f"AWS does not accept the parameters of {call} ({error_code(error)}).",
            remedy="Check aws.role_arn and aws.external_id, and that aws.session_duration is not over the maximum of"
            " the role (3600 where the caller is itself a role).",
        )
    return SourceError(
        f"AWS does not accept the parameters of {call} ({error_code(error)}).",
        remedy="Try again from the start; a page's token may have aged while the run waited.",
    )


def _failing(error: ClientError, call: SourceCall) -> SourceUnavailable:
    return SourceUnavailable(
        f"AWS failed to answer {call} (HTTP {_status(error)}, {error_code(error)}).",
        remedy="Try again later; https://health.aws.amazon.com shows whether the service is disturbed.",
    )


def _unknown(error: ClientError, call: SourceCall) -> SourceError:
    return SourceError(
        f"AWS refused {call} (HTTP {_status(error)}, {error_code(error)}).",
        remedy="Look the code up in the API reference of the operation.",
    )


_Explain = Callable[[ClientError, SourceCall], ConnectorError]

_EXPLANATIONS: Mapping[str, _Explain] = {
    **dict.fromkeys(ACCESS_DENIED, _denied),
    **dict.fromkeys(EXPIRED_CREDENTIALS, _expired),
    **dict.fromkeys(THROTTLED, _throttled),
    **dict.fromkeys(WRONG_KEYS, _wrong_keys),
    **dict.fromkeys(("ResourceNotFoundException",), _missing),
    **dict.fromkeys(("UserNotFoundException",), _user_gone),
    **dict.fromkeys(("InvalidParameterException", "ValidationError", "ValidationException"), _not_understood),
}


def _by_status(status: int) -> _Explain:
    if status >= 500:  # noqa: PLR2004  the server's own faults (RFC 9110, section 15.6)
        return _failing
    return {401: _denied, 403: _denied, 429: _throttled}.get(status, _unknown)
