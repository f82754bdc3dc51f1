"""Go back to the password before, where the vault could not keep the new one (Keeper's rollback_password).

A target with a password history refuses the one before, even to an administrator; what is left then is to say so.
"""

from contextlib import AbstractContextManager, nullcontext

from connector.errors import NoWayBack, RotationDenied, RotationError
from connector.rotation.engine.backoff import Patience
from connector.rotation.engine.engine import Rotation
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import Account, Kept, Proof, Target, Verdict
from connector.rotation.model.results import RotationResult
from connector.rotation.model.secret import Secret


def can_roll_back(account: Account, prior: Secret | None) -> bool:
    """Tell whether the password before could be set again."""
    return prior is not None and account.policy.known and account.policy.history == 0


def roll_back(target: Target, *, prior: Secret | None, new: Secret, patience: Patience = Patience()) -> RotationResult:
    """Make the password before the password again, unless it still is.

    Args:
        target: the account.
        prior: the password before; None if nobody knows it.
        new: the password that the vault could not keep.
        patience: how long is tried.

    Raises:
        NoWayBack: it cannot be set; the message says which password is live.
    """
    target = _EvenUnproved(target)
    try:
        account = target.examine()
        if prior is not None and (can_roll_back(account, prior) or target.prove(prior).accepted):
            return Rotation(target, _Reversed(prior=prior, new=new), patience=patience).rotate()
    except RotationError as error:
        raise NoWayBack(f"{_live(target, new, prior)} {error.message}", remedy=_REMEDY) from error
    raise NoWayBack(_live(target, new, prior), remedy=_REMEDY)


_REMEDY = "Keep the live password, or set a new one as administrator."


def _live(target: Target, new: Secret, prior: Secret | None) -> str:
    name = f"{target.identity}: the password before could not be restored;"
    if target.prove(new).accepted:
        return f"{name} the new one is live."
    proof = target.prove(prior) if prior is not None else None
    if proof is not None and proof.accepted:
        return f"{name} the one before is live."
    return f"{name} no sign-in tells which one is live ({_describe(proof)})."


def _describe(proof: Proof | None) -> str:
    return "the one before is not known" if proof is None else proof.detail or proof.verdict.value


class _EvenUnproved:
    """A target at which a sign-in that AWS denies proves nothing, and stops nothing: going back matters more."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.needs_current = target.needs_current

    @property
    def identity(self) -> str:
        try:
            return self._target.identity
        except RotationError:
            return "the account"

    def examine(self) -> Account:
        return self._target.examine()

    def set_password(self, candidate: Secret, *, current: Secret | None) -> None:
        self._target.set_password(candidate, current=current)

    def prove(self, password: Secret) -> Proof:
        try:
            return self._target.prove(password)
        except RotationDenied as error:
            return Proof(Verdict.UNVERIFIABLE, error.message)


class _Reversed:
    """The two passwords as a vault in which the one before is the candidate; there is nothing to write."""

    name = "the caller's hands"

    def __init__(self, *, prior: Secret, new: Secret) -> None:
        self._kept = Kept(current=new, pending=prior)

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    def read(self) -> Kept:
        return self._kept

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        raise NoWayBack(f"The password before is {candidate!r} under policy {policy.digest()}.")

    def promote(self) -> None:
        """Nothing: the caller keeps the password before."""

    def discard_pending(self) -> None:
        """Nothing: likewise."""
