"""Renew a person's tokens without a password, and take them back.

REFRESH_TOKEN_AUTH is what every app client knows; one whose refresh tokens rotate knows GetTokensFromRefreshToken only
(Cognito developer guide, "Refresh tokens").
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from connector.access.aws_faults import aws_answers, explain_refresh
from connector.access.model import LoginPlan, Tokens
from connector.errors import LoginError, LoginUnavailable, LoginUnfit, NotSignedIn
from connector.rotation.aws.errors import aws_error_code, aws_error_says
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.dialogue import secret_hash

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class _WantsRotation(LoginError):
    """The app client's refresh tokens rotate."""


def renew_tokens(cognito: "CognitoIdentityProviderClient", plan: LoginPlan, tokens: Tokens) -> Tokens:
    """Return new tokens for a refresh token.

    Raises:
        NotSignedIn: the session is over.
        LoginUnfit, LoginUnavailable: it could not be asked for.
    """
    if tokens.refresh_token is None:
        raise NotSignedIn("Your session cannot be renewed.", remedy="Sign in again: cognito-scim login")
    *others, last = plan.client_secrets or (None,)
    for secret in others:
        try:
            return _renew(cognito, plan, tokens, tokens.refresh_token, secret)
        except LoginUnfit:
            continue
    return _renew(cognito, plan, tokens, tokens.refresh_token, last)


def _renew(
    cognito: "CognitoIdentityProviderClient", plan: LoginPlan, tokens: Tokens, refresh: Secret, secret: Secret | None
) -> Tokens:
    try:
        answer = _by_refresh_flow(cognito, plan, tokens, refresh, secret)
    except _WantsRotation:
        answer = _by_rotation(cognito, plan, tokens, refresh, secret)
    given = answer.get("AuthenticationResult") or {}
    if not (given.get("IdToken") and given.get("AccessToken")):
        raise LoginUnavailable(
            "The user pool's answer to a refresh has no tokens.", remedy="Try again, or sign in again."
        )
    return Tokens(
        username=tokens.username,
        id_token=Secret(given["IdToken"]),
        access_token=Secret(given["AccessToken"]),
        refresh_token=Secret(given["RefreshToken"]) if given.get("RefreshToken") else refresh,
        client_secret=secret,
        device_key=tokens.device_key,
    )


def _by_refresh_flow(
    cognito: "CognitoIdentityProviderClient", plan: LoginPlan, tokens: Tokens, refresh: Secret, secret: Secret | None
) -> dict[str, Any]:
    given = {"REFRESH_TOKEN": refresh.reveal()}
    if tokens.device_key:
        given["DEVICE_KEY"] = tokens.device_key
    if secret:
        given["SECRET_HASH"] = secret_hash(tokens.username, plan.client_id, secret)
    with aws_answers(f"the renewal of your session at app client {plan.client_id}", explain=_explain_flow):
        return dict(cognito.initiate_auth(AuthFlow="REFRESH_TOKEN_AUTH", ClientId=plan.client_id, AuthParameters=given))


def _by_rotation(
    cognito: "CognitoIdentityProviderClient", plan: LoginPlan, tokens: Tokens, refresh: Secret, secret: Secret | None
) -> dict[str, Any]:
    request: dict[str, Any] = {"RefreshToken": refresh.reveal(), "ClientId": plan.client_id}
    if tokens.device_key:
        request["DeviceKey"] = tokens.device_key
    if secret:
        request["ClientSecret"] = secret.reveal()
    with aws_answers(f"the renewal of your session at app client {plan.client_id}", explain=explain_refresh):
        return dict(cognito.get_tokens_from_refresh_token(**request))


def _explain_flow(error: ClientError) -> LoginError | None:
    refused = {"UnsupportedOperationException", "OperationNotEnabledException"}
    if aws_error_code(error) in refused or aws_error_says(
        error, "flow not enabled", "not enabled for this client", "rotation"
    ):
        return _WantsRotation("Refresh tokens rotate here.")
    return explain_refresh(error)


def revoke_tokens(cognito: "CognitoIdentityProviderClient", plan: LoginPlan, tokens: Tokens) -> None:
    """Take a refresh token back, and every token that came of it.

    Raises:
        LoginUnfit, LoginUnavailable, CredentialsDenied: it may still count.
    """
    if tokens.refresh_token is None:
        return
    secret = tokens.client_secret or next(iter(plan.client_secrets), None)
    request = {"ClientSecret": secret.reveal()} if secret else {}
    with aws_answers(f"RevokeToken at app client {plan.client_id}"):
        cognito.revoke_token(Token=tokens.refresh_token.reveal(), ClientId=plan.client_id, **request)
