"""Rotate a password so that it cannot be lost (promise P26).

Hold → examine → generate → stage → set → prove → promote. Whatever fails, the value that lives is one the vault keeps,
and running again rolls forward with the same candidate (as HashiCorp Vault's write-ahead log does).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from connector.errors import NewSecretRejected, NotProven, OutcomeUnknown, RotationError
from connector.rotation.engine.backoff import Patience, SignIns
from connector.rotation.engine.password_change import Candidate, Setting, cannot_tell
from connector.rotation.model.generator import Recipe, generate
from connector.rotation.model.ports import Account, Kept, Proof, SignsOut, Target, Vault, Verdict
from connector.rotation.model.results import Outcome, RotationResult, Verification
from connector.rotation.model.secret import Secret

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of one rotation.

    Args:
        verify: prove the new password by signing in before it is promoted.
        sign_out: end the sessions begun with the old password, where the target can.
        discard_unfit: forget a pending value that the target refuses, once a sign-in proves that it is not live;
            `rotate` then makes another, `recover` does not.
        overrule: set a pending value although neither it nor the current one signs in, which shows that somebody else
            has changed the password since.
    """

    verify: bool = True
    sign_out: bool = False
    discard_unfit: bool = False
    overrule: bool = True


class Rotation:
    """One account, with the vault that keeps its password.

    `rotate`, `recover` and `verify` are whole stories; `prepare`, `apply` and `confirm` are their phases, for who runs
    them one by one (the four steps of AWS Secrets Manager).

    Every method raises what the target and the vault raise, and
        NewSecretRejected: the target refuses the candidate; it is not live.
        CurrentRefused: nothing that the vault keeps can set another password.
        NotProven: the new password was set, and does not sign in.
        OutcomeUnknown, TargetUnavailable: no telling now; running again is safe.
    """

    def __init__(
        self,
        target: Target,
        vault: Vault,
        *,
        recipe: Recipe = Recipe(),
        patience: Patience = Patience(),
        options: Options = Options(),
    ) -> None:
        self._target = target
        self._vault = vault
        self._recipe = recipe
        self._patience = patience
        self._options = options
        self._sign_ins = SignIns(target)

    @property
    def account(self) -> str:
        """Identity of the target."""
        return self._target.identity

    def rotate(self) -> RotationResult:
        """Give the account a new password; one that is pending already is brought to its end instead."""
        with self._vault.hold():
            account, kept = self._target.examine(), self._vault.read()
            if kept.pending is not None:
                try:
                    return self._complete(self._resume(account, kept, kept.pending))
                except NewSecretRejected:
                    if not self._options.discard_unfit:
                        raise
                self._vault.discard_pending()
            return self._complete(self._begin(account, replace(kept, pending=None)))

    def recover(self) -> RotationResult:
        """Bring to its end what an earlier rotation began, or undo it where it cannot end; begin nothing."""
        with self._vault.hold():
            kept = self._vault.read()
            if kept.pending is None:
                return RotationResult(self._target.identity, self._vault.name, Outcome.NOTHING_PENDING)
            account = self._target.examine()
            try:
                return self._complete(self._resume(account, kept, kept.pending))
            except NewSecretRejected:
                if not self._options.discard_unfit:
                    raise
            return self._undo(kept)

    def verify(self) -> Verification:
        """Tell which of the kept values signs in; changes nothing."""
        self._target.examine()
        kept, proofs = self._vault.read(), dict[str, Proof]()
        for label, password in _labelled(kept):
            proofs[label] = self._sign_ins.prove(password)
            if proofs[label].accepted:
                break
        return Verification(self._target.identity, self._vault.name, proofs)

    def prepare(self) -> Candidate:
        """Return the candidate: what is pending, or a new one, staged."""
        account, kept = self._target.examine(), self._vault.read()
        if kept.pending is not None:
            return self._resume(account, kept, kept.pending)
        return self._begin(account, kept)

    def apply(self, candidate: Candidate) -> Proof | None:
        """Make the candidate the password, and return the proof if it took a sign-in to know."""
        if not candidate.fresh:
            proof = self._sign_ins.prove(candidate.password)
            if proof.accepted:
                return proof
            if proof.verdict is Verdict.UNDECIDED:
                raise cannot_tell(candidate, proof)
            if proof.verdict is Verdict.REFUSED and not self._options.overrule:
                self._check_unchanged(candidate)
        try:
            return Setting(self._target, self._sign_ins, candidate).settle(self._patience)
        except NewSecretRejected as error:
            if not candidate.fresh:
                raise self._unfit(error.message) from error
            self._vault.discard_pending()
            raise

    def confirm(self, candidate: Candidate) -> Proof:
        """Prove by signing in that the candidate is the password; a change may take a moment to be seen."""
        for _ in self._patience.attempts():
            proof = self._sign_ins.prove(candidate.password)
            if proof.accepted or proof.verdict is Verdict.UNVERIFIABLE:
                return proof
            if self._sign_ins.one_left:
                break
        if proof.verdict is Verdict.UNDECIDED:
            raise OutcomeUnknown(
                f"{self._target.identity}: the new password was set, and no sign-in can prove it now ({proof.detail}).",
                remedy=f"It stays pending in {self._vault.name}. Run the rotation again in a quarter of an hour.",
            )
        raise self._not_proven(candidate.kept)

    def _begin(self, account: Account, kept: Kept) -> Candidate:
        """Return a new candidate, staged."""
        password = generate(account.policy, self._recipe, avoid=[value for _, value in _labelled(kept)])
        staged = self._vault.stage(password, policy=account.policy)
        _log.debug("%s: a candidate is pending in %s", account.identity, self._vault.name)
        fresh = staged == password
        return Candidate(account, self._vault.name, replace(kept, pending=staged), staged, fresh=fresh)

    def _resume(self, account: Account, kept: Kept, pending: Secret) -> Candidate:
        """Return what is pending as the candidate, unless it cannot become the password."""
        candidate = Candidate(account, self._vault.name, kept, pending, fresh=False)
        self._check_fit(candidate)
        return candidate

    def _complete(self, candidate: Candidate) -> RotationResult:
        proof = self.apply(candidate)
        if proof is None and self._options.verify:
            proof = self.confirm(candidate)
        self._vault.promote()
        notes = (*candidate.account.notes, *self._sign_out())
        outcome = Outcome.ROTATED if candidate.fresh else Outcome.FINISHED
        _log.info("%s: %s", candidate.account.identity, outcome.value)
        return RotationResult(candidate.account.identity, self._vault.name, outcome, proof, notes)

    def _check_unchanged(self, candidate: Candidate) -> None:
        """Raise unless the password is, as far as anybody knows, the one that the candidate was to replace."""
        current = candidate.kept.current
        if current is None:
            return
        proof = self._sign_ins.prove(current)
        if proof.verdict is Verdict.UNDECIDED:
            raise cannot_tell(candidate, proof)
        if not proof.accepted:
            raise NotProven(
                f"{self._target.identity}: neither the pending password nor the one before signs in: somebody else has"
                " changed it. Nothing was set.",
                remedy=f"It stays pending in {self._vault.name}. Recover this account by its name to set it all the"
                " same.",
            )

    def _check_fit(self, candidate: Candidate) -> None:
        """Raise where a pending value is against today's policy, and proven not to be live."""
        faults = candidate.account.policy.faults(candidate.password)
        if not faults or not candidate.account.policy.known:
            return
        proof = self._sign_ins.prove(candidate.password)
        if proof.accepted:
            return
        if proof.verdict is not Verdict.REFUSED:
            raise cannot_tell(candidate, proof)
        raise self._unfit(f"{self._target.identity}: the pending password does not meet the policy: {faults[0]}.")

    def _unfit(self, what: str) -> NewSecretRejected:
        return NewSecretRejected(
            f"{what} A sign-in proves that it is not live.",
            remedy=f"Remove the pending value of {self._vault.name} and rotate again: with --discard-unfit `rotate`"
            " does both, `rotate recover` the former.",
        )

    def _undo(self, kept: Kept) -> RotationResult:
        """Forget a pending value that is proven not to be live, so that all is as before it was staged.

        A current value that does not sign in keeps both where they are: there would be no known password left.
        """
        proof = self._sign_ins.prove(kept.current) if kept.current is not None else None
        if proof is not None and proof.verdict is Verdict.REFUSED:
            raise NotProven(
                f"{self._target.identity}: the pending password is refused, and neither it nor the current one signs"
                " in: somebody else has changed it. Nothing was changed.",
                remedy="To set a new one all the same: `cognito-scim rotate` with --discard-unfit.",
            )
        if proof is not None and not proof.accepted:
            raise OutcomeUnknown(
                f"{self._target.identity}: the pending password is not live, and no telling now whether the current"
                f" one is ({proof.detail or proof.verdict.value}). Nothing was changed.",
                remedy="A lock-out ends within a quarter of an hour; then recover again.",
            )
        self._vault.discard_pending()
        _log.info("%s: %s", self._target.identity, Outcome.DISCARDED.value)
        return RotationResult(self._target.identity, self._vault.name, Outcome.DISCARDED, proof)

    def _not_proven(self, kept: Kept) -> NotProven:
        lives = kept.current is not None and self._sign_ins.prove(kept.current).accepted
        which = "the current one still signs in" if lives else "the current one was not seen to sign in either"
        return NotProven(
            f"{self._target.identity}: the new password was set and does not sign in; {which}.",
            remedy=f"It stays pending in {self._vault.name}. If somebody else reset the password, run the rotation"
            " again: it sets the same candidate once more.",
        )

    def _sign_out(self) -> Iterator[str]:
        if not self._options.sign_out:
            return
        if not isinstance(self._target, SignsOut):
            yield "Sessions were not ended: the target cannot."
            return
        try:
            self._target.sign_out()
        except RotationError as error:
            yield f"Sessions were not ended: {error.message}"


def _labelled(kept: Kept) -> Iterator[tuple[str, Secret]]:
    """Yield what is kept in the order in which it most likely lives."""
    labelled = (("pending", kept.pending), ("current", kept.current), ("previous", kept.previous))
    return ((label, password) for label, password in labelled if password is not None)
