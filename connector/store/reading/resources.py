"""Resources as they were published, and reading them by position or by membership, in slices of short reads.

A slow client therefore holds no transaction open; a generation never changes, so the slices fit together.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, select

from connector.directory.rows import Kind, StoredRow
from connector.store.generations import Generation
from connector.store.reading.indexed_attributes import alive
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import PUBLISHED, memberships, users
from connector.store.sql.time_limit import Budget

SLICE = 500


class Stored(NamedTuple):
    """A resource as it was published.

    Args:
        modified: the time of its last change, which no other version of it has.
        body: the body; that of a group is without its members.
    """

    id: str
    modified: str
    body: str


class Member(NamedTuple):
    """A member of a group, by id and user name."""

    id: str
    user_name: str


_MEMBERS = Prepared(
    select(memberships.c.user_id, users.c.user_name)
    .join(users, and_(users.c.id == memberships.c.user_id, alive(users)))
    .where(memberships.c.group_id == bindparam("group"), alive(memberships))
    .where(memberships.c.user_id > bindparam("last"))
    .order_by(memberships.c.user_id)
    .limit(SLICE)
)


def select_resources(kind: Kind) -> Select[Any]:
    """Return the statement that reads resources, without any condition."""
    table = PUBLISHED[kind]
    return select(table.c.id, table.c.modified, table.c.body)


def read_positions(database: Database, kind: Kind, positions: Sequence[int]) -> Iterator[Sequence[StoredRow]]:
    """Stream the resources at some positions, in their order, in slices."""
    return ([stored for _, stored in some] for some in read_placed(database, kind, positions))


def read_placed(
    database: Database, kind: Kind, positions: Sequence[int], within: Budget | None = None
) -> Iterator[Sequence[tuple[int, Stored]]]:
    """Stream positions and the resources there, in slices."""
    column = PUBLISHED[kind].c.position
    for begin in range(0, len(positions), SLICE):
        part = list(positions[begin : begin + SLICE])
        with database.reading(within) as connection:
            found = connection.execute(select_resources(kind).add_columns(column).where(column.in_(part)))
            rows = {position: Stored(*row) for *row, position in found}
        yield [(position, rows[position]) for position in part if position in rows]


def read_members(
    database: Database, group_id: str, generation: Generation, within: Budget | None = None
) -> Iterator[Member]:
    """Stream the members of a group in a generation, in the order of their ids."""
    last = ""
    while True:
        rows = database.fetch(_MEMBERS, within, group=group_id, generation=generation.number, last=last)
        yield from map(Member._make, rows)
        if len(rows) < SLICE:
            return
        last = Member._make(rows[-1]).id
