"""What is known of each account whose password is rotated: how its last rotation ended, when it last succeeded.

Written account by account, so a run that is killed loses nothing of what it did; never a secret (P27).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from connector.directory.times import from_milliseconds
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import rotated_accounts as accounts

WAITING, FAILED = "waiting", "failed"
"""Outcomes of an account: not tried yet, and not rotated; any other means that it has a new password."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """How the last rotation of an account ended.

    Args:
        account: identity of the account.
        vault: where its password is kept.
        outcome: `waiting`, `rotated`, `finished` or `failed`.
        proof: what signing in with the new password told.
        fault: why it failed.
        remedy: what an operator is to do about that.
    """

    account: str
    vault: str
    outcome: str
    proof: str = ""
    fault: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What is known of an account; times are RFC 3339 in UTC.

    Args:
        last: how its last rotation ended.
        run: the run that tried it last, None where none is on record.
        tried_at: when that was.
        rotated_at: when it last got a new password.
        scheduled: whether the schedule rotates it, as the last scheduled run found.
    """

    last: AccountRecord
    run: int | None
    tried_at: str | None
    rotated_at: str | None
    scheduled: bool

    @property
    def needs_operator(self) -> bool:
        """Whether nothing happens to it until somebody looks, or the schedule comes round."""
        return self.last.outcome == FAILED


@dataclass(frozen=True, slots=True)
class RotationFigures:
    """The accounts of the schedule, in numbers; times are seconds since 1970 on the database's clock.

    Args:
        accounts: how many there are.
        needing_operator: how many of them failed when they were last tried.
        last: when one of them was last rotated, None if none ever was.
        oldest: when the one that waits longest was last rotated, None if one never was.
    """

    accounts: int = 0
    needing_operator: int = 0
    last: float | None = None
    oldest: float | None = None


class RotatedAccounts:
    """Keeps the records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def schedule(self, found: Mapping[str, str], *, complete: bool) -> None:
        """Take note of what the schedule rotates from now on.

        Args:
            found: the vault of each account.
            complete: whether these are all; else accounts that were scheduled before stay so.
        """
        with self._database.writing() as connection:
            if complete:
                connection.execute(update(accounts).values(scheduled=False))
            for account, vault in found.items():
                if not _update(connection, account, {"scheduled": True}):
                    row = {"account": account, "vault": vault, "outcome": WAITING, "scheduled": True}
                    connection.execute(insert(accounts).values(row))

    def note(self, record: AccountRecord, *, run: int | None, known_only: bool = False) -> None:
        """Take note of how a rotation ended.

        Args:
            record: how.
            run: the run that tried it.
            known_only: whether an account without a record gets none, since it may be a slip of the pen.
        """
        with self._database.writing() as connection:
            now = read_clock(connection)
            told = {name: getattr(record, name) for name in record.__slots__} | {"run": run, "tried_at": now}
            if record.outcome not in {FAILED, WAITING}:
                told["rotated_at"] = now
            if not _update(connection, record.account, told) and not known_only:
                connection.execute(insert(accounts).values(told))

    def all(self) -> list[AccountState]:
        """Return every account, those that need an operator first."""
        order = accounts.c.outcome != FAILED, accounts.c.account
        with self._database.reading() as connection:
            return [_read(row) for row in connection.execute(select(accounts).order_by(*order))]


def read_rotation_figures(connection: Connection) -> RotationFigures:
    """Count the accounts of the schedule."""
    is_scheduled = accounts.c.scheduled.is_(True)
    oldest = func.coalesce(accounts.c.rotated_at, 0)
    counted = select(func.count(), func.max(accounts.c.rotated_at), func.min(oldest)).where(is_scheduled)
    number, last, first = connection.execute(counted).one()
    failed = select(func.count()).where(is_scheduled, accounts.c.outcome == FAILED)
    return RotationFigures(number, connection.execute(failed).scalar_one(), _seconds(last), _seconds(first))


def _update(connection: Connection, account: str, told: Mapping[str, Any]) -> bool:
    return bool(connection.execute(update(accounts).where(accounts.c.account == account).values(told)).rowcount)


def _read(row: Row[Any]) -> AccountState:
    last = AccountRecord(**{name: getattr(row, name) for name in AccountRecord.__slots__})
    return AccountState(last, row.run, _time(row.tried_at), _time(row.rotated_at), row.scheduled)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)


def _seconds(milliseconds: int | None) -> float | None:
    return milliseconds / 1000 if milliseconds else None
