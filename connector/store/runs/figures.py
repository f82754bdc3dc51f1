"""What runs amount to since the store was made: counted when a run ends, in its own transaction.

So every replica tells the same, a scrape reads a few rows however long the history is, and no count ever goes down when
history is forgotten (prometheus.io/docs/concepts/metric_types).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, text

from connector.directory.runs import RunKind, RunOutcome
from connector.directory.times import to_milliseconds
from connector.store.aws_verification import VerificationRecord, read_verification
from connector.store.generations import Generation, newest
from connector.store.reading.pins import count_walking_clients
from connector.store.runs.rotated_accounts import RotationFigures, read_rotation_figures
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import call_totals, clients, run_totals, runs

LATE_SECONDS = 60
"""A scheduled run that was queued so much after its time is late."""

_KNOWN = (runs.c.kind, runs.c.slot, runs.c.queued_at, runs.c.started_at)
_ADD_RUN = text(
    "INSERT INTO run_totals (kind, outcome, runs, late, missed, milliseconds, throttled, rejected, last_ended_at)"
    " VALUES (:kind, :outcome, :runs, :late, :missed, :milliseconds, :throttled, :rejected, :last_ended_at)"
    " ON CONFLICT (kind, outcome) DO UPDATE SET runs = run_totals.runs + excluded.runs,"
    " late = run_totals.late + excluded.late, missed = run_totals.missed + excluded.missed,"
    " milliseconds = run_totals.milliseconds + excluded.milliseconds,"
    " throttled = run_totals.throttled + excluded.throttled,"
    " rejected = excluded.rejected, last_ended_at = excluded.last_ended_at"
)
_ADD_CALLS = text(
    "INSERT INTO call_totals (operation, calls) VALUES (:operation, :calls)"
    " ON CONFLICT (operation) DO UPDATE SET calls = call_totals.calls + excluded.calls"
)


@dataclass(frozen=True, slots=True)
class RunTotal:
    """All runs of one kind and outcome.

    Args:
        runs: how many ended like this.
        late: how many of them the schedule queued late.
        missed: at how many times of the schedule nothing ran, as they tell.
        seconds: how long they took together.
        throttled: how many of their calls were refused for their rate.
        rejected: how many records the last of them could not serve.
        last_ended_at: when the last of them ended, in seconds since 1970 on the database's clock.
    """

    kind: RunKind
    outcome: RunOutcome
    runs: int
    late: int
    missed: int
    seconds: float
    throttled: int
    rejected: int
    last_ended_at: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the store, read at one moment.

    Args:
        now: that moment, in seconds since 1970 on the database's clock.
        generation: the newest one, None before the first.
        runs: what ended so far.
        calls: API calls of all runs, by operation.
        pinned: imports under way, each of which keeps its generation.
        rotation: the accounts whose passwords the schedule rotates.
        verification: the last look at the AWS side, None before the first.
        expiries: when clients expire, in seconds since 1970 by their names; those that expired are let in no more.
    """

    now: float
    generation: Generation | None
    runs: tuple[RunTotal, ...]
    calls: Mapping[str, int]
    pinned: int
    rotation: RotationFigures = field(default_factory=RotationFigures)
    verification: VerificationRecord | None = None
    expiries: Mapping[str, float] = field(default_factory=dict)

    def last_success(self, kind: RunKind) -> float | None:
        """Return when the last run of a kind succeeded, in seconds since 1970; None before the first."""
        ended = [total.last_ended_at for total in self.runs if total.kind is kind and total.outcome in kind.successes]
        return max(ended, default=None)


def count_end(connection: Connection, run: int, outcome: RunOutcome, result: Mapping[str, Any], *, at: str) -> None:
    """Count, in the transaction that ends a run and before it is written, what its end adds.

    Args:
        connection: the caller's transaction.
        run: the run.
        outcome: how it ends.
        result: what it is recorded with.
        at: when it ends, RFC 3339.
    """
    known = connection.execute(select(*_KNOWN).where(runs.c.id == run)).one_or_none()
    if known is None:  # its process slept so long that the run was ended for it, counted and forgotten
        return
    missed, ended = result.get("missed", 0), to_milliseconds(at)
    added = {
        "kind": known.kind,
        "outcome": outcome,
        "runs": 1,
        "late": 1 if not missed and _is_late(known.slot, known.queued_at) else 0,
        "missed": missed,
        "milliseconds": max(0, ended - to_milliseconds(known.started_at or at)),
        "throttled": result.get("throttled", 0),
        "rejected": result.get("rejected", 0),
        "last_ended_at": ended,
    }
    connection.execute(_ADD_RUN, added)
    # In one order, so that two runs that end at once do not wait for each other.
    calls = [{"operation": name, "calls": made} for name, made in sorted(result.get("calls", {}).items())]
    if calls:
        connection.execute(_ADD_CALLS, calls)


def _is_late(slot: str | None, queued_at: str) -> bool:
    if slot is None:
        return False
    return to_milliseconds(queued_at) - to_milliseconds(slot) >= LATE_SECONDS * 1000


class Measures:
    """Reads the figures.

    Args:
        database: the store.
        walk_timeout: seconds after its last page for which a walk stays pinned.
    """

    def __init__(self, database: Database, *, walk_timeout: float) -> None:
        self._database = database
        self._walk_timeout = int(walk_timeout * 1000)

    def read(self) -> Figures:
        """Return the figures of this moment.

        Raises:
            StoreError: the store does not answer.
        """
        with self._database.reading() as connection:
            now = read_clock(connection)
            calls = connection.execute(select(call_totals.c.operation, call_totals.c.calls))
            return Figures(
                now=now / 1000,
                generation=newest(connection),
                runs=tuple(_read_runs(connection)),
                calls={row.operation: row.calls for row in calls},
                pinned=count_walking_clients(connection, since=now - self._walk_timeout),
                rotation=read_rotation_figures(connection),
                verification=read_verification(connection),
                expiries=_read_expiries(connection),
            )

    def prove_writable(self) -> None:
        """Try whether the store takes changes, and leave nothing.

        Raises:
            StoreError: it does not.
        """
        self._database.prove_writable()


def _read_runs(connection: Connection) -> list[RunTotal]:
    rows = connection.execute(select(run_totals).order_by(run_totals.c.kind, run_totals.c.outcome))
    return [
        RunTotal(
            kind=RunKind(row.kind),
            outcome=RunOutcome(row.outcome),
            runs=row.runs,
            late=row.late,
            missed=row.missed,
            seconds=row.milliseconds / 1000,
            throttled=row.throttled,
            rejected=row.rejected,
            last_ended_at=row.last_ended_at / 1000,
        )
        for row in rows
    ]


def _read_expiries(connection: Connection) -> dict[str, float]:
    expiring = clients.c.revoked_at.is_(None), clients.c.expires_at.is_not(None)
    rows = connection.execute(select(clients.c.name, clients.c.expires_at).where(*expiring))
    return {row.name: row.expires_at / 1000 for row in rows}
