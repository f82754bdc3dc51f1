"""Set a candidate, and know afterwards whether it is the password.

No answer but a yes is believed by itself: the change may have been made, and refused all the same (a reply lost, a
trigger that failed behind it). A sign-in decides; where none can, the outcome is unknown.
"""

from dataclasses import dataclass, replace

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    OutcomeUnknown,
    ProofImpossible,
    RotationDenied,
    RotationError,
    TargetUnavailable,
    VaultUnfit,
)
from connector.rotation.engine.backoff import Backoff, LimitedSignIns
from connector.rotation.model.ports import Account, KeptPasswords, Proof, Target, Verdict
from connector.rotation.model.secret import Secret

_SET_JUST_NOW = "The account refuses it as used before: an earlier attempt has set it."
_SET_ONCE = (
    "The account refuses it as used before: an earlier run has set it. Whether it still is the password cannot be"
    " known: if anybody has set another one since, this one is dead. Rotate again to be sure."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A password that the vault keeps as pending.

    Args:
        account: for which it is.
        vault: name of the vault.
        kept: what the vault keeps, the candidate as pending.
        password: the candidate.
        fresh: made just now, so that no target has seen it.
    """

    account: Account
    vault: str
    kept: KeptPasswords
    password: Secret
    fresh: bool


class PasswordChange:
    """One candidate on its way to becoming the password."""

    def __init__(self, target: Target, sign_ins: LimitedSignIns, candidate: Candidate) -> None:
        self._target = target
        self._sign_ins = sign_ins
        self._candidate = candidate
        self._unanswered = False
        self._answered_no = False

    def settle(self, backoff: Backoff) -> Proof | None:
        """Send the candidate until a yes or a sign-in settles the matter.

        Returns:
            The proof that it is the password if that took a sign-in; None if the target said so.

        Raises:
            NewSecretRejected: the target refuses it, and it is not the password.
            CurrentRefused: what the vault keeps cannot set another password; nothing has changed.
            TargetUnavailable, RotationDenied, TargetUnfit: every attempt was refused; nothing has changed.
            OutcomeUnknown: nobody can know yet; setting the same candidate again is safe.
        """
        try:
            return self._settle(backoff)
        except OutcomeUnknown:
            raise
        except RotationError as error:
            if not self._unanswered:
                raise
            candidate = self._candidate
            raise OutcomeUnknown(
                f"{candidate.account.identity}: nobody can know whether the pending password is live: an attempt to set"
                f" it had no answer, and the last one failed. {error.message}",
                remedy="Once that is mended, run the rotation again.",
            ) from error

    def _settle(self, backoff: Backoff) -> Proof | None:
        fault: RotationError
        for _ in backoff.attempts():
            try:
                self._send()
            except OutcomeUnknown as error:
                fault, self._unanswered = error, True
            except TargetUnavailable as error:
                fault, self._answered_no = error, self._answered_no or error.answers_change
            except RotationError as error:
                return self._settle_refusal(error)
            else:
                return None
            if self._unanswered and (proof := self._prove()).accepted:
                return proof
        if self._answered_no and not self._unanswered:
            return self._settle_refusal(fault)
        raise fault

    def _prove(self) -> Proof:
        return prove_leniently(self._sign_ins, self._candidate.password)

    def _send(self) -> None:
        candidate = self._candidate
        if not self._target.needs_current:
            self._target.set_password(candidate.password, current=None)
            return
        refusal: RotationError = VaultUnfit(
            f"{candidate.vault} keeps no password with which {self._target.identity} could sign in.",
            remedy="Store the current password there, or rotate the administrator's way.",
        )
        for current in filter(None, (candidate.kept.current, candidate.kept.previous)):
            try:
                self._target.set_password(candidate.password, current=current)
            except CurrentRefused as error:
                if error.answers_change:
                    raise
                self._sign_ins.count_refusal()
                refusal = error
            else:
                return
        raise refusal

    def _settle_refusal(self, error: RotationError) -> Proof:
        """Return the proof that a refused candidate is the password all the same.

        Raises:
            RotationError: the refusal, where a sign-in shows that it had no effect.
            OutcomeUnknown: no sign-in shows anything.
        """
        was_sent = error.answers_change or isinstance(error, NewSecretRejected)
        if not (was_sent or self._answered_no or self._unanswered):
            raise error
        proof = self._prove()
        if proof.accepted:
            return proof
        if proof.verdict is Verdict.UNVERIFIABLE and isinstance(error, NewSecretRejected) and self._was_set_before():
            return replace(proof, detail=_SET_JUST_NOW if self._candidate.fresh else _SET_ONCE)
        if proof.verdict is not Verdict.REFUSED or self._unanswered:
            raise outcome_unknown(self._candidate, proof, error) from error
        raise error

    def _was_set_before(self) -> bool:
        """A random password that meets the policy is refused for one reason only: the account has had it."""
        policy = self._candidate.account.policy
        return bool(policy.known and policy.history and not policy.faults(self._candidate.password))


def prove_leniently(sign_ins: LimitedSignIns, password: Secret) -> Proof:
    """Try a password once; where the caller may not sign users in, that decides nothing."""
    try:
        return sign_ins.prove(password)
    except RotationDenied as error:
        return Proof(Verdict.UNDECIDED, error.message, error)


def outcome_unknown(candidate: Candidate, proof: Proof, refusal: RotationError | None = None) -> OutcomeUnknown:
    """Return the error for a candidate of which nothing is known.

    Args:
        candidate: what may be the password.
        proof: what a sign-in said.
        refusal: how setting it was answered, if it was.
    """
    said = f" {refusal.message}" if refusal else ""
    message = (
        f"{candidate.account.identity}: nobody can know whether the pending password is live"
        f" ({proof.detail or proof.verdict.value}).{said}"
    )
    if proof.verdict is Verdict.UNVERIFIABLE:
        remedy = f"Try the pending value of {candidate.vault} by hand; then make it current or remove it accordingly."
        return OutcomeUnknown(message, remedy=remedy)
    if proof.fault is not None:
        return ProofImpossible(message, remedy=f"It is kept. {proof.fault.remedy} Then run the rotation again.")
    return OutcomeUnknown(
        message, remedy="It is kept. A lock-out ends within a quarter of an hour; then run the rotation again."
    )
