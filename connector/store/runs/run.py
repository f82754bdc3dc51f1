"""The frame in which a run runs: begun or taken up under its lease, ended with its outcome, never left open."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connector.directory.runs import Cause, RunKind, RunOutcome, RunState
from connector.directory.times import from_milliseconds
from connector.errors import ConnectorError, StoreError, UnforeseenFault
from connector.store import audit
from connector.store.audit import NOBODY, Actor, AuditEvent, Event
from connector.store.runs import lease as leases
from connector.store.runs.approvals import clear_left_over_staging
from connector.store.runs.figures import count_end
from connector.store.runs.heartbeat import Pulse, beating
from connector.store.runs.lease import SYNC, Lease
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import runs

_log = logging.getLogger(__name__)
_DIED = "It stopped without a word, and its lease expired."


class Run:
    """A run under way.

    Args:
        database: the store.
        lease: the right to run.
        kind: what it does.
        approve: the digest of the refused plan that is to be published, if that was asked for.
        pulse: its life signs.
    """

    importer = ""
    """Of a walk, whom it plays."""

    def __init__(self, database: Database, lease: Lease, kind: RunKind, approve: str | None, pulse: Pulse) -> None:
        self.id = lease.run
        self.lease = lease
        self.kind = kind
        self.approve = approve
        self.database = database
        self._pulse = pulse

    def tell(self, progress: Mapping[str, Any]) -> None:
        """Say how far the run has come; within a second the store knows.

        Raises:
            RunCancelled: somebody wants it to end.
            LeaseLost: another run took over.
        """
        self._pulse.progress = progress
        if self._pulse.fault:
            raise self._pulse.fault

    def heed(self) -> None:
        """Ask the store now whether the run may go on; errors as those of `tell`."""
        self._pulse.beat()
        if self._pulse.fault:
            raise self._pulse.fault

    def end(self, outcome: RunOutcome, result: Mapping[str, Any]) -> None:
        """Record how the run ended, and free the lease; what others have recorded of a run they found dead stays.

        Raises:
            LeaseLost: the outcome speaks of a comparison, and what was compared may be gone with the lease.
        """
        with self.database.writing() as connection:
            if outcome in {RunOutcome.REFUSED, RunOutcome.UNCHANGED}:
                leases.prove(connection, self.lease)
            leases.give_back(connection, self.lease)
            if is_open(connection, self.id):  # a publish has recorded its end
                record_end(connection, self.id, outcome, result, at=now_of(connection))


@contextmanager
def begin(
    database: Database, kind: RunKind, *, cause: Cause, by: Actor = NOBODY, approve: str | None = None
) -> Iterator[Run]:
    """Begin a run under its lease; the block ends it, or it counts as failed.

    Args:
        database: the store.
        kind: what it does.
        cause: what asked for it.
        by: who asked for it.
        approve: the digest of the refused plan that is to be published, if that was asked for.

    Raises:
        AlreadyRunning: another run holds the lease.
    """
    with database.writing() as connection:
        now = now_of(connection)
        row = {"kind": kind, "cause": cause, "asked_by": by.client or None, "approve": approve}
        running = {"state": RunState.RUNNING, "queued_at": now, "started_at": now}
        number = connection.execute(insert(runs).values(row | running).returning(runs.c.id)).scalar_one()
        lease = start(connection, kind, number)
        event = record_request(connection, number, kind, approve, by)
    audit.log(event)
    with _under_way(database, lease, kind, approve) as run:
        yield run


def record_request(connection: Connection, run: int, kind: RunKind, approve: str | None, by: Actor) -> AuditEvent:
    """Record, in the caller's transaction, who asked for a run or approved a plan."""
    if approve is None:
        return audit.write(connection, Event.RUN_REQUESTED, by, subject=f"run {run}", detail=kind)
    return audit.write(connection, Event.PLAN_APPROVED, by, subject=f"run {run}", detail=f"plan {approve}")


@contextmanager
def take_up(database: Database, number: int, fence: int) -> Iterator[Run]:
    """Go on, in another process, with a run that was claimed from the queue; the rest is as in `begin`.

    Args:
        database: the store.
        number: the run.
        fence: the fencing number under which it was claimed.

    Raises:
        LeaseLost: the lease is no longer that of the claim.
    """
    with database.writing() as connection:
        row = connection.execute(
            select(runs.c.kind, runs.c.approve, runs.c.progress).where(runs.c.id == number)
        ).one_or_none()
        if row is None:
            raise leases.lost(number)
        kind = RunKind(row.kind)
        lease = Lease(leases.name_of(kind, number), number, fence)
        leases.prove(connection, lease)
    with _under_way(database, lease, kind, row.approve) as run:
        run.importer = json.loads(row.progress or "{}").get("importer", "")
        yield run


@contextmanager
def _under_way(database: Database, lease: Lease, kind: RunKind, approve: str | None) -> Iterator[Run]:
    cause = "It was interrupted."
    try:
        with beating(database, lease) as pulse:
            if lease.name == SYNC:
                clear_left_over_staging(database, under=lease)
            yield Run(database, lease, kind, approve, pulse)
    except ConnectorError as error:
        cause = error.message
        raise
    except Exception as error:
        fault = UnforeseenFault(error)
        cause = fault.message
        raise fault from error
    finally:
        # What the block returned or raised is what happened; without its end on record the lease just expires.
        with recorded_if_possible(f"run {lease.run}"), database.writing() as connection:
            leases.give_back(connection, lease)
            end_as_failed(connection, lease.run, cause)


@contextmanager
def recorded_if_possible(what: str) -> Iterator[None]:
    """Go on when the store fails, for what is done is done whether or not it is on record.

    Args:
        what: names it in the log.
    """
    try:
        yield
    except StoreError as fault:
        _log.warning("%s is not wholly on record: %s", what, fault)


def start(connection: Connection, kind: RunKind, number: int) -> Lease:
    """Take the lease of a run in the caller's transaction, and end the run that let it expire.

    Raises:
        AlreadyRunning: another run holds the lease.
    """
    lease, abandoned = leases.take(connection, leases.name_of(kind, number), number)
    if abandoned is not None:
        end_as_failed(connection, abandoned, _DIED)
    return lease


def end_abandoned(connection: Connection) -> None:
    """End, in the caller's transaction, every run that let its lease expire."""
    for lease in leases.expired(connection):
        leases.give_back(connection, lease)
        end_as_failed(connection, lease.run, _DIED)


def record_end(connection: Connection, run: int, outcome: RunOutcome, result: Mapping[str, Any], *, at: str) -> None:
    """Record, in the caller's transaction, how a run ended, and count it."""
    count_end(connection, run, outcome, result, at=at)
    ended = {"state": RunState.ENDED, "outcome": outcome, "result": json.dumps(result), "ended_at": at}
    connection.execute(update(runs).where(runs.c.id == run).values(ended))


def end_as_failed(connection: Connection, run: int, cause: str) -> None:
    """End a run in the caller's transaction, unless it has ended by itself."""
    if is_open(connection, run):
        result = {"run": run, "outcome": RunOutcome.FAILED, "cause": cause}
        record_end(connection, run, RunOutcome.FAILED, result, at=now_of(connection))


def is_open(connection: Connection, run: int) -> bool:
    """Tell whether a run has not ended yet, and let nobody end it before the caller's transaction does."""
    return connection.scalar(select(runs.c.state).where(runs.c.id == run).with_for_update()) in {
        RunState.QUEUED,
        RunState.RUNNING,
    }


def now_of(connection: Connection) -> str:
    """Return the database's time."""
    return from_milliseconds(read_clock(connection))
