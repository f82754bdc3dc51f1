"""A password that is handed to the caller (standard output), which cannot keep a candidate: the journal does.

The entry is removed only after the password was handed over; a crash before hands it over again.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from connector.rotation.journal import Entry, Journal
from connector.rotation.policy import PasswordPolicy
from connector.rotation.ports import Kept
from connector.rotation.secret import Secret


class HandedOver:
    """The journal's entry of one account as a vault.

    Args:
        journal: keeps the candidate.
        account: identity of the target.
        hand_over: gives the password to who asked; what it raises leaves the entry in place.
        mode: the way the password is set (admin or self), for who finishes it.
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

    def read(self) -> Kept:
        """Return what the journal has of the account."""
        entry = self._journal.find(self._account)
        if entry is None:
            return Kept(current=self._current)
        previous = entry.old if self._current else None
        return Kept(current=self._current or entry.old, pending=entry.new, previous=previous)

    def stage(self, candidate: Secret, *, policy: PasswordPolicy) -> Secret:
        """Write the candidate into the journal; one that is there already stays."""
        entry = self._journal.find(self._account)
        if entry is None:
            entry = Entry(self._account, candidate, self._current, policy.digest(), self._mode)
            self._journal.write(entry)
        return entry.new

    def promote(self) -> None:
        """Hand the password over, then forget it."""
        entry = self._journal.find(self._account)
        if entry is not None:
            self._hand_over(entry.new)
            self._journal.remove(self._account)

    def discard_pending(self) -> None:
        """Forget the candidate."""
        self._journal.remove(self._account)
