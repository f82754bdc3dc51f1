"""The queue of runs and their history, shared by all processes and replicas.

The schedules and the API put runs in; executors claim them, one sync or plan at a time, one rotation at a time, checks
beside them. What is claimed is under a lease, so a run whose process dies is ended by whoever looks next (P20, P21).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from connector.directory.runs import Cause, RunKind, RunOutcome, RunState
from connector.directory.times import to_milliseconds
from connector.errors import AlreadyRunning, ConfigError, NoSuchRun, RunEnded
from connector.store import audit
from connector.store.audit import NOBODY, Actor, Event
from connector.store.runs import lease as leases
from connector.store.runs.approvals import Waiting, discard, find_waiting, list_waiting
from connector.store.runs.figures import LATE_SECONDS
from connector.store.runs.history import find_first_of_newest
from connector.store.runs.lease import SHARED, TIME_TO_LIVE, Lease
from connector.store.runs.run import end_abandoned, end_as_failed, now_of, record_request, start
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import leases as lease_rows
from connector.store.sql.tables import runs

_SEE = "See: cognito-scim runs list"
_WAITING_CHECK = select(runs).where(runs.c.kind == RunKind.CHECK, runs.c.state == RunState.QUEUED)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run, as far as it has come; times are RFC 3339 in UTC.

    Args:
        outcome: of a cancelled run `failed`, and the result has its cause.
        progress: the phase and the counts; of a walk, from the beginning, the importer that it plays.
        result: of a scheduled run also its `slot` and, where it was queued late, `late_seconds`; of a refused plan that
            was discarded, `discarded`: by whom, at what time and for what reason.
        asked_by: the client that asked for it, or the account that ran the command; None = nobody, the schedule did.
    """

    id: int
    kind: RunKind
    cause: Cause
    state: RunState
    outcome: RunOutcome | None
    progress: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    queued_at: str
    started_at: str | None
    ended_at: str | None
    asked_by: str | None

    @classmethod
    def read(cls, row: Row[Any]) -> "RunRecord":
        """Return the run of a row."""
        progress = json.loads(row.progress) if row.progress else None
        if row.cancelling and row.state == RunState.RUNNING:
            progress = {**(progress or {}), "phase": "cancelling"}
        return cls(
            id=row.id,
            kind=RunKind(row.kind),
            cause=Cause(row.cause),
            state=RunState(row.state),
            outcome=RunOutcome(row.outcome) if row.outcome else None,
            progress=progress,
            result=_result_of(row),
            queued_at=row.queued_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            asked_by=row.asked_by,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the document that scripts read, in the shape of the contract."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is this process's to execute."""

    kind: RunKind
    lease: Lease


class Runs:
    """The queue and the history of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(
        self, kind: RunKind, *, cause: Cause, approve: str | None = None, importer: str = "", by: Actor = NOBODY
    ) -> RunRecord:
        """Queue a run; a check that waits already is the one that is asked for.

        Args:
            kind: what it is to do.
            cause: what asks.
            approve: digest, or its beginning, of the refused plan that a sync is to publish, instead of reading the
                pool.
            importer: whom a walk plays.
            by: who asks.

        Raises:
            AlreadyRunning: a run that shares its lease is queued or under way.
            ApprovalRefused: no refused plan of this digest waits.
            ConfigError: only a sync can be an approval.
        """
        if approve is not None:
            if kind is not RunKind.SYNC:
                raise ConfigError(f"A {kind} approves nothing.", remedy="Leave approve out, or ask for a sync.")
            approve = find_waiting(self._database, approve).digest
        self._end_abandoned()
        shared = leases.shared_by(kind)
        if shared:  # asked first without the lock, which a publish may hold for long
            with self._database.reading() as connection:
                refuse_beside_another(connection, shared)
        with self._database.writing() as connection:
            if shared:
                leases.lock(connection, shared)
                refuse_beside_another(connection, shared)
            if kind is RunKind.CHECK and (waiting := connection.execute(_WAITING_CHECK).first()):
                return RunRecord.read(waiting)
            known = {"progress": json.dumps({"importer": importer})} if importer else {}
            queued = enqueue(connection, kind=kind, cause=cause, approve=approve, asked_by=by.client or None, **known)
            event = record_request(connection, queued.id, kind, approve, by)
        audit.log(event)
        return RunRecord.read(queued)

    def find(self, run: int) -> RunRecord:
        """Return the run of this number.

        Raises:
            NoSuchRun: there is none, or it is no longer kept.
        """
        with self._database.reading() as connection:
            return RunRecord.read(find_row(connection, run))

    def history(
        self, *, count: int, before: int | None = None, kinds: Collection[str] = (), state: str | None = None
    ) -> list[RunRecord]:
        """Return the newest runs, newest first.

        Args:
            count: so many at most.
            before: only runs older than the one of this number.
            kinds: only runs of these kinds; none means any.
            state: only runs in this state, None = in any.
        """
        wanted = select(runs).order_by(runs.c.id.desc()).limit(count)
        if kinds:
            wanted = wanted.where(runs.c.kind.in_(kinds))
        if state is not None:
            wanted = wanted.where(runs.c.state == state)
        if before is not None:
            wanted = wanted.where(runs.c.id < before)
        with self._database.reading() as connection:
            return [RunRecord.read(row) for row in connection.execute(wanted)]

    def waiting(self) -> list[Waiting]:
        """Return the refused plans that wait for approval, newest first."""
        return list_waiting(self._database)

    def silence(self, run: RunRecord) -> float:
        """Return the seconds since a run under way last gave a sign of life, up to 20 of which mean nothing.

        A run renews its lease while it lives; one that is longer silent than a lease lasts has died.
        """
        with self._database.reading() as connection:
            expires_at = connection.scalar(
                select(lease_rows.c.expires_at).where(
                    lease_rows.c.name == leases.name_of(run.kind, run.id), lease_rows.c.run == run.id
                )
            )
            now = read_clock(connection)
        return max(0.0, (now - expires_at) / 1000 + TIME_TO_LIVE) if expires_at else 0.0

    def cancel(self, run: int, *, by: Actor = NOBODY) -> RunRecord:
        """End a run that waits, or ask one that is under way to end; what it published already stays.

        Args:
            run: its number.
            by: who ends it.

        Raises:
            NoSuchRun: there is none of this number, or it is no longer kept.
            RunEnded: it has ended already.
        """
        self._end_abandoned()
        with self._database.writing() as connection:
            row = connection.execute(select(runs.c.state).where(runs.c.id == run).with_for_update()).one_or_none()
            if row is None:
                raise _explain_absence(connection, run)
            if row.state == RunState.ENDED:
                raise RunEnded(f"Run {run} has ended already.", remedy=_SEE)
            if row.state == RunState.QUEUED:
                end_as_failed(connection, run, "It was cancelled before it began.")
            else:
                connection.execute(update(runs).where(runs.c.id == run).values(cancelling=True))
            event = audit.write(connection, Event.RUN_CANCELLED, by, subject=f"run {run}")
            ended = connection.execute(select(runs).where(runs.c.id == run)).one()
        audit.log(event)
        return RunRecord.read(ended)

    def discard(self, run: int, *, by: Actor, reason: str) -> RunRecord:
        """Discard the refused plan of a run, so that it can no longer be approved.

        Args:
            run: the run that was refused.
            by: who discards it.
            reason: why.

        Raises:
            NoSuchRun: there is none of this number, or it is no longer kept.
            NothingToDiscard: its plan does not wait for approval, or is being approved.
        """
        with self._database.writing() as connection:
            leases.lock(connection, leases.SYNC)
            mark = {"by": by.client, "at": now_of(connection), "reason": reason}
            discard(connection, find_row(connection, run), mark)
            event = audit.write(connection, Event.PLAN_DISCARDED, by, subject=f"run {run}", detail=reason)
            discarded = RunRecord.read(find_row(connection, run))
        audit.log(event)
        return discarded

    def claim(self, kinds: Collection[RunKind]) -> Claim | None:
        """Take the oldest queued run of some kinds whose lease is free; None while there is none.

        The caller executes it, or lets the lease expire, upon which the run is ended as failed.
        """
        self._end_abandoned()
        with self._database.reading() as connection:
            found = connection.execute(
                select(runs.c.id, runs.c.kind)
                .where(runs.c.state == RunState.QUEUED, runs.c.kind.in_(kinds))
                .order_by(runs.c.id)
                .limit(1)
            ).one_or_none()
            if found is None or self._is_held(connection, leases.name_of(RunKind(found.kind), found.id)):
                return None
        try:
            return self._claim(found.id, RunKind(found.kind))
        except AlreadyRunning:
            return None

    def _claim(self, run: int, kind: RunKind) -> Claim:
        with self._database.writing() as connection:
            claimed = connection.execute(
                update(runs)
                .where(runs.c.id == run, runs.c.state == RunState.QUEUED)
                .values(state=RunState.RUNNING, started_at=now_of(connection))
            )
            if not claimed.rowcount:  # another executor was faster, or the run was cancelled
                raise leases.refuse(run)
            lease = start(connection, kind, run)
        return Claim(kind, lease)

    def abandon(self, lease: Lease, cause: str) -> str | None:
        """End a claimed run as failed, unless it has ended or the lease has gone to another.

        Returns:
            how it ended; None where the history no longer knows.
        """
        with self._database.writing() as connection:
            if leases.give_back(connection, lease):
                end_as_failed(connection, lease.run, cause)
            return connection.scalar(select(runs.c.outcome).where(runs.c.id == lease.run))

    def _is_held(self, connection: Connection, name: str) -> bool:
        held = select(lease_rows.c.run).where(lease_rows.c.name == name, lease_rows.c.expires_at > CLOCK)
        return connection.execute(held).first() is not None

    def _end_abandoned(self) -> None:
        with self._database.reading() as connection:
            lapsed = lease_rows.c.expires_at.between(1, CLOCK)
            if connection.execute(select(lease_rows.c.run).where(lapsed)).first() is None:
                return
        with self._database.writing() as connection:
            end_abandoned(connection)


def find_row(connection: Connection, run: int) -> Row[Any]:
    """Return the row of a run.

    Raises:
        NoSuchRun: there is none of this number, or it is no longer kept.
    """
    row = connection.execute(select(runs).where(runs.c.id == run)).one_or_none()
    if row is None:
        raise _explain_absence(connection, run)
    return row


def refuse_beside_another(connection: Connection, shared: str) -> None:
    """Refuse a run while another that shares a lease is queued or under way.

    Raises:
        AlreadyRunning: one is.
    """
    active = active_run(connection, shared)
    if active is not None:
        raise leases.refuse(active)


def active_run(connection: Connection, shared: str) -> int | None:
    """Return the number of the run that shares a lease and is under way or, if there is none, queued."""
    active = runs.c.state.in_((RunState.QUEUED, RunState.RUNNING)), runs.c.kind.in_(SHARED[shared])
    return connection.scalar(select(runs.c.id).where(*active).order_by(runs.c.state.desc(), runs.c.id).limit(1))


def enqueue(connection: Connection, **values: Any) -> Row[Any]:
    """Put a run into the queue in the caller's transaction."""
    queued = {"state": RunState.QUEUED, "queued_at": now_of(connection)} | values
    return connection.execute(insert(runs).values(queued).returning(runs)).one()


def _explain_absence(connection: Connection, run: int) -> NoSuchRun:
    first = find_first_of_newest(connection)
    if first is not None and run < first:
        return NoSuchRun(f"Run {run} is no longer kept in the history.", remedy=_SEE)
    return NoSuchRun(f"There is no run {run}.", remedy=_SEE)


def _result_of(row: Row[Any]) -> dict[str, Any] | None:
    result = json.loads(row.result) if row.result else None
    if row.discarded:
        result = {**(result or {}), "discarded": json.loads(row.discarded)}
    if row.slot is None:
        return result
    late = (to_milliseconds(row.queued_at) - to_milliseconds(row.slot)) // 1000
    planned = {"slot": row.slot} | ({"late_seconds": late} if late >= LATE_SECONDS else {})
    return {**(result or {}), **planned}
