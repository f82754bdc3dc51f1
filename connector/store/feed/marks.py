"""Marks: users and groups that the change feed announced, until what Cognito says of them was read late enough (P40).

A mark is stored before its message is deleted. It is due after a short rest, so that a burst of events costs one read,
and again when Cognito's lists, which are eventually consistent, have settled; only that later read removes it. All
times are those of the database, when the message arrived: what an event says of its own time decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select, update

from connector.directory.hints import Hint
from connector.directory.rows import Kind
from connector.store.feed.state import MESSAGE, PULSE, STOP, forget_state, note_state
from connector.store.feed.sync_requests import ask, grant, read_reasons
from connector.store.runs.approvals import list_waiting_runs
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import feed_marks
from connector.store.sql.upserts import INSERTS

MOST_MARKS = 100_000
"""With more marks than this nobody is marked any more: a full sync is asked for instead."""

LONGEST_BURST = 3
"""A user about whom events never cease is read after this many times the debounce, all the same."""

_OVERFLOW = f"Over {MOST_MARKS:,} users and groups were announced as changed."


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """When what was announced is read, in seconds after the last event about it.

    Args:
        debounce: the first time.
        settle: the second time, when Cognito's lists show it for sure.
    """

    debounce: float = 10.0
    settle: float = 300.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A user or group to be read.

    Args:
        kind: which of the two.
        key: the sub of the user, or the name of the group.
        last_at: when the last event about it came, in milliseconds since 1970.
        is_settled: whether the lists have settled since.
    """

    kind: Kind
    key: str
    last_at: int
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """The marks of one round.

    Args:
        began: when they were taken, in milliseconds since 1970 on the database's clock; nothing was read before.
        marks: those that were due, the oldest first, as many as were wanted.
        due: how many were due in all.
    """

    began: int
    marks: tuple[Mark, ...]
    due: int


class Marks:
    """The marks of a store, for any number of replicas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hints: Iterable[Hint]) -> None:
        """Store what some messages say, all of it or nothing; when this returns, the messages may be deleted.

        Raises:
            StoreError: nothing was stored.
        """
        hints = list(hints)
        if not hints:
            return
        keys = {(Kind.USERS.value, sub) for hint in hints for sub in hint.users}
        keys |= {(Kind.GROUPS.value, name) for hint in hints for name in hint.groups}
        reasons = {reason for hint in hints for reason in hint.full_sync}
        with self._database.writing() as connection:
            now = read_clock(connection)
            if keys and not _mark(connection, sorted(keys), now):
                reasons.add(_OVERFLOW)
            for reason in sorted(reasons):
                ask(connection, reason, now)
            note_state(connection, MESSAGE, now)
            if any(hint.pulse for hint in hints):
                note_state(connection, PULSE, now)
            for hint in hints:
                if hint.stop:
                    note_state(connection, STOP, now, hint.stop)

    def ask_for_full_sync(self, reason: str) -> None:
        """Ask for a full sync.

        Args:
            reason: why, a sentence; the same one again asks for nothing more.
        """
        with self._database.writing() as connection:
            ask(connection, reason, read_clock(connection))

    def full_sync_reasons(self) -> list[str]:
        """Return why a full sync is due, the oldest reason first; nothing when none is."""
        with self._database.reading() as connection:
            return read_reasons(connection)

    def is_due(self, times: FeedTimes) -> bool:
        """Tell whether there is anything to read."""
        with self._database.reading() as connection:
            due = _due(connection, times)
            return connection.execute(select(feed_marks.c.key).where(due).limit(1)).first() is not None

    def take(self, times: FeedTimes, *, most: int) -> Taken:
        """Return what is due; it stays marked until `note_read` or `hold`.

        Args:
            times: when marks are due.
            most: return at most this many.
        """
        marks = feed_marks.c
        with self._database.reading() as connection:
            now, due = read_clock(connection), _due(connection, times)
            found = connection.execute(select(feed_marks).where(due).order_by(marks.last_at, marks.key).limit(most))
            settled = now - int(times.settle * 1000)
            taken = tuple(Mark(Kind(row.kind), row.key, row.last_at, row.last_at <= settled) for row in found)
            counted = connection.scalar(select(func.count()).select_from(feed_marks).where(due)) or 0
        return Taken(now, taken, counted)

    def note_read(self, marks: Iterable[Mark], *, began: int, unclear: Iterable[Mark] = ()) -> None:
        """Remove the marks that were read late enough; what was announced anew meanwhile stays marked.

        Args:
            marks: what was read.
            began: when the reading began, as `Taken` says.
            unclear: those of them about which Cognito contradicts itself: to be read again after a while.
        """
        kept = set(unclear)
        with self._database.writing() as connection:
            for mark in marks:
                same = _is(mark)
                if mark.is_settled and mark not in kept:
                    connection.execute(delete(feed_marks).where(same))
                else:
                    connection.execute(update(feed_marks).where(same).values(read_at=began, held_by=None))

    def hold(self, marks: Iterable[Mark], *, began: int, run: int) -> None:
        """Let marks rest while the plan of a refused run waits for approval, unless something new is announced."""
        with self._database.writing() as connection:
            for mark in marks:
                connection.execute(update(feed_marks).where(_is(mark)).values(read_at=began, held_by=run))

    def count(self) -> int:
        """Return how many users and groups are marked."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(feed_marks)) or 0


def read_time(database: Database) -> int:
    """Return the database's time in milliseconds since 1970."""
    with database.reading() as connection:
        return read_clock(connection)


def answer_feed(database: Database, times: FeedTimes, *, began: int) -> None:
    """Take note that a full sync is completed: marks that had settled when it began need not be read again.

    Args:
        database: the store.
        times: when marks have settled.
        began: when the sync began, in milliseconds since 1970 on the database's clock.
    """
    with database.writing() as connection:
        connection.execute(delete(feed_marks).where(feed_marks.c.last_at <= began - int(times.settle * 1000)))
        grant(connection, began=began)
        forget_state(connection, STOP)


def _mark(connection: Connection, keys: Sequence[tuple[str, str]], now: int) -> bool:
    """Mark all of them, or nobody where too many are marked already, and tell which."""
    known = connection.scalar(select(func.count()).select_from(feed_marks)) or 0
    if known + len(keys) > MOST_MARKS:
        return False
    insert = INSERTS[connection.dialect.name](feed_marks)
    was_read = feed_marks.c.read_at >= feed_marks.c.last_at
    again = {
        "first_at": case((was_read, insert.excluded.first_at), else_=feed_marks.c.first_at),
        "last_at": insert.excluded.last_at,
        "held_by": None,
    }
    rows = [{"kind": kind, "key": key, "first_at": now, "last_at": now} for kind, key in keys]
    connection.execute(insert.on_conflict_do_update(index_elements=["kind", "key"], set_=again), rows)
    return True


def _due(connection: Connection, times: FeedTimes) -> ColumnElement[bool]:
    """Return the condition for what is due: what was not read since its last event, or not since it settled."""
    marks, debounce, settle = feed_marks.c, int(times.debounce * 1000), int(times.settle * 1000)
    unread = or_(marks.read_at.is_(None), marks.read_at <= marks.last_at)
    has_rested = or_(marks.last_at <= CLOCK - debounce, marks.first_at <= CLOCK - LONGEST_BURST * debounce)
    # What was read after it had settled and is still marked was unclear: it is looked at again from time to time.
    settled = and_(
        marks.last_at <= CLOCK - settle,
        or_(marks.read_at.is_(None), marks.read_at < marks.last_at + settle, marks.read_at <= CLOCK - settle),
    )
    return and_(_is_free(connection), or_(and_(unread, has_rested), settled))


def _is_free(connection: Connection) -> ColumnElement[bool]:
    """Return the condition for marks that no waiting plan holds."""
    held = feed_marks.c.held_by
    holders = set(connection.scalars(select(held).where(held.is_not(None)).distinct()))
    waiting = holders & set(list_waiting_runs(connection)) if holders else set()
    return or_(held.is_(None), held.not_in(waiting))


def _is(mark: Mark) -> ColumnElement[bool]:
    marks = feed_marks.c
    return and_(marks.kind == mark.kind.value, marks.key == mark.key, marks.last_at == mark.last_at)
