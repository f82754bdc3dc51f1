"""Sign a person in: every question of the user pool is put to whoever sits there, in plain words.

The steps themselves are those by which a rotation proves a password. See the Cognito developer guide, "Authentication".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from botocore.exceptions import ClientError

from connector.access.aws_faults import aws_answers, sign_in_answers
from connector.access.device import confirm_device
from connector.access.model import Tokens
from connector.errors import LoginError, LoginRefused, LoginUnfit
from connector.rotation.aws.errors import aws_error_code
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.dialogue import Challenge, Dialogue, SignInStep
from connector.rotation.sign_in.errors import CodeRefused

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_ATTEMPTS = 3
_MOST_STEPS = 12
_FACTORS = {
    Challenge.SOFTWARE_TOKEN_MFA: "authenticator app",
    Challenge.SMS_MFA: "text message",
    Challenge.EMAIL_OTP: "e-mail",
}


class Asks(Protocol):
    """Whoever puts questions to a person. Each raises `LoginUnfit` where nobody is there to answer."""

    def ask(self, question: str) -> str:
        """Return a line of text."""

    def ask_secret(self, question: str) -> Secret:
        """Return a line that was not shown while it was typed."""

    def choose(self, question: str, options: Sequence[str]) -> int:
        """Return the position of what was chosen."""

    def show_authenticator_key(self, key: Secret, uri: str) -> None:
        """Show what an authenticator app is set up with, as text and as a picture to be scanned."""


def sign_in_person(
    cognito: "CognitoIdentityProviderClient", dialogue: Dialogue, asks: Asks, *, password: Secret, label: str
) -> Tokens:
    """Return the tokens of a person who answers all that the pool asks.

    Args:
        cognito: sets an authenticator up, and remembers the device.
        dialogue: with the pool.
        asks: puts the questions.
        password: of that person.
        label: how an authenticator app shall call the account, `pool:name`.

    Raises:
        LoginError: what is answered is wrong, or the pool asks what a terminal cannot answer.
    """
    conversation = _Conversation(cognito, dialogue, asks, label)
    with sign_in_answers():
        step = dialogue.begin(password)
        for _ in range(_MOST_STEPS):
            if step.access_token:
                break
            step = conversation.answer(step)
    if step.access_token is None or step.id_token is None:
        raise LoginUnfit("The user pool does not come to an end with its questions.", remedy="Look into its triggers.")
    return Tokens(
        username=step.username,
        id_token=step.id_token,
        access_token=step.access_token,
        refresh_token=step.refresh_token,
        client_secret=step.client_secret,
        device_key=confirm_device(cognito, step),
    )


class _Conversation:
    def __init__(self, cognito: "CognitoIdentityProviderClient", dialogue: Dialogue, asks: Asks, label: str) -> None:
        self._cognito = cognito
        self._dialogue = dialogue
        self._asks = asks
        self._label = label

    def answer(self, step: SignInStep) -> SignInStep:
        """Answer one challenge."""
        match step.challenge:
            case Challenge.NEW_PASSWORD_REQUIRED:
                return self._choose_password(step)
            case Challenge.SOFTWARE_TOKEN_MFA | Challenge.SMS_MFA | Challenge.EMAIL_OTP:
                return self._give_code(step)
            case Challenge.SELECT_MFA_TYPE:
                return self._choose_factor(step)
            case Challenge.MFA_SETUP:
                return self._set_authenticator_up(step)
            case _:
                raise LoginUnfit(
                    f"The user pool asks for {step.challenge}, which a terminal cannot answer.",
                    remedy="Use an app client without custom challenges and device sign-in.",
                )

    def _choose_password(self, step: SignInStep) -> SignInStep:
        attributes = {}
        for name in required_attributes(step.parameters):
            attributes[name] = self._asks.ask(f"Your {name.replace('_', ' ')} (the pool needs it)")
        password = self._asks.ask_secret("New password")
        if password != self._asks.ask_secret("New password, once more"):
            raise LoginRefused("The two new passwords differ; nothing has changed.", remedy="Sign in again.")
        return self._dialogue.answer_new_password(step, password, attributes)

    def _give_code(self, step: SignInStep) -> SignInStep:
        where = step.parameters.get("CODE_DELIVERY_DESTINATION", "")
        sent = f" sent to {where}" if where else ""
        question = f"Code of your {_FACTORS[Challenge(step.challenge)]}{sent}"
        for left in reversed(range(_ATTEMPTS)):
            code = self._asks.ask_secret(question)
            try:
                return self._dialogue.answer_code(step, Secret("".join(code.reveal().split()) or "0"))
            except CodeRefused:  # the same session takes another code
                if not left:
                    raise
                question = "That code is wrong. The next one"
        raise AssertionError("unreachable")

    def _choose_factor(self, step: SignInStep) -> SignInStep:
        offered = [Challenge(name) for name in _list(step.parameters.get("MFAS_CAN_CHOOSE")) if name in list(_FACTORS)]
        if not offered:
            raise LoginUnfit(
                "The user pool offers no factor that a terminal can answer.", remedy="Set up an authenticator."
            )
        place = self._asks.choose("Where shall the code come from?", [_FACTORS[factor] for factor in offered])
        return self._dialogue.choose_factor(step, offered[place])

    def _set_authenticator_up(self, step: SignInStep) -> SignInStep:
        if Challenge.SOFTWARE_TOKEN_MFA not in _list(step.parameters.get("MFAS_CAN_SETUP", '["SOFTWARE_TOKEN_MFA"]')):
            raise LoginUnfit(
                "The user pool wants a second factor that is not an authenticator app.",
                remedy="Ask its administrator to set it up.",
            )
        session = step.session.reveal() if step.session else ""
        with aws_answers("AssociateSoftwareToken for the user pool"):
            given = self._cognito.associate_software_token(Session=session)
        key = Secret(given["SecretCode"])
        self._asks.show_authenticator_key(key, authenticator_uri(key, self._label))
        code = "".join(self._asks.ask_secret("The code that your authenticator app shows now").reveal().split())
        session = self._verify_code(given.get("Session", ""), code)
        return self._dialogue.answer(_with_session(step, session), {})

    def _verify_code(self, session: str, code: str) -> str:
        with aws_answers("VerifySoftwareToken for the user pool", explain=_explain_code):
            answer = self._cognito.verify_software_token(
                Session=session, UserCode=code, FriendlyDeviceName="cognito-scim"
            )
        if answer.get("Status") != "SUCCESS":
            raise LoginRefused(
                "The code is wrong.", remedy="Sign in again; check the clock of this machine and of the app."
            )
        return answer.get("Session", "")


def required_attributes(parameters: Mapping[str, str]) -> list[str]:
    """Return the attributes that come with a first password, without the prefix that Cognito writes before each."""
    return [name.removeprefix("userAttributes.") for name in _list(parameters.get("requiredAttributes"))]


def authenticator_uri(key: Secret, label: str) -> str:
    """Return what authenticator apps scan ("Key Uri Format", google-authenticator wiki)."""
    return f"otpauth://totp/{quote(label)}?secret={quote(key.reveal())}&issuer={quote(label.partition(':')[0])}"


def _list(text: str | None) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(entry) for entry in found] if isinstance(found, list) else []


def _explain_code(error: ClientError) -> LoginError | None:
    if aws_error_code(error) in {"EnableSoftwareTokenMFAException", "CodeMismatchException"}:
        return LoginRefused(
            "The code is wrong.", remedy="Sign in again; check the clock of this machine and of the app."
        )
    return None


def _with_session(step: SignInStep, session: str) -> SignInStep:
    return replace(step, session=Secret(session)) if session else step
