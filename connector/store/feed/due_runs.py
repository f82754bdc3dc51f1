"""Queue the runs that the change feed needs: a delta when marks are due, a full sync when one was asked for.

Many replicas look; each run is queued once, and none beside another that shares its lease.
"""

from sqlalchemy import Connection, select

from connector.directory.runs import Cause, RunKind
from connector.directory.times import to_milliseconds
from connector.errors import AlreadyRunning
from connector.store.feed.marks import FeedTimes, Marks
from connector.store.feed.sync_requests import read_reasons
from connector.store.runs import lease as leases
from connector.store.runs.queue import active_run, enqueue, refuse_beside_another
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import runs

SYNC_GAP_SECONDS = 600
"""Full syncs that the feed asks for begin no faster than this, whatever it asks."""

DELTA_GAP_SECONDS = 10
"""Deltas begin no faster than this, so that the history stays readable."""

PATIENT_GAP_SECONDS = 60
"""Deltas begin no faster than this while a full sync is due, or the last one came to no good end."""


def queue_due(database: Database, times: FeedTimes) -> tuple[RunKind, int] | None:
    """Queue what is due, and return the kind and number of the run; None when nothing is.

    Raises:
        StoreError: the store does not answer.
    """
    with database.reading() as connection:
        kind = None if active_run(connection, leases.SYNC) is not None else _wanted(connection)
    if kind is None or (kind is RunKind.DELTA and not Marks(database).is_due(times)):
        return None
    try:
        with database.writing() as connection:
            leases.lock(connection, leases.SYNC)
            refuse_beside_another(connection, leases.SYNC)
            if _wanted(connection) is not kind:  # another replica was faster
                return None
            return kind, int(enqueue(connection, kind=kind, cause=Cause.SCHEDULE).id)
    except AlreadyRunning:
        return None


def _wanted(connection: Connection) -> RunKind | None:
    """Return what may be queued now: a full sync that was asked for goes first."""
    is_sync_due = bool(read_reasons(connection))
    if is_sync_due and _age(connection, RunKind.SYNC)[0] >= SYNC_GAP_SECONDS:
        return RunKind.SYNC
    age, is_good = _age(connection, RunKind.DELTA)
    gap = DELTA_GAP_SECONDS if is_good and not is_sync_due else PATIENT_GAP_SECONDS
    return RunKind.DELTA if age >= gap else None


def _age(connection: Connection, kind: RunKind) -> tuple[float, bool]:
    """Return how many seconds ago the last run of a kind was queued, and whether it came to a good end."""
    last = select(runs.c.queued_at, runs.c.outcome).where(runs.c.kind == kind).order_by(runs.c.id.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    if row is None:
        return float("inf"), True
    return (read_clock(connection) - to_milliseconds(row.queued_at)) / 1000, row.outcome in kind.successes
