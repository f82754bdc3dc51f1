"""Rotate every account of the allow-list, one after the other: recover what earlier runs left, then rotate (P37).

No account stops another. A run that is cancelled, or whose process is asked to end, ends between two accounts; one that
is killed leaves what the engine goes on with (P26), and each account that it had rotated is on record.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connector.errors import ConnectorError, RotationError, UnforeseenFault
from connector.rotation.engine.engine import AccountRotation
from connector.rotation.model.results import RotationOutcome, RotationResult
from connector.rotations.defer_signals import undisturbed
from connector.rotations.rotation_report import AccountEntry, RotationReport
from connector.store.runs.rotated_accounts import FAILED, RotatedAccounts
from connector.store.runs.run import Run, recorded_if_possible

_FINISHED_FIRST = "What an earlier rotation had begun was brought to its end first."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account to be rotated.

    Args:
        identity: its stable name.
        vault: where its password is kept.
        open: makes its rotation, which may ask AWS.
    """

    identity: str
    vault: str
    open: Callable[[], AccountRotation] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundAccounts:
    """What the allow-list stands for.

    Args:
        accounts: those to be rotated.
        faults: why others cannot be, by their identity.
        notes: what a person should know, a sentence each.
        complete: whether that is everything; not where a group could not be read.
    """

    accounts: Sequence[ListedAccount]
    faults: Mapping[str, ConnectorError] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete: bool = True


def rotate_all(run: Run, find: Callable[[], FoundAccounts]) -> None:
    """Rotate every account, and end the run with what became of each.

    Args:
        run: the run, taken up under its lease.
        find: finds the accounts; its faults end the run as failed.

    Raises:
        StoreError: the end could not be recorded.
    """
    story = _Story(run)
    with story.to_its_end():
        story.expect(find())
        story.recover()
        story.rotate()


class _Story:
    """One run, as far as it has come."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._records = RotatedAccounts(run.database)
        self._report = RotationReport(run.id)
        self._accounts: dict[str, ListedAccount] = {}
        self._finished: set[str] = set()

    @contextmanager
    def to_its_end(self) -> Iterator[None]:
        """Record how the block ended, whichever way it did."""
        cause = "It was interrupted."
        try:
            yield
            cause = ""
        except ConnectorError as fault:
            cause = str(fault)
            _log.warning("rotations ended early: %s", fault)
        except Exception as error:
            unforeseen = UnforeseenFault(error)
            cause = str(unforeseen)
            raise unforeseen from error
        finally:
            for account in self._accounts.values():
                if not self._report.has(account.identity):
                    self._report.add(AccountEntry.of_rest(account.identity, account.vault))
            self._run.end(self._report.outcome(cause), self._report.as_json(cause))

    def expect(self, found: FoundAccounts) -> None:
        """Take note of what is to be done, and of what cannot be."""
        self._accounts = {account.identity: account for account in found.accounts}
        self._report.add_notes(found.notes)
        places = {account.identity: account.vault for account in found.accounts}
        with recorded_if_possible("the rotation"):
            self._records.schedule({**places, **dict.fromkeys(found.faults, "")}, complete=found.complete)
        for identity, fault in found.faults.items():
            self._take_down(AccountEntry.of_fault(identity, places.get(identity, ""), fault))

    def recover(self) -> None:
        """Bring to its end what earlier runs began; where that fails, this run goes no further with the account."""
        for account in self._open_accounts():
            self._heed("recovering")
            with undisturbed():
                outcome = _attempt(account, AccountRotation.recover)
                if isinstance(outcome, ConnectorError):
                    self._take_down(AccountEntry.of_fault(account.identity, account.vault, outcome))
                elif outcome.outcome is RotationOutcome.FINISHED:
                    self._finished.add(account.identity)
                    self._take_down(AccountEntry.of_result(outcome))

    def rotate(self) -> None:
        """Give each account a new password."""
        for account in self._open_accounts():
            self._heed("rotating")
            with undisturbed():
                outcome = _attempt(account, AccountRotation.rotate)
                if isinstance(outcome, ConnectorError):
                    self._take_down(AccountEntry.of_fault(account.identity, account.vault, outcome))
                else:
                    first = (_FINISHED_FIRST,) if account.identity in self._finished else ()
                    self._take_down(AccountEntry.of_result(outcome, *first))

    def _open_accounts(self) -> list[ListedAccount]:
        """Return the accounts that nothing has stopped so far."""
        return [
            account
            for account in self._accounts.values()
            if account.identity in self._finished or not self._report.has(account.identity)
        ]

    def _heed(self, phase: str) -> None:
        """Say how far the run has come, and hear whether it is to go on.

        Raises:
            RunCancelled, LeaseLost: it is not.
        """
        done = {"accounts": len(self._accounts), "rotated": self._report.rotated, "failed": self._report.failed}
        self._run.tell({"phase": phase, **done})
        self._run.heed()

    def _take_down(self, entry: AccountEntry) -> None:
        self._report.add(entry)
        if entry.record.outcome == FAILED:
            _log.warning("%s was not rotated: %s", entry.record.account, entry.record.fault)
        with recorded_if_possible("the rotation"):
            self._records.note(entry.record, run=self._run.id)


def _attempt(
    account: ListedAccount, deed: Callable[[AccountRotation], RotationResult]
) -> RotationResult | ConnectorError:
    """Do something with one account, under the name that it is expected under; its error stops no other account."""
    try:
        return replace(deed(account.open()), account=account.identity)
    except ConnectorError as fault:
        return fault
    except Exception as fault:  # noqa: BLE001 - whatever it was, the other accounts are to be rotated
        return RotationError(
            f"{account.identity}: an unexpected fault ({type(fault).__name__}).",
            remedy="Run `cognito-scim rotate verify` to see which password is live, and report the fault.",
        )
