"""Generations: the dated states of the directory. The newest one is what a new reader sees."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from connector.directory.change_plan import DirectorySource, Making
from connector.directory.times import to_milliseconds
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import generations


@dataclass(frozen=True, slots=True)
class Generation:
    """One published state; the time is RFC 3339 in UTC with milliseconds and grows from each to the next."""

    number: int
    published_at: str
    users: int
    groups: int
    memberships: int

    @property
    def published_seconds(self) -> float:
        """The time in seconds since 1970."""
        return to_milliseconds(self.published_at) / 1000


_COLUMNS = (
    generations.c.number,
    generations.c.published_at,
    generations.c.users,
    generations.c.groups,
    generations.c.memberships,
)

_NUMBERED = Prepared(select(*_COLUMNS).where(generations.c.number == bindparam("wanted")))


def newest_generation() -> Select[Any]:
    """Return the statement that reads the newest generation, with the columns of `Generation`."""
    return select(*_COLUMNS).order_by(generations.c.number.desc()).limit(1)


_NEWEST = Prepared(newest_generation())


def newest(connection: Connection) -> Generation | None:
    """Return the newest generation as a transaction sees it, None before the first."""
    row = connection.execute(newest_generation()).one_or_none()
    return Generation(*row) if row else None


def fetch_newest(database: Database) -> Generation | None:
    """Return the newest generation, None before the first."""
    return next((Generation(*row) for row in database.fetch(_NEWEST)), None)


def fetch_generation(database: Database, number: int) -> Generation | None:
    """Return the generation of this number, if it is kept."""
    return next((Generation(*row) for row in database.fetch(_NUMBERED, wanted=number)), None)


def is_kept(connection: Connection, number: int) -> bool:
    """Tell whether a generation can still be read; 0, the empty directory before the first, always can."""
    return (
        not number or connection.scalar(select(generations.c.number).where(generations.c.number == number)) is not None
    )


def fetch_last(database: Database, count: int) -> list[Generation]:
    """Return the newest generations that are kept, newest first."""
    with database.reading() as connection:
        rows = connection.execute(select(*_COLUMNS).order_by(generations.c.number.desc()).limit(count))
        return [Generation(*row) for row in rows]


def making_of(connection: Connection, number: int) -> Making:
    """Return how a generation was made, as far as it was recorded."""
    recorded = select(generations.c.mapping, generations.c.release).where(generations.c.number == number)
    row: Row[str, str] = connection.execute(recorded).one()
    return Making(json.loads(row[0]), row[1])


def source_of(connection: Connection, number: int) -> DirectorySource:
    """Return where a generation was read."""
    row: Row[str, str, str, str] = connection.execute(
        select(generations.c.account, generations.c.region, generations.c.pool_id, generations.c.chosen_groups).where(
            generations.c.number == number
        )
    ).one()
    return DirectorySource(row[0], row[1], row[2], tuple(json.loads(row[3])))
