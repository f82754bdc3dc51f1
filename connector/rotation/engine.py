"""Rotate a password so that it cannot be lost (promise P26).

Hold → examine → generate → stage → set → prove → promote. Whatever fails, the value that lives is one the vault keeps,
and running again rolls forward with the same candidate (as HashiCorp Vault's write-ahead log does).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from connector.errors import NewSecretRejected, NotProven, OutcomeUnknown, RotationError
from connector.rotation.generator import Recipe, generate
from connector.rotation.patience import Patience, SignIns
from connector.rotation.ports import Kept, Proof, SignsOut, Target, Vault, Verdict
from connector.rotation.results import Outcome, RotationResult, Verification
from connector.rotation.secret import Secret
from connector.rotation.setting import Candidate, Setting, cannot_tell

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of one rotation.

    Args:
        verify: prove the new password by signing in before it is promoted.
        sign_out: end the sessions begun with the old password, where the target can.
        discard_unfit: forget a pending value that the target refuses, once a sign-in proves that it is not live.
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
            return self._complete(self.prepare())

    def recover(self) -> RotationResult:
        """Bring to its end what an earlier rotation began, and begin nothing."""
        with self._vault.hold():
            if self._vault.read().pending is None:
                return RotationResult(self._target.identity, self._vault.name, Outcome.NOTHING_PENDING)
            return self._complete(self.prepare())

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
            candidate = Candidate(account, self._vault.name, kept, kept.pending, fresh=False)
            if not self._is_unfit(candidate):
                return candidate
            self._vault.discard_pending()
            kept = replace(kept, pending=None)
        password = generate(account.policy, self._recipe, avoid=[value for _, value in _labelled(kept)])
        staged = self._vault.stage(password, policy=account.policy)
        _log.debug("%s: a candidate is pending in %s", account.identity, self._vault.name)
        fresh = staged == password
        return Candidate(account, self._vault.name, replace(kept, pending=staged), staged, fresh=fresh)

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
            if not (candidate.fresh or self._options.discard_unfit):
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

    def _is_unfit(self, candidate: Candidate) -> bool:
        """Tell whether a pending value has to go: against today's policy, proven not live, and asked to be removed."""
        faults = candidate.account.policy.faults(candidate.password)
        if not faults or not candidate.account.policy.known:
            return False
        proof = self._sign_ins.prove(candidate.password)
        if proof.accepted:
            return False
        if proof.verdict is not Verdict.REFUSED:
            raise cannot_tell(candidate, proof)
        if not self._options.discard_unfit:
            raise self._unfit(f"{self._target.identity}: the pending password does not meet the policy: {faults[0]}.")
        return True

    def _unfit(self, what: str) -> NewSecretRejected:
        return NewSecretRejected(
            f"{what} A sign-in proves that it is not live.",
            remedy=f"Remove the pending value of {self._vault.name} and rotate again (--discard-unfit does both).",
        )

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
