"""Sign a user in, which is the only proof of a password that Cognito gives (developer guide, "Authentication flows").

A challenge may be proof too: Cognito asks for the next factor only after the right password. Each session that a
proof opens is closed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.errors import CurrentRefused, RotationDenied, RotationError, TargetUnavailable, TargetUnfit
from connector.rotation.model.ports import Proof, Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.dialogue import Challenge, Dialogue, SignInStep
from connector.rotation.sign_in.errors import ResetRequired
from connector.rotation.sign_in.flows import AppClient

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class SignIn:
    """Proves passwords of one user.

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
        self._dialogue = Dialogue(cognito, app, username=username, now=now)
        self._authenticator = authenticator

    def prove(self, password: Secret) -> Proof:
        """Find out by one sign-in whether a password is the user's, and end the session that it opened.

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
            return Proof(Verdict.UNDECIDED, error.message, error if isinstance(error, TargetUnfit) else None)
        if reached.access_token is None:
            return Proof(Verdict.FACTOR_OUTSTANDING, reached.fault.message if reached.fault else reached.challenge)
        self.leave(reached)
        return Proof(Verdict.ACCEPTED)

    def rehearse(self, current: Secret | None) -> Proof:
        """Find out whether a password can be proved here, at the cost of one failed sign-in at most.

        An accepted and a refused password both show that flow, client and secret fit; a further factor is left
        unanswered.

        Args:
            current: the password until now, where one is kept.

        Raises:
            TargetUnavailable, TargetUnfit, RotationDenied: no proof is possible; see `Dialogue`.
        """
        if current is None:
            self._dialogue.rehearse()
            return Proof(Verdict.UNDECIDED)
        try:
            reached = self._dialogue.begin(current)
        except CurrentRefused:
            return Proof(Verdict.REFUSED)
        except ResetRequired as error:
            return Proof(Verdict.UNDECIDED, error.message)
        self.leave(reached)
        return Proof(Verdict.ACCEPTED)

    def enter(self, password: Secret) -> SignInStep:
        """Go as far as the password and the authenticator lead: to tokens, or to a challenge behind the password.

        Raises:
            CurrentRefused, TargetUnavailable, TargetUnfit, RotationDenied: see `Dialogue`.
        """
        return self.answer_factor(self.begin(password))

    def begin(self, password: Secret) -> SignInStep:
        """Go as far as the password leads; errors are those of `enter`."""
        return self._dialogue.begin(password)

    def answer_factor(self, reached: SignInStep) -> SignInStep:
        """Answer for the authenticator app if it is asked for; a refusal leaves the challenge open, and says why."""
        if self._authenticator is None:
            return reached
        totp = Challenge.SOFTWARE_TOKEN_MFA
        try:
            if reached.challenge == Challenge.SELECT_MFA_TYPE and totp in reached.parameters.get("MFAS_CAN_CHOOSE", ""):
                reached = self._dialogue.choose_factor(reached, totp)
            if reached.challenge != totp:
                return reached
            return self._dialogue.answer_code(reached, self._authenticator.next_code())
        except (TargetUnavailable, TargetUnfit) as error:
            return replace(reached, fault=error)  # the password was accepted all the same

    def can_answer(self, reached: SignInStep) -> bool:
        """Return whether what is asked for now is, or may be, a code of the authenticator."""
        factors = (Challenge.SOFTWARE_TOKEN_MFA, Challenge.SELECT_MFA_TYPE)
        return self._authenticator is not None and reached.challenge in factors

    def answer_new_password(self, reached: SignInStep, password: Secret, attributes: Mapping[str, str]) -> SignInStep:
        """Answer NEW_PASSWORD_REQUIRED; see `Dialogue.answer_new_password`."""
        return self._dialogue.answer_new_password(reached, password, attributes)

    def find_name(self) -> str:
        """Return the user's name as the pool knows it, where that can be found out without a password."""
        return self._dialogue.find_name()

    def leave(self, reached: SignInStep) -> None:
        """End the session that a sign-in opened."""
        self._dialogue.leave(reached)
