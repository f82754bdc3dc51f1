"""A password that is handed to the caller (standard output), which cannot keep a candidate: the journal does.

A crash before the end hands the password over again. That a pipe took it does not mean that anybody has read it, so a
sealed copy stays until the account's next rotation, or until it is forgotten on request.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from connector.errors import VaultUnfit
from connector.journal.journal import Entry, Journal, Stage
from connector.rotation.model.policy import PasswordPolicy
from connector.rotation.model.ports import KeptPasswords
from connector.rotation.model.secret import Secret
from connector.rotation.vaults.secret_document import Mode


class JournalVault:
    """The journal's entry of one account as a vault.

    Args:
        journal: keeps the candidate.
        account: identity of the target.
        hand_over: gives the password to the person who asked; what it raises leaves the entry in place.
        mode: the way the password is set (admin or self), for the command that finishes it.
        current: the password until now, where it is needed.
    """

    name = "standard output"

    def __init__(
        self,
        journal: Journal,
        account: str,
        *,
        hand_over: Callable[[Secret], None],
        mode: str = "admin",
        current: Secret | None = None,
    ) -> None:
        self._journal = journal
        self._account = account
        self._hand_over = hand_over
        self._mode = mode
        self._current = current

    def hold(self) -> AbstractContextManager[None]:
        """Keep other processes of this machine out."""
        return self._journal.hold(self._account)

    def read(self) -> KeptPasswords:
        """Return what the journal has of the account."""
        entry = self._journal.find(self._account)
        known = (self._current, entry.old if entry else None, self._given())
        current, previous = (*filter(None, known), None, None)[:2]
        return KeptPasswords(current=current, pending=entry.new if entry else None, previous=previous)

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Write the candidate into the journal; one that is there already stays."""
        entry = self._journal.find(self._account)
        if entry is None:
            if self._mode == Mode.SELF and self.read().current is None:
                raise VaultUnfit(
                    f"Nothing keeps the current password of {self._account}, with which it would set another.",
                    remedy="Name a file that does: --current-password-file; or rotate the administrator's way.",
                )
            entry = Entry(self._account, candidate, self._current, policy.digest(), self._mode)
            self._journal.write(entry)
        return entry.new

    def promote(self) -> None:
        """Hand the password over, and keep a copy that is pending no more."""
        entry = self._journal.find(self._account)
        if entry is not None:
            self._hand_over(entry.new)
            self._journal.write(replace(entry, old=None), Stage.GIVEN)
            self._journal.remove(self._account)

    def discard_pending(self) -> None:
        """Forget the candidate."""
        self._journal.remove(self._account)

    def _given(self) -> Secret | None:
        """Return what was handed over last; it is a help, and nothing hangs on it."""
        try:
            given = self._journal.find(self._account, Stage.GIVEN)
        except VaultUnfit:
            return None
        return given.new if given else None
