"""What operators are told of the change feed."""

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from connector.directory.rows import Kind
from connector.store.feed.state import BACKLOG, MESSAGE, PULSE, STOP
from connector.store.feed.sync_requests import read_reasons
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import feed_marks, feed_state


@dataclass(frozen=True, slots=True)
class FeedReport:
    """The state of the change feed at one moment; times are seconds since 1970 on the database's clock.

    Args:
        now: that moment.
        users: how many users are marked.
        groups: how many groups are.
        held: how many of both wait with a refused plan.
        oldest: since when the oldest mark waits that was not read yet; None = all were.
        last_message: when the last message came.
        last_pulse: when the last pulse did.
        backlog: how many messages waited in the queue.
        backlog_noted: when they were counted.
        stopped: why nothing is read until a full sync is completed; empty = it goes on.
        full_sync_due: why a full sync is due.
    """

    now: float
    users: int
    groups: int
    held: int
    oldest: float | None
    last_message: float | None
    last_pulse: float | None
    backlog: int | None
    backlog_noted: float | None
    stopped: str
    full_sync_due: tuple[str, ...]

    @property
    def lag(self) -> float:
        """Seconds for which the oldest mark waits to be read for the first time."""
        return 0.0 if self.oldest is None else max(0.0, self.now - self.oldest)


def read_report(database: Database) -> FeedReport:
    """Return the state of the change feed.

    Raises:
        StoreError: the store does not answer.
    """
    with database.reading() as connection:
        marks, now = feed_marks.c, read_clock(connection)
        kinds = connection.execute(select(marks.kind, func.count()).group_by(marks.kind))
        counted: dict[str, int] = {row[0]: row[1] for row in kinds}
        unread = or_(marks.read_at.is_(None), marks.read_at < marks.first_at)
        oldest = connection.scalar(select(func.min(marks.first_at)).where(unread, marks.held_by.is_(None)))
        known = {row.name: row for row in connection.execute(select(feed_state))}

        def at(name: str) -> float | None:
            return known[name].at / 1000 if name in known else None

        return FeedReport(
            now=now / 1000,
            users=counted.get(Kind.USERS.value, 0),
            groups=counted.get(Kind.GROUPS.value, 0),
            held=connection.scalar(select(func.count()).where(marks.held_by.is_not(None))) or 0,
            oldest=oldest / 1000 if oldest is not None else None,
            last_message=at(MESSAGE),
            last_pulse=at(PULSE),
            backlog=int(known[BACKLOG].detail) if BACKLOG in known else None,
            backlog_noted=at(BACKLOG),
            stopped=known[STOP].detail if STOP in known else "",
            full_sync_due=tuple(read_reasons(connection)),
        )
