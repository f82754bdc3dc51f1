"""What Cognito means when it refuses a sign-in: one code, NotAuthorizedException, stands for half a dozen things.

Only "Incorrect username or password" says something of the password; "Password attempts exceeded" is a lock-out, during
which the right one is refused as well (developer guide, "Lockout behavior for failed sign-in attempts").
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from botocore.exceptions import ClientError

from connector.errors import CurrentRefused, RotationError, TargetUnavailable, TargetUnfit
from connector.rotation.aws.errors import (
    AwsCall,
    aws_error_code,
    aws_error_says,
    explain_refusal,
    mark_answer,
    rotation_faults,
)


class ClientSecretRefused(TargetUnfit):
    """The client secret does not fit; no password was looked at."""


class FlowNotAllowed(TargetUnfit):
    """The app client does not allow the flow; no password was looked at."""


class UserMissing(TargetUnfit):
    """There is no such user."""


class UserDisabled(TargetUnfit):
    """The user is disabled."""


class CodeRefused(TargetUnfit):
    """The code of a second factor is wrong."""


class ResetRequired(TargetUnfit):
    """The user has to reset the password before signing in."""


@contextmanager
def sign_in_faults(call: AwsCall) -> Iterator[None]:
    """Turn whatever a step of a sign-in raises into the tree.

    Raises:
        RotationError: as `rotation_faults`, and
        CurrentRefused: it is not the password.
        ClientSecretRefused: it is not the app client's secret.
        FlowNotAllowed: the app client does not allow the flow.
        ResetRequired: the user has to reset the password first.
    """
    with rotation_faults(call):
        try:
            yield
        except ClientError as error:
            raise mark_answer(explain_sign_in(error, call), error, call) from None


def explain_sign_in(error: ClientError, call: AwsCall) -> RotationError:
    """Return the error for a sign-in that Cognito refuses."""
    code = aws_error_code(error)
    if code == "NotAuthorizedException":
        found = (explain for words, explain in _NOT_AUTHORIZED.items() if aws_error_says(error, *words))
        return next(found, _not_admitted)(call)
    if code == "InvalidParameterException":
        found = (explain for words, explain in _INVALID_PARAMETER.items() if aws_error_says(error, *words))
        return next(found, partial(explain_refusal, error))(call)
    return _SIGN_IN_CODES[code](call) if code in _SIGN_IN_CODES else explain_refusal(error, call)


def _wrong_password(call: AwsCall) -> RotationError:
    return CurrentRefused(
        f"It is not the password: {call}.", remedy="Store the live password, or set one as administrator."
    )


def _locked_out(call: AwsCall) -> RotationError:
    return TargetUnavailable(
        f"Cognito has locked sign-ins out after failed ones: {call}.",
        remedy="Nothing has changed. A lock-out ends within a quarter of an hour.",
    )


def _client_secret_refused(call: AwsCall) -> RotationError:
    return ClientSecretRefused(
        f"The client secret is another one, or missing, or one too many: {call}.",
        remedy="Give the secret of the app client, both where it has two, none where it has none.",
    )


def _user_disabled(call: AwsCall) -> RotationError:
    return UserDisabled(f"The user is disabled: {call}.", remedy="Enable the user, then try again.")


def _too_slow(call: AwsCall) -> RotationError:
    return TargetUnavailable(f"The sign-in took too long: {call}.", remedy="Nothing has changed; try again.")


def _not_admitted(call: AwsCall) -> RotationError:
    return TargetUnfit(
        f"Cognito does not admit {call} (NotAuthorizedException), for a reason that is not the password.",
        remedy="Look into the user pool's app client, its threat protection and its triggers.",
    )


def _flow_refused(call: AwsCall) -> RotationError:
    return FlowNotAllowed(
        f"The app client does not allow this flow: {call}.",
        remedy="Add the flow to the app client (ExplicitAuthFlows), or sign in by one that it allows.",
    )


def _password_expired(call: AwsCall) -> RotationError:
    return CurrentRefused(f"The temporary password has expired: {call}.", remedy="Set one the administrator's way.")


def _user_missing(call: AwsCall) -> RotationError:
    return UserMissing(f"{call} found nobody of this name.", remedy="Check the name and the pool.")


def _code_wrong(call: AwsCall) -> RotationError:
    return CodeRefused(
        f"The authenticator's code is wrong: {call}.",
        remedy="Correct the seed (TOTP secret) that is kept for the user, or this machine's clock.",
    )


def _code_used(call: AwsCall) -> RotationError:
    return TargetUnavailable(
        f"The authenticator's code was used before: {call}.",
        remedy="Nothing has changed. Try again after half a minute.",
    )


def _user_unconfirmed(call: AwsCall) -> RotationError:
    return TargetUnfit(f"The user is not confirmed: {call}.", remedy="Confirm the user, then try again.")


def _reset_required(call: AwsCall) -> RotationError:
    return ResetRequired(
        f"The user has to reset the password before signing in: {call}.", remedy="Set one the administrator's way."
    )


_NOT_AUTHORIZED: Mapping[tuple[str, ...], Callable[[AwsCall], RotationError]] = {
    ("incorrect username or password",): _wrong_password,
    ("attempts exceeded",): _locked_out,
    ("secret hash", "secret_hash", "for secret", "with secret"): _client_secret_refused,
    ("user is disabled",): _user_disabled,
    ("invalid session",): _too_slow,
    ("must be reset by an administrator",): _password_expired,
}
_INVALID_PARAMETER: Mapping[tuple[str, ...], Callable[[AwsCall], RotationError]] = {
    ("not enabled", "method not supported"): _flow_refused,
    ("secret hash", "secret_hash", "for secret"): _client_secret_refused,
}
_SIGN_IN_CODES: Mapping[str, Callable[[AwsCall], RotationError]] = {
    "CodeMismatchException": _code_wrong,
    "EnableSoftwareTokenMFAException": _code_wrong,
    "ExpiredCodeException": _code_used,
    "PasswordResetRequiredException": _reset_required,
    "UserNotConfirmedException": _user_unconfirmed,
    "UserNotFoundException": _user_missing,
}
