"""Remove what nobody can ask for any more: generations that no walk reads, tombstones and runs past their time.

A generation is kept while it is the newest, for the walk timeout after it was superseded, and while a pin holds it; a
bounded number of them longer, so that it can be listed who was changed since.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from connector.directory.times import from_milliseconds
from connector.errors import StoreError
from connector.store.audit import forget_events
from connector.store.publishing.baseline import read_baseline
from connector.store.reading.pins import forget_pins, oldest_pinned
from connector.store.reading.walk_rules import LIFETIMES
from connector.store.runs.history import forget_runs
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.slices import delete_in_slices
from connector.store.sql.tables import generations, groups, landmarks, memberships, tombstones, users

LISTED = 100
"""At most this many generations are kept to be compared."""
_SHARE = 4
_LEAST = 10_000
"""Versions that are kept for comparing only: at most a quarter of what is served, or this many."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is past is kept, in seconds: generations for walks; tombstones, pins, runs and the audit trail."""

    walks: float
    past: float


def collect(database: Database, retention: Retention) -> int:
    """Remove what is past its time, and return the number of the oldest generation that is kept.

    First they are forgotten, so that nobody can ask for them; then their rows go, some at a time.
    """
    with database.writing() as connection:
        now = read_clock(connection)
        timeout, past = int(retention.walks * 1000), now - int(retention.past * 1000)
        oldest = min(_oldest_needed(connection, now, timeout), _oldest_compared(connection, deadline=past))
        connection.execute(delete(generations).where(generations.c.number < oldest))
        forget_pins(connection, oldest=oldest, before=min(past, now - LIFETIMES * timeout))
        baseline = read_baseline(connection)
    for table in (users, groups, memberships):
        past_versions = table.c.until <= oldest
        if baseline:  # the safeguard compares with it, whether or not it can still be read
            past_versions &= ~((table.c.since <= baseline.generation) & (table.c.until > baseline.generation))
        delete_in_slices(database, table, past_versions)
    delete_in_slices(database, landmarks, landmarks.c.generation < oldest)
    delete_in_slices(database, tombstones, tombstones.c.removed_at < from_milliseconds(past))
    forget_runs(database, older_than=retention.past)
    forget_events(database, older_than=retention.past)
    return oldest


def collect_quietly(database: Database, retention: Retention) -> None:
    """Collect at the end of a sync; what cannot be removed now is removed at the end of the next."""
    try:
        collect(database, retention)
    except StoreError as error:
        _log.warning("what is past its time stays until the next sync: %s", error)


def _oldest_needed(connection: Connection, now: int, timeout: int) -> int:
    """Return the oldest generation that is the newest, was so within the timeout, or that a walk reads."""
    then = generations.c.published_at <= from_milliseconds(now - timeout)
    candidates = (
        select(func.max(generations.c.number)),
        select(func.coalesce(func.max(generations.c.number).filter(then), func.min(generations.c.number))),
    )
    found = [connection.execute(candidate).scalar_one() for candidate in candidates]
    found.append(oldest_pinned(connection, now=now, timeout=timeout))
    return min((number for number in found if number is not None), default=0)


def _oldest_compared(connection: Connection, *, deadline: int) -> int:
    """Return the oldest generation that is kept to be compared: while what it needs beside the newest is little."""
    rows = connection.execute(select(generations).order_by(generations.c.number.desc()).limit(LISTED)).all()
    if not rows:
        return 0
    room = max(_LEAST, (rows[0].users + rows[0].groups + rows[0].memberships) // _SHARE)
    for row in rows:
        # The one before needs the versions that this one ended, and is wanted while what this one changed is.
        if row.published_at <= from_milliseconds(deadline) or row.ended > room:
            return int(row.number)
        room -= row.ended
    return int(rows[-1].number)
