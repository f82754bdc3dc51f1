"""What a run of rotations did, account by account, as it goes into the history; never a secret (P27)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connector.directory.runs import RunOutcome
from connector.errors import ConnectorError
from connector.rotation.model.results import RotationOutcome, RotationResult
from connector.store.runs.rotated_accounts import FAILED, AccountRecord

"""Outcomes of a run besides `failed`: every account has a new password, some have, there was nothing to do."""

NOT_BEGUN = "not begun"
_NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """How one account fared.

    Args:
        record: what is kept of it beyond the run.
        notes: what a person should know, a sentence each.
    """

    record: AccountRecord
    notes: tuple[str, ...] = ()

    @classmethod
    def of_result(cls, result: RotationResult, *more: str) -> "AccountEntry":
        """Return the entry of a rotation that came to its end."""
        told = result.as_json()
        record = AccountRecord(told["account"], told["vault"], told["outcome"], told["proof"])
        return cls(record, (*told["notes"], *more))

    @classmethod
    def of_fault(cls, account: str, vault: str, fault: ConnectorError) -> "AccountEntry":
        """Return the entry of an account that was not rotated."""
        return cls(AccountRecord(account, vault, FAILED, _NOT_TRIED, fault.message, fault.remedy), (fault.message,))

    @classmethod
    def of_rest(cls, account: str, vault: str) -> "AccountEntry":
        """Return the entry of an account that a run did not come to."""
        return cls(AccountRecord(account, vault, NOT_BEGUN, _NOT_TRIED))

    def as_json(self) -> dict[str, Any]:
        """Return it as the result of a run shows it."""
        told = self.record
        shown = {"account": told.account, "vault": told.vault, "outcome": told.outcome, "proof": told.proof}
        return {**shown, "notes": list(self.notes)}


class RotationReport:
    """Gathers the entries of a run.

    Args:
        run: the number of the run.
    """

    def __init__(self, run: int) -> None:
        self._run = run
        self._started = time.monotonic()
        self._entries: dict[str, AccountEntry] = {}
        self._notes: tuple[str, ...] = ()

    def add(self, entry: AccountEntry) -> None:
        """Take an account down; the last entry of an account is the one that counts."""
        self._entries[entry.record.account] = entry

    def add_notes(self, notes: Iterable[str]) -> None:
        """Take down what a person should know of the whole run."""
        self._notes = (*self._notes, *notes)

    def has(self, account: str) -> bool:
        """Tell whether an account was taken down."""
        return account in self._entries

    def count(self, *outcomes: str) -> int:
        """Return how many accounts ended like this."""
        return sum(entry.record.outcome in outcomes for entry in self._entries.values())

    @property
    def rotated(self) -> int:
        """How many accounts have a new password."""
        return self.count(RotationOutcome.ROTATED.value, RotationOutcome.FINISHED.value)

    @property
    def failed(self) -> int:
        """How many accounts were tried in vain."""
        return self.count(FAILED)

    def outcome(self, cause: str = "") -> RunOutcome:
        """Return how the run as a whole ended.

        Args:
            cause: why it did not come to its end; such a run has failed, whatever it did before.
        """
        if cause:
            return RunOutcome.FAILED
        if not self.failed:
            return RunOutcome.ROTATED if self.rotated else RunOutcome.UNCHANGED
        return RunOutcome.PARTLY if self.rotated else RunOutcome.FAILED

    def as_json(self, cause: str = "") -> dict[str, Any]:
        """Return the result of the run; `cause` as in `outcome`."""
        faults = [entry.record for entry in self._entries.values() if entry.record.outcome == FAILED]
        if not cause and len(faults) == len(self._entries) == 1:
            why = {"cause": faults[0].fault}
        else:
            why = {"cause": cause} if cause else {}
        return {
            "run": self._run,
            "outcome": self.outcome(cause),
            **why,
            "rotated": self.rotated,
            "failed": self.failed,
            "not_begun": self.count(NOT_BEGUN),
            "accounts": [entry.as_json() for entry in self._entries.values()],
            "needs_operator": [{"account": one.account, "fault": one.fault, "do": one.remedy} for one in faults],
            "notes": list(self._notes),
            "seconds": round(time.monotonic() - self._started, 3),
        }
