"""The questions and answers of one sign-in, each a value (API reference: InitiateAuth, RespondToAuthChallenge).

What is answered, and how often, is decided elsewhere: by a rotation, or by the person who signs in.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from connector.errors import CurrentRefused, RotationDenied, RotationError, TargetUnavailable, TargetUnfit
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.errors import ClientSecretRefused, FlowNotAllowed, sign_in_faults
from connector.rotation.sign_in.flows import AppClient, Flow
from connector.rotation.sign_in.srp import NotProvable, SrpChallenge, SrpExchange, format_timestamp

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class Challenge(StrEnum):
    """What Cognito may ask for (API reference: ChallengeNameType); a name that is not here may come as well."""

    PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105  the name of a challenge
    NEW_PASSWORD_REQUIRED = "NEW_PASSWORD_REQUIRED"  # noqa: S105  likewise
    SOFTWARE_TOKEN_MFA = "SOFTWARE_TOKEN_MFA"  # noqa: S105  likewise
    SMS_MFA = "SMS_MFA"
    EMAIL_OTP = "EMAIL_OTP"
    SELECT_MFA_TYPE = "SELECT_MFA_TYPE"
    MFA_SETUP = "MFA_SETUP"
    DEVICE_SRP_AUTH = "DEVICE_SRP_AUTH"
    DEVICE_PASSWORD_VERIFIER = "DEVICE_PASSWORD_VERIFIER"  # noqa: S105  likewise
    CUSTOM_CHALLENGE = "CUSTOM_CHALLENGE"
    SELECT_CHALLENGE = "SELECT_CHALLENGE"


AFTER_THE_PASSWORD = frozenset(
    {
        Challenge.NEW_PASSWORD_REQUIRED,
        Challenge.SOFTWARE_TOKEN_MFA,
        Challenge.SMS_MFA,
        Challenge.EMAIL_OTP,
        Challenge.SELECT_MFA_TYPE,
        Challenge.MFA_SETUP,
        Challenge.DEVICE_SRP_AUTH,
        Challenge.DEVICE_PASSWORD_VERIFIER,
    }
)
"""Challenges that come only after the password was accepted."""


@dataclass(frozen=True, slots=True)
class SignInStep:
    """What Cognito answered to one step of a sign-in: tokens, or a challenge.

    Args:
        username: the internal one, which every further answer must name.
        flow: by which the sign-in was begun; the answers go the same way.
        client_secret: the one that fitted.
        challenge: what is asked next; empty when signed in.
        parameters: of the challenge.
        session: ties the answer to the challenge; a challenge may come without one (PASSWORD_VERIFIER does).
        expires_in: seconds for which access and id token count.
        device_group: of the device that the pool made for this sign-in, if it tracks devices.
        device_key: of that device.
        fault: why the challenge was left open although an answer was at hand.
    """

    username: str
    flow: Flow
    client_secret: Secret | None
    challenge: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    session: Secret | None = None
    access_token: Secret | None = None
    id_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_in: int = 0
    device_group: str = ""
    device_key: str = ""
    fault: RotationError | None = None


class Dialogue:
    """Signs one user in, step by step.

    Args:
        cognito: sends each request once; the ADMIN flow needs credentials, the others none.
        app: where.
        username: any name by which the user signs in.
        now: the time, in UTC.

    Every step raises
        CurrentRefused: it is not the password.
        TargetUnavailable: locked out, throttled, unreachable.
        TargetUnfit: this user cannot sign in here, or what is asked first proves nothing of a password.
        RotationDenied: the caller may not sign users in (ADMIN flow).
    """

    def __init__(
        self,
        cognito: "CognitoIdentityProviderClient",
        app: AppClient,
        *,
        username: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cognito = cognito
        self._username = username
        self._app = app
        self._now = now
        self._allowed: Flow | None = None
        self._subject = f"user {username!r} at app client {app.client_id}"

    def begin(self, password: Secret) -> SignInStep:
        """Show a password, and return what comes behind it."""
        reached = self._by_an_allowed_flow(lambda flow, secret: self._show_password(flow, secret, password))
        if reached.access_token is None and reached.challenge not in AFTER_THE_PASSWORD:
            raise TargetUnfit(
                f"The app client asks {self._subject} for {reached.challenge}, which proves nothing of a password.",
                remedy="Use an app client without custom authentication and choice of factors.",
            )
        return reached

    def rehearse(self) -> str:
        """Find out without the password whether user, flow and client secret fit.

        By SRP a sign-in is begun and dropped, which counts for nothing; another flow costs one wrong password.

        Returns:
            The user's name as the pool knows it, where it says so; else the name given.
        """
        with suppress(CurrentRefused):
            return self._by_an_allowed_flow(self._rehearse).username
        return self._username

    def find_name(self) -> str:
        """Return the user's name as the pool knows it, where SRP tells; else the name given. No failure is counted."""
        if Flow.USER_SRP_AUTH not in self._app.usable_flows:
            return self._username
        with suppress(FlowNotAllowed):
            return self._with_fitting_secret(lambda secret: self._rehearse(Flow.USER_SRP_AUTH, secret)).username
        return self._username

    def answer(self, step: SignInStep, responses: Mapping[str, str], *, changes: bool = False) -> SignInStep:
        """Answer a challenge, and return what comes next.

        Args:
            step: the one that asked.
            responses: ChallengeResponses, without the user's name and the secret hash.
            changes: the answer changes the password, so that an error does not say what became of it.
        """
        operation = "AdminRespondToAuthChallenge" if _is_signed(step.flow) else "RespondToAuthChallenge"
        given = {"USERNAME": step.username, **responses, **self._secret_hash(step.username, step.client_secret)}
        request: dict[str, Any] = {
            "ClientId": self._app.client_id,
            "ChallengeName": step.challenge,
            "ChallengeResponses": given,
            **({"Session": step.session.reveal()} if step.session else {}),  # botocore refuses an empty one
        }
        with sign_in_faults(AwsCall(f"cognito-idp:{operation}", self._subject, changes=changes)):
            if _is_signed(step.flow):
                answer = dict(self._cognito.admin_respond_to_auth_challenge(UserPoolId=self._app.pool_id, **request))
            else:
                answer = dict(self._cognito.respond_to_auth_challenge(**request))
            return _read_step(answer, step.username, step.flow, step.client_secret)

    def answer_code(self, step: SignInStep, code: Secret) -> SignInStep:
        """Answer SOFTWARE_TOKEN_MFA, SMS_MFA or EMAIL_OTP with a code."""
        return self.answer(step, {f"{step.challenge}_CODE": code.reveal()})

    def choose_factor(self, step: SignInStep, factor: str) -> SignInStep:
        """Answer SELECT_MFA_TYPE with one of the factors that MFAS_CAN_CHOOSE lists."""
        return self.answer(step, {"ANSWER": factor})

    def answer_new_password(self, step: SignInStep, password: Secret, attributes: Mapping[str, str]) -> SignInStep:
        """Answer NEW_PASSWORD_REQUIRED; what comes next, if anything, comes after the change.

        Args:
            step: the one that asked.
            password: the new one.
            attributes: required ones that the user lacks, by name.

        Raises:
            NewSecretRejected, OutcomeUnknown, TargetUnavailable, TargetUnfit: as `Target.set_password`.
        """
        given = {f"userAttributes.{name}": value for name, value in attributes.items()}
        return self.answer(step, {"NEW_PASSWORD": password.reveal(), **given}, changes=True)

    def leave(self, step: SignInStep) -> None:
        """End the session that a sign-in opened; where the app client does not allow that, it ends by itself."""
        if step.refresh_token is None:
            return
        secret = {"ClientSecret": step.client_secret.reveal()} if step.client_secret else {}
        with suppress(RotationError), rotation_faults(AwsCall("cognito-idp:RevokeToken", self._subject)):
            self._cognito.revoke_token(Token=step.refresh_token.reveal(), ClientId=self._app.client_id, **secret)

    def _by_an_allowed_flow(self, attempt: Callable[[Flow, Secret | None], SignInStep]) -> SignInStep:
        """Attempt the flows in their order until the app client allows one, which is then kept to."""
        refused: list[str] = []
        for flow in self._flows():
            try:
                reached = self._with_fitting_secret(lambda secret, flow=flow: attempt(flow, secret))  # type: ignore[misc]
            except FlowNotAllowed:
                refused.append(flow.value)
                continue
            except RotationDenied as error:
                if not refused:
                    raise
                raise RotationDenied(
                    f"App client {self._app.client_id} does not allow {', '.join(refused)}, and {error.message}",
                    remedy=f"Add ALLOW_{refused[0]} to the app client (ExplicitAuthFlows). Or else: {error.remedy}",
                ) from None
            except RotationError:
                self._allowed = flow
                raise
            self._allowed = flow
            return reached
        raise FlowNotAllowed(
            f"App client {self._app.client_id} does not allow {', '.join(refused)}.",
            remedy=f"Add ALLOW_{refused[0]} to the app client (ExplicitAuthFlows), or name a flow that it allows.",
        )

    def _flows(self) -> Iterator[Flow]:
        if self._allowed:
            yield self._allowed
            return
        if not self._app.usable_flows:
            raise TargetUnfit(
                f"{', '.join(self._app.flows)} needs the id of the user pool.",
                remedy="Name the pool, or use an app client that allows USER_PASSWORD_AUTH.",
            )
        yield from self._app.usable_flows

    def _with_fitting_secret(self, attempt: Callable[[Secret | None], SignInStep]) -> SignInStep:
        *others, last = self._app.secrets or (None,)
        for secret in others:
            with suppress(ClientSecretRefused):
                return attempt(secret)
        return attempt(last)

    def _show_password(self, flow: Flow, secret: Secret | None, password: Secret) -> SignInStep:
        if flow is not Flow.USER_SRP_AUTH:
            return self._initiate(flow, {"PASSWORD": password.reveal()}, secret)
        exchange = SrpExchange(self._app.pool_id)
        asked = self._initiate(flow, {"SRP_A": exchange.public}, secret)
        if asked.challenge != Challenge.PASSWORD_VERIFIER:
            # Nothing but the user's name was shown: whatever is asked now says nothing of the password.
            raise TargetUnfit(
                f"The app client asks {self._subject} for {asked.challenge} before the password.",
                remedy="Use an app client that begins with SRP.",
            )
        return self.answer(asked, self._sign(exchange, asked, password))

    def _rehearse(self, flow: Flow, secret: Secret | None) -> SignInStep:
        if flow is not Flow.USER_SRP_AUTH:
            return self._initiate(flow, {"PASSWORD": f"Wr0ng-{secrets.token_urlsafe(24)}!"}, secret)
        return self._initiate(flow, {"SRP_A": SrpExchange(self._app.pool_id).public}, secret)

    def _sign(self, exchange: SrpExchange, asked: SignInStep, password: Secret) -> dict[str, str]:
        at = format_timestamp(self._now())
        try:
            challenge = SrpChallenge.read(asked.parameters)
            signature = exchange.sign(challenge, password.reveal(), at)
        except NotProvable as error:
            raise TargetUnavailable(
                f"The answer to {self._subject} is not an SRP challenge ({error}).",
                remedy="Look for a proxy or an endpoint setting between here and AWS.",
            ) from None
        return {
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge.secret_block,
            "PASSWORD_CLAIM_SIGNATURE": signature,
            "TIMESTAMP": at,
        }

    def _initiate(self, flow: Flow, parameters: Mapping[str, str], secret: Secret | None) -> SignInStep:
        operation = "AdminInitiateAuth" if _is_signed(flow) else "InitiateAuth"
        request: dict[str, Any] = {
            "AuthFlow": flow.value,
            "ClientId": self._app.client_id,
            "AuthParameters": {
                "USERNAME": self._username,
                **parameters,
                **self._secret_hash(self._username, secret),
            },
        }
        with sign_in_faults(AwsCall(f"cognito-idp:{operation}", self._subject)):
            if _is_signed(flow):
                answer = dict(self._cognito.admin_initiate_auth(UserPoolId=self._app.pool_id, **request))
            else:
                answer = dict(self._cognito.initiate_auth(**request))
            return _read_step(answer, self._username, flow, secret)

    def _secret_hash(self, username: str, secret: Secret | None) -> dict[str, str]:
        return {"SECRET_HASH": secret_hash(username, self._app.client_id, secret)} if secret else {}


def secret_hash(username: str, client_id: str, secret: Secret) -> str:
    """Return what proves that a request comes from an app client's own program (API reference: SECRET_HASH)."""
    message = f"{username}{client_id}".encode(errors="surrogatepass")
    return base64.b64encode(hmac.digest(secret.reveal().encode(), message, "sha256")).decode()


def _is_signed(flow: Flow) -> bool:
    return flow is Flow.ADMIN_USER_PASSWORD_AUTH


def _read_step(answer: Mapping[str, Any], username: str, flow: Flow, client_secret: Secret | None) -> SignInStep:
    parameters = answer.get("ChallengeParameters") or {}
    tokens = answer.get("AuthenticationResult") or {}
    device = tokens.get("NewDeviceMetadata") or {}
    if not (tokens.get("AccessToken") or answer.get("ChallengeName")):
        raise ValueError("neither tokens nor a challenge")  # reported as an answer that could not be read
    return SignInStep(
        username=parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or username,
        flow=flow,
        client_secret=client_secret,
        challenge=answer.get("ChallengeName") or "",
        parameters=parameters,
        session=_wrap(answer.get("Session")),
        access_token=_wrap(tokens.get("AccessToken")),
        id_token=_wrap(tokens.get("IdToken")),
        refresh_token=_wrap(tokens.get("RefreshToken")),
        expires_in=int(tokens.get("ExpiresIn") or 0),
        device_group=device.get("DeviceGroupKey") or "",
        device_key=device.get("DeviceKey") or "",
    )


def _wrap(text: str | None) -> Secret | None:
    return Secret(text) if text else None
