"""Rotate a password so that it cannot be lost (promise P26).

Hold → examine → rehearse a proof → generate → stage → set → prove → promote. Whatever fails, the live value is one that
the vault keeps, and running again goes on with the same candidate (as HashiCorp Vault's write-ahead log does).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    NotProven,
    OutcomeUnknown,
    RotationDenied,
    RotationError,
)
from connector.rotation.engine.backoff import Backoff, LimitedSignIns
from connector.rotation.engine.password_change import Candidate, PasswordChange, outcome_unknown, prove_leniently
from connector.rotation.model.generator import Recipe, generate
from connector.rotation.model.ports import Account, KeptPasswords, Proof, SignsOut, Target, Vault, Verdict
from connector.rotation.model.results import RotationOutcome, RotationResult, Verification
from connector.rotation.model.secret import Secret

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of one rotation.

    Args:
        verify: prove the new password by signing in before it is promoted; without it, a sign-in that decides nothing
            stops nothing.
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


class AccountRotation:
    """One account, with the vault that keeps its password.

    `rotate`, `recover` and `verify` run a whole rotation; `prepare`, `apply`, `confirm` and `promote` are its phases,
    for callers that run them one by one (the four steps of AWS Secrets Manager).

    Every method raises what the target and the vault raise, and
        NewSecretRejected: the target refuses the candidate; it is not live.
        CurrentRefused: nothing that the vault keeps can set another password.
        NotProven: the new password was set, and does not sign in.
        TargetUnfit, RotationDenied: no password could be proved or set, so none was.
        OutcomeUnknown, TargetUnavailable: nobody can know now; running again is safe.
    """

    def __init__(
        self,
        target: Target,
        vault: Vault,
        *,
        recipe: Recipe = Recipe(),
        backoff: Backoff = Backoff(),
        options: Options = Options(),
    ) -> None:
        self._target = target
        self._vault = vault
        self._recipe = recipe
        self._backoff = backoff
        self._options = options
        self._sign_ins = LimitedSignIns(target)

    @property
    def account(self) -> str:
        """Identity of the target."""
        return self._target.identity

    def rotate(self) -> RotationResult:
        """Give the account a new password; one that is pending already is brought to its end instead."""
        with self._vault.hold(), self._session_released():
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
                return RotationResult(self._target.identity, self._vault.name, RotationOutcome.NOTHING_PENDING)
            account = self._target.examine()
            try:
                return self._complete(self._resume(account, kept, kept.pending))
            except NewSecretRejected:
                if not self._options.discard_unfit:
                    raise
            return self._undo(kept)

    def verify(self) -> Verification:
        """Find out which of the kept values signs in; changes nothing."""
        self._target.examine()
        kept, proofs = self._vault.read(), dict[str, Proof]()
        for label, password in _labelled(kept):
            proofs[label] = self._sign_ins.prove(password)
            if proofs[label].accepted:
                break
        return Verification(self._target.identity, self._vault.name, proofs)

    def prepare(self) -> Candidate:
        """Return the candidate: what is pending, or a new one, staged."""
        with self._session_released():
            account, kept = self._target.examine(), self._vault.read()
            if kept.pending is not None:
                return self._resume(account, kept, kept.pending)
            return self._begin(account, kept)

    def rehearse(self, account: Account, kept: KeptPasswords) -> Account:
        """Find out, before anything is set, that a new password can be proved or, in the user's own way, set.

        At most one failed sign-in a value is counted: an accepted and a refused one both show that flow, app client and
        its secret fit.

        Returns:
            The account, with a note where there is something to know.

        Raises:
            TargetUnfit, RotationDenied, TargetUnavailable: it cannot be done; nothing has changed.
                CurrentRefused: the user's own way, and nothing that is kept signs in; nothing has changed.
        """
        if self._target.needs_current:
            self._enter_with_what_is_kept(kept)
            return account
        if not self._options.verify:
            return account
        proof = self._sign_ins.rehearse(kept.current)
        return replace(account, notes=(*account.notes, proof.detail)) if proof.detail else account

    def apply(self, candidate: Candidate) -> Proof | None:
        """Make the candidate the password, and return the proof if it took a sign-in to know."""
        if not candidate.fresh:
            proof = prove_leniently(self._sign_ins, candidate.password)
            if proof.accepted:
                return proof
            if proof.verdict is Verdict.UNDECIDED and self._options.verify:
                raise outcome_unknown(candidate, proof)
            if proof.verdict is Verdict.REFUSED and not self._options.overrule:
                self._check_unchanged(candidate)
        try:
            return PasswordChange(self._target, self._sign_ins, candidate).settle(self._backoff)
        except NewSecretRejected as error:
            if not candidate.fresh:
                raise self._unfit(error.message) from error
            self._vault.discard_pending()
            raise

    def confirm(self, candidate: Candidate) -> Proof:
        """Prove by signing in that the candidate is the password; a change may take a moment to be seen."""
        name = self._target.identity
        for _ in self._backoff.attempts():
            try:
                proof = self._sign_ins.prove(candidate.password)
            except RotationDenied as error:
                raise RotationDenied(
                    f"{name}: the new password is set. {error.message}", remedy=error.remedy
                ) from error
            if proof.accepted or proof.verdict is Verdict.UNVERIFIABLE:
                return proof
            if self._sign_ins.one_left or proof.fault:
                break
        if proof.verdict is Verdict.UNDECIDED:
            again = proof.fault.remedy if proof.fault else "Run the rotation again in a quarter of an hour."
            raise OutcomeUnknown(
                f"{name}: the new password is set, and no sign-in can prove it now ({proof.detail}).",
                remedy=f"It stays pending in {self._vault.name}. {again}",
            )
        raise self._not_proven(candidate.kept)

    def promote(self, account: str) -> None:
        """Make the candidate current in the vault; an error says that the password has changed."""
        try:
            self._vault.promote()
        except RotationError as error:
            message = f"{account}: the new password is set, and not current in {self._vault.name} yet. {error.message}"
            raise type(error)(message, remedy=error.remedy) from error

    @contextmanager
    def _session_released(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._target.release()

    def _enter_with_what_is_kept(self, kept: KeptPasswords) -> None:
        name, values = self._target.identity, [each for each in (kept.current, kept.previous) if each is not None]
        if values and all(self._sign_ins.rehearse(each).verdict is Verdict.REFUSED for each in values):
            raise CurrentRefused(
                f"{name}: nothing that {self._vault.name} keeps signs in. Nothing has changed.",
                remedy="Store the live password there, or rotate the administrator's way.",
            )

    def _begin(self, account: Account, kept: KeptPasswords) -> Candidate:
        """Return a new candidate, staged."""
        account = self.rehearse(account, kept)
        password = generate(account.policy, self._recipe, avoid=[value for _, value in _labelled(kept)])
        staged = self._vault.stage(password, policy=account.policy)
        _log.debug("%s: a candidate is pending in %s", account.identity, self._vault.name)
        fresh = staged == password
        return Candidate(account, self._vault.name, replace(kept, pending=staged), staged, fresh=fresh)

    def _resume(self, account: Account, kept: KeptPasswords, pending: Secret) -> Candidate:
        """Return what is pending as the candidate, unless it cannot become the password."""
        candidate = Candidate(account, self._vault.name, kept, pending, fresh=False)
        self._check_fit(candidate)
        return candidate

    def _complete(self, candidate: Candidate) -> RotationResult:
        proof = self.apply(candidate)
        if proof is None and self._options.verify:
            proof = self.confirm(candidate)
        self.promote(candidate.account.identity)
        notes = (*candidate.account.notes, *self._sign_out())
        outcome = RotationOutcome.ROTATED if candidate.fresh else RotationOutcome.FINISHED
        _log.info("%s: %s", candidate.account.identity, outcome.value)
        return RotationResult(candidate.account.identity, self._vault.name, outcome, proof, notes)

    def _check_unchanged(self, candidate: Candidate) -> None:
        """Raise unless the password is, as far as anybody knows, the one that the candidate was to replace."""
        current = candidate.kept.current
        if current is None:
            return
        proof = prove_leniently(self._sign_ins, current)
        if proof.verdict is Verdict.UNDECIDED:
            raise outcome_unknown(candidate, proof)
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
        proof = prove_leniently(self._sign_ins, candidate.password)
        if proof.accepted:
            return
        if proof.verdict is not Verdict.REFUSED:
            raise outcome_unknown(candidate, proof)
        raise self._unfit(f"{self._target.identity}: the pending password does not meet the policy: {faults[0]}.")

    def _unfit(self, what: str) -> NewSecretRejected:
        return NewSecretRejected(
            f"{what} A sign-in proves that it is not live.",
            remedy=f"Remove the pending value of {self._vault.name} and rotate again: with --discard-unfit `rotate`"
            " does both, `rotate recover` the former.",
        )

    def _undo(self, kept: KeptPasswords) -> RotationResult:
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
                f"{self._target.identity}: the pending password is not live, and nobody can know now whether the"
                f" current one is ({proof.detail or proof.verdict.value}). Nothing was changed.",
                remedy="A lock-out ends within a quarter of an hour; then recover again.",
            )
        self._vault.discard_pending()
        _log.info("%s: %s", self._target.identity, RotationOutcome.DISCARDED.value)
        return RotationResult(self._target.identity, self._vault.name, RotationOutcome.DISCARDED, proof)

    def _not_proven(self, kept: KeptPasswords) -> NotProven:
        lives = kept.current is not None and self._sign_ins.prove(kept.current).accepted
        which = "the current one still signs in" if lives else "the current one was not seen to sign in either"
        return NotProven(
            f"{self._target.identity}: the new password was set, and does not sign in; {which}.",
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


def _labelled(kept: KeptPasswords) -> Iterator[tuple[str, Secret]]:
    """Yield what is kept in the order in which it most likely lives."""
    labelled = (("pending", kept.pending), ("current", kept.current), ("previous", kept.previous))
    return ((label, password) for label, password in labelled if password is not None)
