"""Set a candidate, and know afterwards whether it is the password.

No error of the call that sets it is believed by itself, since a reply may be lost after the change: a sign-in decides.
"""

from dataclasses import dataclass, replace

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    OutcomeUnknown,
    RotationError,
    TargetUnavailable,
    VaultUnfit,
)
from connector.rotation.engine.backoff import Patience, SignIns
from connector.rotation.model.ports import Account, Kept, Proof, Target, Verdict
from connector.rotation.model.secret import Secret

_SET_JUST_NOW = "The account refuses it as used before: an earlier attempt has set it."
_SET_ONCE = (
    "The account refuses it as used before: an earlier run has set it. Whether it still is the password cannot be told:"
    " if anybody has set another one since, this one is dead. Rotate again to be sure."
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
    kept: Kept
    password: Secret
    fresh: bool


class Setting:
    """One candidate on its way to becoming the password."""

    def __init__(self, target: Target, sign_ins: SignIns, candidate: Candidate) -> None:
        self._target = target
        self._sign_ins = sign_ins
        self._candidate = candidate
        self._unanswered = False

    def settle(self, patience: Patience) -> Proof | None:
        """Send the candidate until an answer or a sign-in settles the matter.

        Returns:
            The proof that it is the password if that took a sign-in; None if the target said so.

        Raises:
            NewSecretRejected: the target refuses it, and it is not the password.
            CurrentRefused: what the vault keeps cannot set another password; nothing has changed.
            TargetUnavailable, RotationDenied, TargetUnfit: every attempt was refused; nothing has changed.
            OutcomeUnknown: no telling yet; setting the same candidate again is safe.
        """
        try:
            return self._settle(patience)
        except OutcomeUnknown:
            raise
        except RotationError as error:
            if not self._unanswered:
                raise
            raise self._still_unknown(error) from error

    def _settle(self, patience: Patience) -> Proof | None:
        fault: RotationError
        for _ in patience.attempts():
            try:
                self._send()
            except OutcomeUnknown as error:
                fault, self._unanswered = error, True
            except TargetUnavailable as error:
                fault = error
            except (NewSecretRejected, CurrentRefused) as error:
                return self._settle_refusal(error)
            else:
                return None
            if self._unanswered and (proof := self._prove()).accepted:
                return proof
        raise fault

    def _still_unknown(self, last: RotationError) -> OutcomeUnknown:
        """Return the error for a refusal that came after an attempt without answer: it says nothing of that one."""
        candidate = self._candidate
        return OutcomeUnknown(
            f"{candidate.account.identity}: no telling whether the pending password is live: an attempt to set it had"
            f" no answer, and the last one failed. {last.message}",
            remedy="Once that is mended, run the rotation again.",
        )

    def _prove(self) -> Proof:
        return self._sign_ins.prove(self._candidate.password)

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
                self._sign_ins.count_refusal()
                refusal = error
            else:
                return
        raise refusal

    def _settle_refusal(self, error: NewSecretRejected | CurrentRefused) -> Proof:
        """Tell a refused candidate from one that an attempt without answer has set."""
        if isinstance(error, CurrentRefused) and not self._unanswered:
            raise error  # the candidate was not sent, and does not sign in: that was tried before, where it could
        proof = self._prove()
        if proof.accepted:
            return proof
        if proof.verdict is Verdict.UNVERIFIABLE and (self._unanswered or not self._candidate.fresh):
            return self._settle_unverifiable(error, proof)
        if proof.verdict is Verdict.UNDECIDED or self._unanswered:
            raise cannot_tell(self._candidate, proof)
        raise error

    def _settle_unverifiable(self, error: RotationError, proof: Proof) -> Proof:
        """A random password that meets the policy is refused for one reason only: the account has had it."""
        policy = self._candidate.account.policy
        if policy.known and policy.history and not policy.faults(self._candidate.password):
            return replace(proof, detail=_SET_JUST_NOW if self._candidate.fresh else _SET_ONCE)
        raise cannot_tell(self._candidate, proof) from error


def cannot_tell(candidate: Candidate, proof: Proof) -> OutcomeUnknown:
    """Return the error for a candidate of which nothing is known."""
    if proof.verdict is Verdict.UNVERIFIABLE:
        remedy = f"Try the pending value of {candidate.vault} by hand; then make it current or remove it accordingly."
    else:
        remedy = "It is kept. A lock-out ends within a quarter of an hour; then run the rotation again."
    return OutcomeUnknown(
        f"{candidate.account.identity}: no telling whether the pending password is live"
        f" ({proof.detail or proof.verdict.value}).",
        remedy=remedy,
    )
