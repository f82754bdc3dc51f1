"""Resources as they were published, and reading them by position or by membership, in slices of short reads.

A slow client therefore holds no transaction open; a generation never changes, so the slices fit together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from connector.directory.rows import Kind
from connector.store.budget import Budget
from connector.store.database import Database
from connector.store.generations import Generation
from connector.store.promoted import alive
from connector.store.tables import groups, memberships, users

SLICE = 500
TABLES = {Kind.USERS: users, Kind.GROUPS: groups}


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as it was published.

    Args:
        version: the position, which no other version of any resource of the kind ever has.
        head: the body up to the value of `meta.lastModified`, which is `modified`.
    """

    id: str
    version: int
    head: str
    modified: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group, by id and user name."""

    id: str
    user_name: str


def select_resources(kind: Kind) -> Any:
    """Return the statement that reads resources, without any condition."""
    table = TABLES[kind]
    return select(table.c.id, table.c.position, table.c.head, table.c.modified)


def read_positions(
    database: Database, kind: Kind, positions: Sequence[int], within: Budget | None = None
) -> Iterator[Stored]:
    """Stream the resources at some positions, in their order."""
    column = TABLES[kind].c.position
    for begin in range(0, len(positions), SLICE):
        part = list(positions[begin : begin + SLICE])
        with database.reading(within) as connection:
            rows = {row.position: row for row in connection.execute(select_resources(kind).where(column.in_(part)))}
        yield from (Stored(*rows[position]) for position in part if position in rows)


def read_members(
    database: Database, group_id: str, generation: Generation, within: Budget | None = None
) -> Iterator[Member]:
    """Stream the members of a group in a generation, in the order of their ids."""
    number = generation.number
    statement = (
        select(memberships.c.user_id, users.c.user_name)
        .join(users, and_(users.c.id == memberships.c.user_id, alive(users, number)))
        .where(memberships.c.group_id == group_id, alive(memberships, number))
        .order_by(memberships.c.user_id)
        .limit(SLICE)
    )
    last = ""
    while True:
        with database.reading(within) as connection:
            rows = connection.execute(statement.where(memberships.c.user_id > last)).all()
        yield from (Member(*row) for row in rows)
        if len(rows) < SLICE:
            return
        last = rows[-1].user_id
