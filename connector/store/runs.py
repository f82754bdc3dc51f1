"""The history of runs, and the frame in which each one runs: begun under the lease, ended with its outcome."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connector.directory.times import from_milliseconds
from connector.store import lease as leases
from connector.store.database import Database
from connector.store.generations import newest
from connector.store.lease import Lease
from connector.store.staging import STAGED, clear_staging
from connector.store.tables import runs

APPROVABLE_MILLISECONDS = 24 * 60 * 60 * 1000
"""How long a refused plan waits for its approval."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refused plan whose staging rows are kept: it can be published as it was shown."""

    run: int
    result: Mapping[str, Any]


class Run:
    """A run under way."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.id = lease.run
        self.lease = lease
        self._database = database

    def end(self, outcome: str, result: Mapping[str, Any]) -> None:
        """Record how the run ended, and free the lease.

        Raises:
            LeaseLost: the outcome speaks of a comparison, and what was compared may be gone with the lease.
        """
        with self._database.writing() as connection:
            if outcome in {"refused", "unchanged"}:
                leases.prove(self._database, connection, self.lease)
            record_end(connection, self.id, outcome, result, at=_now(self._database, connection))
            leases.give_back(connection, self.lease)


def record_end(connection: Connection, run: int, outcome: str, result: Mapping[str, Any], *, at: str) -> None:
    """Record, in the caller's transaction, how a run ended."""
    ended = {"state": "ended", "outcome": outcome, "result": json.dumps(result), "ended_at": at}
    connection.execute(update(runs).where(runs.c.id == run).values(ended))


@contextmanager
def begin(database: Database, kind: str, *, cause: str) -> Iterator[Run]:
    """Begin a run under the lease; the block ends it, or it counts as failed.

    Args:
        database: the store.
        kind: `sync` or `plan`.
        cause: who asked for it: `command`.

    Raises:
        AlreadyRunning: another run holds the lease.
    """
    with database.writing() as connection:
        number = connection.execute(
            insert(runs)
            .values(kind=kind, cause=cause, state="running", started_at=_now(database, connection))
            .returning(runs.c.id)
        ).scalar_one()
        lease, abandoned = leases.take(database, connection, leases.SYNC, number)
        if abandoned is not None:
            _end_as_failed(database, connection, abandoned, "it stopped without a word and its lease expired")
        _clear_left_over_staging(database, connection)
    run = Run(database, lease)
    try:
        with leases.kept_alive(database, lease):
            yield run
    finally:
        with database.writing() as connection:
            _end_as_failed(database, connection, run.id, "it was interrupted")
            leases.give_back(connection, lease)


def find_waiting(database: Database, digest: str) -> Waiting | None:
    """Return the refused plan of this digest, if it can still be approved (P03)."""
    with database.reading() as connection:
        waiting = _waiting(database, connection)
    return next((plan for plan in waiting if plan.result["digest"] == digest), None)


def _waiting(database: Database, connection: Connection) -> list[Waiting]:
    """Return the plans refused within a day against the generation that is still the newest, each once."""
    now = connection.execute(select(database.clock)).scalar_one()
    rows = connection.execute(
        select(runs.c.id, runs.c.result)
        .where(runs.c.kind == "sync", runs.c.outcome == "refused")
        .where(runs.c.ended_at >= from_milliseconds(now - APPROVABLE_MILLISECONDS))
        .order_by(runs.c.id.desc())
    )
    generation = newest(connection)
    published = generation.number if generation else None
    latest: dict[str, Waiting] = {}
    for row in rows:
        plan = Waiting(row.id, json.loads(row.result))
        if plan.result["generation"] == published:
            latest.setdefault(plan.result["digest"], plan)
    return list(latest.values())


def _clear_left_over_staging(database: Database, connection: Connection) -> None:
    """Remove what killed runs left behind; staging rows of refused plans wait for their approval."""
    waiting = {plan.run for plan in _waiting(database, connection)}
    staged = {run for table in STAGED for run in connection.scalars(select(table.c.run).distinct())}
    clear_staging(connection, sorted(staged - waiting))


def _end_as_failed(database: Database, connection: Connection, run: int, cause: str) -> None:
    connection.execute(
        update(runs)
        .where(runs.c.id == run, runs.c.state == "running")
        .values(
            state="ended",
            outcome="failed",
            result=json.dumps({"run": run, "outcome": "failed", "cause": cause}),
            ended_at=_now(database, connection),
        )
    )


def _now(database: Database, connection: Connection) -> str:
    return from_milliseconds(connection.execute(select(database.clock)).scalar_one())
