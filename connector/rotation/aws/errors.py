"""Translate what AWS and botocore say of a rotation into the error tree; nothing they wrote is repeated but a code.

Their texts can hold access tokens, canonical requests and parameters. A call that changes a password and got no clear
answer is `OutcomeUnknown`, never a failure: it may have been done.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from botocore import exceptions as aws

from connector.aws_codes import ACCESS_DENIED, CLOCK_OFF, EXPIRED_CREDENTIALS, THROTTLED, WRONG_KEYS
from connector.errors import (
    ConnectorError,
    NewSecretRejected,
    OutcomeUnknown,
    RotationDenied,
    RotationError,
    TargetUnavailable,
    TargetUnfit,
)


@dataclass(frozen=True, slots=True)
class AwsCall:
    """What is asked of what, as messages name it.

    Args:
        action: as IAM names it, such as `cognito-idp:AdminGetUser`.
        subject: the user, pool or account.
        changes: it changes something, so that without an answer nobody knows what became of it.
        candidate: it carries a new password, and nothing else that AWS has not seen before.
    """

    action: str
    subject: str
    changes: bool = False
    candidate: bool = False

    def __str__(self) -> str:
        return f"{self.action.partition(':')[2]} for {self.subject}"


@contextmanager
def rotation_faults(call: AwsCall) -> Iterator[None]:
    """Turn whatever an AWS call raises into the tree.

    Raises:
        RotationDenied: AWS refuses the caller.
        TargetUnavailable: unreachable, throttled or not ready; nothing has changed.
        OutcomeUnknown: the call changes something, and may have done so.
        NewSecretRejected: the policy or the history refuses the password.
        TargetUnfit: what is asked for does not exist, or cannot be done.
    """
    try:
        yield
    except ConnectorError:
        raise
    except aws.ClientError as error:
        raise mark_answer(explain_refusal(error, call), error, call) from None
    except aws.BotoCoreError as error:
        raise _explain_silence(error, call) from None
    except Exception as error:  # noqa: BLE001  botocore's parsers raise whatever an odd body makes of them
        raise _unanswered(call, type(error).__name__) from None


def mark_answer(fault: RotationError, error: aws.ClientError, call: AwsCall) -> RotationError:
    """Mark what answers a changing call, unless AWS decides it before the call is carried out (rights, rate)."""
    fault.answers_change = call.changes and aws_error_code(error) not in _BEFORE_ANY_EFFECT
    return fault


def aws_error_code(error: aws.ClientError) -> str:
    """Return the code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def aws_error_says(error: aws.ClientError, *words: str) -> bool:
    """Tell whether AWS's text has one of these words; Cognito tells some refusals apart by nothing else."""
    text = str(error.response.get("Error", {}).get("Message", "")).lower().replace(" ", "")
    return any(word.lower().replace(" ", "") in text for word in words)


def explain_refusal(error: aws.ClientError, call: AwsCall) -> RotationError:
    """Return the error for an answer of AWS that says no."""
    code = aws_error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    explain = _BY_CODE.get(code) or _by_status(status)
    return explain(call, f"HTTP {status}, {code}" if code.isdigit() or not code else code)


def _access_denied(call: AwsCall, code: str) -> RotationError:
    return RotationDenied(
        f"{call} was denied ({code}).", remedy=f"Allow {call.action} to the credentials that rotate passwords."
    )


def _bad_keys(call: AwsCall, code: str) -> RotationError:
    return RotationDenied(
        f"AWS does not accept the credentials with which {call} was signed ({code}).",
        remedy="Check both parts of the access key, the end of temporary credentials, and this machine's clock.",
    )


def _slowed_down(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(f"AWS throttled {call} ({code}).", remedy="Nothing has changed; try again later.")


def _held_off(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(
        f"A web firewall (AWS WAF) holds {call} off ({code}).",
        remedy="Nothing has changed. Let the address of this machine pass, then try again.",
    )


def _not_ready(call: AwsCall, code: str) -> RotationError:
    return TargetUnavailable(
        f"AWS is still creating what {call} would change ({code}).",
        remedy="Nothing has changed; try again in a few minutes.",
    )


def _against_policy(call: AwsCall, code: str) -> RotationError:
    return NewSecretRejected(
        f"AWS refuses the new password in {call}: it does not meet the policy ({code}).",
        remedy="Allow reading the password policy, or set a longer password with more classes of characters.",
    )


def _used_before(call: AwsCall, code: str) -> RotationError:
    return NewSecretRejected(
        f"AWS refuses the new password in {call}: the account has had it before ({code}).",
        remedy="A sign-in tells whether it is live already; if not, rotate with another one.",
    )


def _does_not_exist(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(f"{call} found nothing ({code}).", remedy="Check the names, the Region and the account.")


def _parameter_refused(call: AwsCall, code: str) -> RotationError:
    if call.candidate:
        return _against_policy(call, code)
    return TargetUnfit(
        f"AWS does not accept the parameters of {call} ({code}).",
        remedy="Check the user name, the pool and the app client with its flows.",
    )


def _trigger_refused(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(
        f"A Lambda trigger of the user pool refuses {call} ({code}).",
        remedy="Look into the trigger's log, or rotate another way.",
    )


def _refused_otherwise(call: AwsCall, code: str) -> RotationError:
    return TargetUnfit(f"AWS refused {call} ({code}).", remedy="Look the code up in the API reference of the call.")


def _unanswered(call: AwsCall, why: str) -> RotationError:
    if call.changes:
        return OutcomeUnknown(
            f"No clear answer came to {call} ({why}); it may have been done.",
            remedy="Run the rotation again: it finds out by signing in, and goes on with the same password.",
        )
    return TargetUnavailable(f"No answer came to {call} ({why}).", remedy="Check the network, then try again.")


def _explain_silence(error: aws.BotoCoreError, call: AwsCall) -> RotationError:
    kind = type(error).__name__
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)):
        return RotationDenied(
            f"{call} needs AWS credentials, and none were found ({kind}).", remedy="Name credentials that may rotate."
        )
    if isinstance(error, (aws.ParamValidationError, aws.ValidationError)):
        return _parameter_refused(call, kind)
    if isinstance(error, (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)):
        return TargetUnavailable(
            f"{call} could not be sent ({kind}).", remedy="Check the Region, the network and the proxy, then try again."
        )
    return _unanswered(call, kind)


_Explain = Callable[[AwsCall, str], RotationError]

_BY_CODE: Mapping[str, _Explain] = {
    **dict.fromkeys(ACCESS_DENIED, _access_denied),
    **dict.fromkeys(WRONG_KEYS | EXPIRED_CREDENTIALS | CLOCK_OFF, _bad_keys),
    **dict.fromkeys(THROTTLED | {"LimitExceeded"}, _slowed_down),
    "ForbiddenException": _held_off,
    **dict.fromkeys(("EntityTemporarilyUnmodifiable", "EntityTemporarilyUnmodifiableException"), _not_ready),
    **dict.fromkeys(("InvalidPasswordException", "PasswordPolicyViolation"), _against_policy),
    "PasswordHistoryPolicyViolationException": _used_before,
    **dict.fromkeys(("NoSuchEntity", "ResourceNotFoundException", "UserNotFoundException"), _does_not_exist),
    **dict.fromkeys(("InvalidParameterException", "ValidationError", "ValidationException"), _parameter_refused),
    **dict.fromkeys(
        ("InvalidLambdaResponseException", "UnexpectedLambdaException", "UserLambdaValidationException"),
        _trigger_refused,
    ),
}


_BEFORE_ANY_EFFECT = frozenset(
    (ACCESS_DENIED | WRONG_KEYS | EXPIRED_CREDENTIALS | CLOCK_OFF | THROTTLED | {"ForbiddenException"})
    - {"NotAuthorizedException", "LimitExceededException"}  # which the operation itself decides
)


def _by_status(status: int) -> _Explain:
    if status >= 500:  # noqa: PLR2004  the server's own faults (RFC 9110, section 15.6)
        return _unanswered
    return {401: _access_denied, 403: _access_denied, 429: _slowed_down}.get(status, _refused_otherwise)
