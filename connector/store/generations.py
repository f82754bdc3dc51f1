"""Generations: the dated states of the directory. The newest one is what a new reader sees."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from connector.directory.plan import Source
from connector.directory.times import to_milliseconds
from connector.store.tables import generations


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


def newest(connection: Connection) -> Generation | None:
    """Return the newest generation, None before the first."""
    row = connection.execute(select(*_COLUMNS).order_by(generations.c.number.desc()).limit(1)).one_or_none()
    return Generation(*row) if row else None


def find(connection: Connection, number: int) -> Generation | None:
    """Return the generation of this number, if it is kept."""
    row = connection.execute(select(*_COLUMNS).where(generations.c.number == number)).one_or_none()
    return Generation(*row) if row else None


def source_of(connection: Connection, number: int) -> Source:
    """Return where a generation was read."""
    row: Row[str, str, str, str] = connection.execute(
        select(generations.c.account, generations.c.region, generations.c.pool_id, generations.c.chosen_groups).where(
            generations.c.number == number
        )
    ).one()
    return Source(row[0], row[1], row[2], tuple(json.loads(row[3])))
