"""Go back to the password before, where the vault could not keep the new one (Keeper's rollback_password).

A target with a password history refuses the one before, even to an administrator; then this says which one is live.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from connector.errors import NoWayBack, RotationDenied, RotationError
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import AccountRotation, Options
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import Account, KeptPasswords, Proof, Target, Verdict
from connector.rotation.model.results import RotationResult
from connector.rotation.model.secret import Secret

_REMEDY = "Keep the live password, or set a new one as administrator."


def can_roll_back(account: Account, prior: Secret | None) -> bool:
    """Return whether the password before could be set again."""
    return prior is not None and account.policy.known and account.policy.history == 0


def roll_back(
    target: Target, *, prior: Secret | None, new: Secret, vault: str, backoff: Backoff = Backoff()
) -> RotationResult:
    """Make the password before the password again, unless it still is; also where no sign-in can prove anything.

    Args:
        target: the account.
        prior: the password before; None if nobody knows it.
        new: the password that the vault could not keep.
        vault: name of the vault, for messages.
        backoff: how long is tried.

    Returns:
        The result, its proof that of the password before; one that nobody could try is UNDECIDED or UNVERIFIABLE.

    Raises:
        NoWayBack: it cannot be set; the message says which password is live.
    """
    try:
        account = target.examine()
        if prior is not None and (can_roll_back(account, prior) or _prove(target, prior).accepted):
            reversed_vault = _Reversed(vault, KeptPasswords(current=new, pending=prior))
            rotation = AccountRotation(target, reversed_vault, backoff=backoff, options=Options(verify=False))
            result = rotation.rotate()
            proof = result.proof or _look(target, prior, backoff)
            if proof.verdict is not Verdict.REFUSED:
                return replace(result, proof=proof)
    except RotationError as error:
        raise NoWayBack(f"{_live(target, new, prior)} {error.message}", remedy=_REMEDY) from error
    raise NoWayBack(_live(target, new, prior), remedy=_REMEDY)


def _look(target: Target, password: Secret, backoff: Backoff) -> Proof:
    """Try a password that was just set; a change may take a moment to be seen."""
    for _, proof in zip(backoff.attempts(), (_prove(target, password) for _ in range(2)), strict=False):
        if proof.verdict is not Verdict.REFUSED:
            break
    return proof


def _live(target: Target, new: Secret, prior: Secret | None) -> str:
    name = f"{_identity(target)}: the password before could not be restored;"
    if _prove(target, new).accepted:
        return f"{name} the new one is live."
    proof = _prove(target, prior) if prior is not None else None
    if proof is not None and proof.accepted:
        return f"{name} the one before is live."
    reason = "the one before is not known" if proof is None else proof.detail or proof.verdict.value
    return f"{name} no sign-in shows which one is live ({reason})."


def _identity(target: Target) -> str:
    try:
        return target.identity
    except RotationError:
        return "the account"


def _prove(target: Target, password: Secret) -> Proof:
    """Try a password; where the caller may not sign users in, that proves nothing and stops nothing."""
    try:
        return target.prove(password)
    except RotationDenied as error:
        return Proof(Verdict.UNVERIFIABLE, error.message)


class _Reversed:
    """The two passwords as a vault in which the one before is the candidate; there is nothing to write."""

    def __init__(self, name: str, kept: KeptPasswords) -> None:
        self.name = name
        self._kept = kept

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    def read(self) -> KeptPasswords:
        return self._kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        raise NoWayBack(f"The password before is {candidate!r} under policy {policy.digest()}.")

    def promote(self) -> None:
        """Nothing: the caller keeps the password before."""

    def discard_pending(self) -> None:
        """Nothing: likewise."""
