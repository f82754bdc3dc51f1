"""Wire the runs of rotations: the one of the schedule over the whole allow-list, and those in which commands are kept.

A rotation by hand never waits for the history: a store that does not answer is a warning.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connector.bootstrap.from_settings import schedules_of
from connector.bootstrap.rotation_factory import (
    IN_SECRETS_MANAGER,
    AccountKind,
    HandOver,
    RotationFactory,
    RotationRequest,
    journal_of,
    left_to_the_journal,
)
from connector.bootstrap.rotations import SecretRequest, recover_account, recover_journal, rotate_account, rotate_secret
from connector.bootstrap.runs import command_run, store_of
from connector.config import Settings
from connector.directory.runs import RunKind
from connector.directory.times import rfc3339
from connector.errors import ConfigError, ConnectorError, NothingKept, VaultUnfit
from connector.rotation.engine.engine import Options
from connector.rotation.model.results import RotationOutcome, RotationResult
from connector.rotation.model.secret import Secret
from connector.rotation.targets.cognito_user import identify
from connector.rotation.targets.members import find_members
from connector.rotations.rotate_all import FoundAccounts, ListedAccount, rotate_all
from connector.rotations.rotation_report import AccountEntry, RotationReport
from connector.store.runs.rotated_accounts import FAILED, WAITING, AccountState, RotatedAccounts
from connector.store.runs.run import Run, recorded_if_possible

_log = logging.getLogger(__name__)


def run_rotations(settings: Settings | ConfigError, run: Run) -> None:
    """Rotate every account of the allow-list, in a run that was taken up.

    Args:
        settings: the configuration, or why it did not load, with which the run ends.
        run: the run, which this ends.

    Raises:
        StoreError: the end could not be recorded.
    """
    rotate_all(run, partial(_find_accounts, settings))


def _find_accounts(settings: Settings | ConfigError) -> FoundAccounts:
    """Return the accounts of the allow-list, those left out that the journal has to finish first.

    Raises:
        ConfigError: the configuration does not say whom to rotate, or where the passwords are kept.
    """
    if isinstance(settings, ConfigError):
        raise settings
    rotation, pool = settings.rotation, settings.cognito.user_pool_id
    if not (rotation.allow and rotation.vault.startswith(IN_SECRETS_MANAGER)):
        raise ConfigError(
            "The configuration names no accounts to rotate, or no vault that keeps their passwords.",
            remedy="Set rotation.allow, and rotation.vault to secretsmanager:NAME.",
        )
    factory = RotationFactory(settings)
    members = find_members(factory.cognito, pool, rotation.allow)
    unfinished = _unfinished(settings)
    accounts = []
    for name in members.names:
        place = rotation.vault.removeprefix(IN_SECRETS_MANAGER).replace("{username}", name)
        request = RotationRequest(AccountKind.COGNITO_USER, name)
        accounts.append(
            ListedAccount(
                identify(pool, name), f"secret {place}", partial(factory.rotation, request, _refuse_to_hand_over)
            )
        )
    faults = {f"group {pool}/{name}": fault for name, fault in members.faults.items()}
    faults |= {
        account.identity: left_to_the_journal(account.identity)
        for account in accounts
        if account.identity in unfinished
    }
    return FoundAccounts(accounts, faults, members.notes, complete=not members.faults)


def _unfinished(settings: Settings) -> frozenset[str]:
    """Return the accounts whose live password may be one that only the journal of this machine keeps."""
    if not settings.rotation.journal_key.get_secret_value():
        return frozenset()
    return frozenset(entry.account for entry in journal_of(settings).survey().entries)


def _refuse_to_hand_over(account: str, password: Secret) -> None:
    raise VaultUnfit(f"Nobody takes the password {password!r} of {account}.", remedy="Set rotation.vault.")


def rotate_on_record(settings: Settings, request: RotationRequest, hand_over: HandOver) -> RotationResult:
    """Rotate an account by hand; arguments and errors are those of `rotate_account`.

    Raises:
        AlreadyRunning: another run rotates.
    """
    return _on_record(settings, _name(settings, request), partial(rotate_account, settings, request, hand_over))


def rotate_secret_on_record(settings: Settings, request: SecretRequest, hand_over: HandOver) -> RotationResult:
    """Rotate a secret by hand; the rest is as in `rotate_on_record`."""
    return _on_record(settings, f"secret {request.secret_id}", partial(rotate_secret, settings, request, hand_over))


def recover_on_record(settings: Settings, request: RotationRequest, hand_over: HandOver) -> RotationResult:
    """Recover an account by hand; the rest is as in `rotate_on_record`."""
    return _on_record(settings, _name(settings, request), partial(recover_account, settings, request, hand_over))


def recover_journal_on_record(
    settings: Settings, options: Options, hand_over: HandOver
) -> Iterator[RotationResult | ConnectorError]:
    """Recover everything in the journal by hand; see `recover_journal`."""
    with command_run(settings, RunKind.ROTATE) as run:
        record = _Record(run)
        with record.to_its_end():
            for outcome in recover_journal(settings, options, hand_over):
                record.take_down(outcome, "the journal")
                yield outcome


def _name(settings: Settings, request: RotationRequest) -> str:
    """Return what the history calls an account that may not be there."""
    if request.kind is AccountKind.COGNITO_USER:
        return identify(settings.cognito.user_pool_id, request.name)
    return f"{request.kind.value} {request.name}"


def _on_record(settings: Settings, account: str, deed: Callable[[], RotationResult]) -> RotationResult:
    with command_run(settings, RunKind.ROTATE) as run:
        record = _Record(run)
        with record.to_its_end():
            outcome: RotationResult | ConnectorError
            try:
                outcome = deed()
            except ConnectorError as fault:
                outcome = fault
            record.take_down(outcome, account)
    if isinstance(outcome, ConnectorError):
        raise outcome
    return outcome


class _Record:
    """What a command did, for the history.

    Args:
        run: the run; None where there is no store to keep it in.
    """

    def __init__(self, run: Run | None) -> None:
        self._run = run
        self._report = RotationReport(run.id if run else 0)

    @contextmanager
    def to_its_end(self) -> Iterator[None]:
        """End the run with what was taken down; an interruption leaves the end to the run itself."""
        yield
        if self._run:
            with recorded_if_possible(f"rotation {self._run.id}"):
                self._run.end(self._report.outcome(), self._report.as_json())

    def take_down(self, outcome: RotationResult | ConnectorError, account: str) -> None:
        """Take down how a rotation ended; `account` is what the history calls it where nothing better is known."""
        if isinstance(outcome, ConnectorError):
            entry = AccountEntry.of_fault(account, "", outcome)
        else:
            entry = AccountEntry.of_result(outcome)
        self._report.add(entry)
        nothing_done = isinstance(outcome, NothingKept) or entry.record.outcome == RotationOutcome.NOTHING_PENDING.value
        if self._run is None or nothing_done:
            return
        record = entry.record
        if (
            record.outcome == RotationOutcome.DISCARDED.value
        ):  # no new password, and nothing that needs an operator any more
            record = replace(record, outcome=WAITING, fault="", remedy="")
        with recorded_if_possible(f"rotation {self._run.id}"):
            known_only = record.outcome in {FAILED, WAITING}
            RotatedAccounts(self._run.database).note(record, run=self._run.id, known_only=known_only)


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """An account under rotation, with the time of its next one (RFC 3339; None where no schedule rotates it)."""

    state: AccountState
    next_at: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it as scripts read it."""
        last = self.state.last
        return {
            "account": last.account,
            "vault": last.vault,
            "outcome": last.outcome,
            "proof": last.proof or None,
            "last_rotated": self.state.rotated_at,
            "last_tried": self.state.tried_at,
            "run": self.state.run,
            "next": self.next_at,
            "needs_operator": self.state.needs_operator,
            "fault": last.fault or None,
            "do": last.remedy or None,
        }


def find_account_statuses(settings: Settings) -> list[AccountStatus]:
    """Return every account that a rotation was tried of, or that the schedule is going to rotate.

    Raises:
        ConfigError, SchemaTooOld, SchemaTooNew, StoreError: the store is not ready.
    """
    schedule = schedules_of(settings).rotation
    slot = next(schedule.slots_after(datetime.now(UTC))) if schedule else None
    next_at = rfc3339(slot) if slot else None
    with store_of(settings) as database:
        states = RotatedAccounts(database).all()
    return [AccountStatus(state, next_at if state.scheduled else None) for state in states]
