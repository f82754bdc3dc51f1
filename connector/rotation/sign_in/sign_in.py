"""Sign a user in, which is the only proof of a password that Cognito gives (developer guide, "Authentication flows").

A challenge may be proof too: Cognito asks for the next factor only who knew the password. What was opened is closed.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from connector.errors import CurrentRefused, RotationDenied, RotationError, TargetUnavailable, TargetUnfit
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.model.ports import Proof, Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.errors import ClientSecretRefused, sign_in_faults
from connector.rotation.sign_in.srp import Challenge, Exchange, Unprovable, format_timestamp

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105  the name of a challenge
_PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105  likewise
_TOTP = "SOFTWARE_TOKEN_MFA"
_CHOICE = "SELECT_MFA_TYPE"
_AFTER_THE_PASSWORD = frozenset(
    {NEW_PASSWORD, _TOTP, _CHOICE, "SMS_MFA", "EMAIL_OTP", "MFA_SETUP", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"}
)
"""Challenges that come only after the password was accepted."""


class Flow(StrEnum):
    """How the password is shown to Cognito; the app client must allow it (ExplicitAuthFlows)."""

    USER_SRP_AUTH = "USER_SRP_AUTH"
    """Not at all: proved by SRP."""
    USER_PASSWORD_AUTH = "USER_PASSWORD_AUTH"  # noqa: S105  the name of a flow
    """Sent, by anybody."""
    ADMIN_USER_PASSWORD_AUTH = "ADMIN_USER_PASSWORD_AUTH"  # noqa: S105  likewise
    """Sent, by who has cognito-idp:AdminInitiateAuth."""


@dataclass(frozen=True, slots=True)
class AppClient:
    """The app client of a user pool at which users sign in.

    Args:
        secrets: none, or its client secrets; it has two while they are being replaced.
    """

    pool_id: str
    client_id: str
    secrets: tuple[Secret, ...] = ()
    flow: Flow = Flow.USER_SRP_AUTH


@dataclass(frozen=True, slots=True)
class SignInStep:
    """What Cognito answered to one step of a sign-in.

    Args:
        username: the internal one, which every further answer must name.
        client_secret: the one that fitted.
        challenge: what is asked next; empty when signed in.
        parameters: of the challenge.
        session: ties the answer to it.
        unanswered: why it was not answered, although somebody here could.
    """

    username: str
    client_secret: Secret | None
    challenge: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    session: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    unanswered: str = ""


class SignIn:
    """Signs one user in.

    Args:
        cognito: made by `AwsDoor`; the ADMIN flow needs credentials, the others none.
        app: where.
        username: any name by which the user signs in.
        authenticator: answers for the user's authenticator app, if there is one.
        now: the time, in UTC.
    """

    def __init__(
        self,
        cognito: "CognitoIdentityProviderClient",
        app: AppClient,
        *,
        username: str,
        authenticator: Authenticator | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cognito = cognito
        self._username = username
        self._app = app
        self._authenticator = authenticator
        self._now = now
        self._subject = f"user {username!r} at app client {app.client_id}"

    def prove(self, password: Secret) -> Proof:
        """Tell by one sign-in whether a password is the user's, and end the session that it opened.

        Raises:
            RotationDenied: the caller may not sign users in (ADMIN flow).
        """
        try:
            reached = self.enter(password)
        except CurrentRefused:
            return Proof(Verdict.REFUSED)
        except RotationDenied:
            raise
        except RotationError as error:
            return Proof(Verdict.UNDECIDED, error.message)
        if reached.access_token is None:
            return Proof(Verdict.FACTOR_OUTSTANDING, reached.unanswered or reached.challenge)
        self.leave(reached)
        return Proof(Verdict.ACCEPTED)

    def enter(self, password: Secret) -> SignInStep:
        """Go as far as the password and the authenticator lead: to tokens, or to a challenge behind the password.

        Raises:
            CurrentRefused: it is not the password.
            TargetUnavailable: locked out, throttled, unreachable.
            TargetUnfit: this user cannot sign in here, or what is asked first proves nothing of a password.
            RotationDenied: the caller may not sign users in (ADMIN flow).
        """
        reached = self._with_fitting_secret(lambda secret: self._show_password(password, secret))
        if reached.access_token is None and reached.challenge not in _AFTER_THE_PASSWORD:
            raise TargetUnfit(
                f"The app client asks {self._subject} for {reached.challenge}, which proves nothing of a password.",
                remedy="Use an app client without custom authentication and choice of factors.",
            )
        return self._answer_factor(reached)

    def probe(self) -> str:
        """Begin a sign-in by SRP and drop it: it tells whether user, app client and secret fit, and counts for nothing.

        Returns:
            The user's name as the pool knows it; by another flow than SRP, which tells nothing yet, the name given.

        Raises:
            TargetUnavailable, TargetUnfit: as `enter`.
        """
        if self._app.flow is not Flow.USER_SRP_AUTH:
            return self._username
        asked = {"SRP_A": Exchange(self._app.pool_id).public}
        return self._with_fitting_secret(lambda secret: self._initiate(asked, secret)).username

    def answer_new_password(self, reached: SignInStep, password: Secret, attributes: Mapping[str, str]) -> SignInStep:
        """Answer NEW_PASSWORD_REQUIRED; what comes next, if anything, comes after the change.

        Args:
            reached: the step that asked for it.
            password: the new one.
            attributes: required ones that the user lacks, by name.

        Raises:
            NewSecretRejected, OutcomeUnknown, TargetUnavailable, TargetUnfit: as `Target.set_password`.
        """
        answers = {f"userAttributes.{name}": value for name, value in attributes.items()}
        call = self._call("RespondToAuthChallenge", changes=True)
        return self._respond(reached, {"NEW_PASSWORD": password.reveal(), **answers}, call)

    def leave(self, reached: SignInStep) -> None:
        """End the session that a sign-in opened; where the app client does not let it be, it ends by itself."""
        if reached.refresh_token is None:
            return
        secret = {"ClientSecret": reached.client_secret.reveal()} if reached.client_secret else {}
        with suppress(RotationError), rotation_faults(self._call("RevokeToken")):
            self._cognito.revoke_token(Token=reached.refresh_token.reveal(), ClientId=self._app.client_id, **secret)

    def _with_fitting_secret(self, attempt: Callable[[Secret | None], SignInStep]) -> SignInStep:
        *others, last = self._app.secrets or (None,)
        for secret in others:
            with suppress(ClientSecretRefused):
                return attempt(secret)
        return attempt(last)

    def _show_password(self, password: Secret, secret: Secret | None) -> SignInStep:
        if self._app.flow is not Flow.USER_SRP_AUTH:
            return self._initiate({"PASSWORD": password.reveal()}, secret)
        exchange = Exchange(self._app.pool_id)
        asked = self._initiate({"SRP_A": exchange.public}, secret)
        if asked.challenge != _PASSWORD_VERIFIER:
            # Nothing but the user's name was shown: whatever is asked now says nothing of the password.
            raise TargetUnfit(
                f"The app client asks {self._subject} for {asked.challenge} before the password.",
                remedy="Use an app client that begins with SRP.",
            )
        return self._respond(asked, self._sign(exchange, asked, password), self._call("RespondToAuthChallenge"))

    def _sign(self, exchange: Exchange, asked: SignInStep, password: Secret) -> dict[str, str]:
        at = format_timestamp(self._now())
        try:
            challenge = Challenge.read(asked.parameters)
            signature = exchange.sign(challenge, password.reveal(), at)
        except Unprovable as error:
            raise TargetUnavailable(
                f"The answer to {self._subject} is no SRP challenge ({error}).",
                remedy="Look for a proxy or an endpoint setting between here and AWS.",
            ) from None
        return {
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge.secret_block,
            "PASSWORD_CLAIM_SIGNATURE": signature,
            "TIMESTAMP": at,
        }

    def _answer_factor(self, reached: SignInStep) -> SignInStep:
        if self._authenticator is None:
            return reached
        call = self._call("RespondToAuthChallenge")
        try:
            if reached.challenge == _CHOICE and _TOTP in reached.parameters.get("MFAS_CAN_CHOOSE", ""):
                reached = self._respond(reached, {"ANSWER": _TOTP}, call)
            if reached.challenge != _TOTP:
                return reached
            code = self._authenticator.next_code()
            return self._respond(reached, {f"{_TOTP}_CODE": code.reveal()}, call)
        except (TargetUnavailable, TargetUnfit) as error:
            return replace(reached, unanswered=error.message)  # the password was accepted all the same

    def _initiate(self, parameters: Mapping[str, str], secret: Secret | None) -> SignInStep:
        asked = {"USERNAME": self._username, **parameters, **self._secret_hash(self._username, secret)}
        request: dict[str, Any] = {
            "AuthFlow": self._app.flow.value,
            "ClientId": self._app.client_id,
            "AuthParameters": asked,
        }
        with sign_in_faults(self._call("InitiateAuth")):
            if self._app.flow is Flow.ADMIN_USER_PASSWORD_AUTH:
                answer = dict(self._cognito.admin_initiate_auth(UserPoolId=self._app.pool_id, **request))
            else:
                answer = dict(self._cognito.initiate_auth(**request))
            return _read_step(answer, self._username, secret)

    def _respond(self, reached: SignInStep, answers: Mapping[str, str], call: AwsCall) -> SignInStep:
        given = {"USERNAME": reached.username, **answers, **self._secret_hash(reached.username, reached.client_secret)}
        request: dict[str, Any] = {
            "ClientId": self._app.client_id,
            "ChallengeName": reached.challenge,
            "ChallengeResponses": given,
            "Session": reached.session.reveal() if reached.session else "",
        }
        with sign_in_faults(call):
            if self._app.flow is Flow.ADMIN_USER_PASSWORD_AUTH:
                answer = dict(self._cognito.admin_respond_to_auth_challenge(UserPoolId=self._app.pool_id, **request))
            else:
                answer = dict(self._cognito.respond_to_auth_challenge(**request))
            return _read_step(answer, reached.username, reached.client_secret)

    def _secret_hash(self, username: str, secret: Secret | None) -> dict[str, str]:
        if secret is None:
            return {}
        message = f"{username}{self._app.client_id}".encode(errors="surrogatepass")
        return {"SECRET_HASH": base64.b64encode(hmac.digest(secret.reveal().encode(), message, "sha256")).decode()}

    def _call(self, operation: str, *, changes: bool = False) -> AwsCall:
        admin = "Admin" if self._app.flow is Flow.ADMIN_USER_PASSWORD_AUTH and operation != "RevokeToken" else ""
        return AwsCall(f"cognito-idp:{admin}{operation}", self._subject, changes=changes)


def _read_step(answer: Mapping[str, Any], username: str, client_secret: Secret | None) -> SignInStep:
    parameters = answer.get("ChallengeParameters") or {}
    tokens = answer.get("AuthenticationResult") or {}
    if not (tokens.get("AccessToken") or answer.get("ChallengeName")):
        raise ValueError("neither tokens nor a challenge")  # told as an answer that could not be read
    return SignInStep(
        username=parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or username,
        client_secret=client_secret,
        challenge=answer.get("ChallengeName") or "",
        parameters=parameters,
        session=_wrap(answer.get("Session")),
        access_token=_wrap(tokens.get("AccessToken")),
        refresh_token=_wrap(tokens.get("RefreshToken")),
    )


def _wrap(text: str | None) -> Secret | None:
    return Secret(text) if text else None
