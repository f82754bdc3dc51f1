"""What AWS and botocore say while a person gets credentials, as errors a person can act on; only codes are repeated.

Texts of AWS can hold tokens. Who does not exist, who is disabled and who has mistyped a password hear the same.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from botocore import exceptions as aws

from connector.errors import (
    ConnectorError,
    CredentialsDenied,
    CurrentRefused,
    LoginError,
    LoginRefused,
    LoginUnavailable,
    LoginUnfit,
    NewSecretRejected,
    NotSignedIn,
    OutcomeUnknown,
    RotationDenied,
    RotationError,
    TargetUnavailable,
)
from connector.rotation.aws.errors import aws_error_code, aws_error_says
from connector.rotation.sign_in.errors import (
    ClientSecretRefused,
    CodeRefused,
    FlowNotAllowed,
    ResetRequired,
    UserDisabled,
    UserMissing,
)

_THROTTLED = {
    "TooManyRequestsException",
    "Throttling",
    "ThrottlingException",
    "LimitExceededException",
    "RequestLimitExceeded",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "NotAuthorizedException"}
_SERVER_FAULT = 500


@contextmanager
def sign_in_answers() -> Iterator[None]:
    """Turn what a step of a sign-in raises into what a person may know of it.

    Raises:
        LoginError: in the words of a login.
    """
    try:
        yield
    except RotationError as error:
        raise explain_sign_in(error) from None


def explain_sign_in(error: RotationError) -> LoginError:  # noqa: PLR0911 - a table, from the particular to the general
    """Return what a person is told of a sign-in that did not come to its end."""
    if isinstance(error, CurrentRefused | UserDisabled | UserMissing):
        return LoginRefused(
            "Wrong user name or password.", remedy="Try again; after five failures Cognito makes you wait."
        )
    if isinstance(error, CodeRefused):
        return LoginRefused("The code is wrong, or was used before.", remedy="Sign in again with the next code.")
    if isinstance(error, ResetRequired):
        return LoginRefused(
            "The password has to be reset first.", remedy="Ask an administrator of the pool, or use its reset page."
        )
    if isinstance(error, NewSecretRejected):
        return LoginRefused(
            "The pool does not take the new password: it is too weak, or was used before.",
            remedy="Sign in again with the password that you were given, and choose a stronger one.",
        )
    if isinstance(error, ClientSecretRefused | FlowNotAllowed):
        return LoginUnfit(error.message, remedy=error.remedy)
    if isinstance(error, OutcomeUnknown):
        return LoginUnavailable(
            "No clear answer came to the new password; it may have been set.",
            remedy="Sign in with the new password; if that is refused, with the one before.",
        )
    if isinstance(error, TargetUnavailable):
        return LoginUnavailable(error.message, remedy=error.remedy)
    if isinstance(error, RotationDenied):
        return CredentialsDenied(error.message, remedy="Sign in again.")
    return LoginUnfit(error.message, remedy=error.remedy)


@contextmanager
def aws_answers(
    action: str, *, explain: Callable[[aws.ClientError], LoginError | None] = lambda _: None
) -> Iterator[None]:
    """Turn whatever a call raises into the tree.

    Args:
        action: what was asked, such as "GetCredentialsForIdentity for identity pool …".
        explain: knows what this call's own refusals mean; None leaves it to the code alone.

    Raises:
        LoginError: in the words of a login.
    """
    try:
        yield
    except ConnectorError:
        raise
    except aws.ClientError as error:
        raise explain(error) or explain_refusal(error, action) from None
    except (aws.ParamValidationError, aws.ValidationError, aws.NoRegionError) as error:
        raise LoginUnfit(
            f"{action} cannot be sent as configured ({type(error).__name__}).",
            remedy="Check the ids of login.* and cognito.*.",
        ) from None
    except Exception as error:  # noqa: BLE001 - botocore's parsers raise whatever an odd body makes of them
        raise LoginUnavailable(
            f"No answer came to {action} ({type(error).__name__}).", remedy="Check the network, then try again."
        ) from None


def explain_refusal(error: aws.ClientError, action: str) -> LoginError:
    """Return the error for an answer of AWS that says no."""
    code = aws_error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _THROTTLED or status >= _SERVER_FAULT:
        return LoginUnavailable(f"AWS could not answer {action} ({code or status}).", remedy="Try again in a moment.")
    if code == "ResourceNotFoundException":
        return LoginUnfit(f"{action}: it does not exist ({code}).", remedy="Check its id and its Region.")
    if code in _DENIED:
        return CredentialsDenied(f"{action} was denied ({code}).", remedy="Ask the administrator of the AWS account.")
    return LoginUnfit(
        f"AWS refused {action} ({code or status}).", remedy="Look the code up in the API reference of the call."
    )


def explain_refresh(error: aws.ClientError) -> LoginError | None:
    """Return what a refused refresh token means: the session is over, for whichever reason (no enumeration)."""
    over = {
        "NotAuthorizedException",
        "UserNotFoundException",
        "RefreshTokenReuseException",
        "PasswordResetRequiredException",
    }
    if aws_error_code(error) in over and not aws_error_says(error, "secret hash", "secret_hash", "for secret"):
        return NotSignedIn("Your session at the user pool has ended.", remedy="Sign in again: cognito-scim login")
    if aws_error_says(error, "secret hash", "secret_hash", "for secret", "client secret"):
        return LoginUnfit("The app client's secret does not fit.", remedy="Correct login.client_secret_file.")
    return None


def explain_identity(error: aws.ClientError) -> LoginError | None:
    """Return what an identity pool's refusals mean; its texts tell them apart, its codes do not."""
    found = (why for words, why in _IDENTITY_POOL.items() if aws_error_says(error, words))
    told = next(found, None)
    return told() if told else None


def _provider_unknown() -> LoginError:
    return LoginUnfit(
        "Identity pool configuration error: it does not take tokens of this user pool and app client.",
        remedy="Add both as an authentication provider, or make the pool with: cognito-scim admin setup-identity-pool",
    )


def _no_role() -> LoginError:
    return LoginUnfit(
        "The identity pool has no role for people who are signed in.",
        remedy="Give it one: cognito-scim admin setup-identity-pool",
    )


def _trust_refuses() -> LoginError:
    return CredentialsDenied(
        "AssumeRoleWithWebIdentity: access denied; the role does not trust this identity pool.",
        remedy="Correct the role's trust policy (aud and amr), or make it with: cognito-scim admin setup-identity-pool",
    )


_IDENTITY_POOL: Mapping[str, Callable[[], LoginError]] = {
    "not from a supported provider": _provider_unknown,
    "no provider": _provider_unknown,
    "Invalid login token. Issuer": _provider_unknown,
    "Incorrect token audience": _provider_unknown,
    "not configured": _no_role,
    "Invalid identity pool configuration": _trust_refuses,
    "AssumeRoleWithWebIdentity": _trust_refuses,
    "Access to Role": _trust_refuses,
}


def explain_web_identity(error: aws.ClientError) -> LoginError | None:
    """Return what STS's refusals of a token mean (STS API reference: AssumeRoleWithWebIdentity, Errors)."""
    code = aws_error_code(error)
    if code == "ValidationError" and aws_error_says(error, "DurationSeconds", "MaxSessionDuration"):
        return LoginUnfit(
            "The role's sessions may not last that long.",
            remedy="Ask for less with --duration, or raise the role's maximum: cognito-scim admin setup-web-identity",
        )
    if code in {"InvalidIdentityToken", "InvalidIdentityTokenException"}:
        return LoginUnfit(
            "IAM does not know the user pool as an OIDC provider, or not this app client.",
            remedy="Make the provider: cognito-scim admin setup-web-identity",
        )
    if code in {"ExpiredToken", "ExpiredTokenException"}:
        return NotSignedIn("The token has expired.", remedy="Sign in again: cognito-scim login")
    if code in _DENIED:
        return CredentialsDenied(
            "AssumeRoleWithWebIdentity: access denied; the role does not trust this user pool and app client.",
            remedy="Correct the role's trust policy, or make it with: cognito-scim admin setup-web-identity",
        )
    return None
