"""Reads of one generation; what SCIM is served from.

A page is a range of positions, at any depth the same: the landmark before it says where to begin. Rows come in slices
of short reads, so that a slow client holds no transaction open; a generation never changes, so they fit together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scim2_models.path import FilterNode
from sqlalchemy import ColumnElement, and_, func, select

from connector.directory.rows import Kind
from connector.store.database import Database
from connector.store.generations import Generation, newest
from connector.store.search import condition_of
from connector.store.tables import STRIDE, groups, landmarks, memberships, users

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


@dataclass(frozen=True, slots=True)
class Page:
    """Some resources, streamed, and how many there are in all."""

    total: int
    resources: Iterator[Stored]


class DirectoryReader:
    """Reads the published directory, and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ping(self) -> None:
        """Make sure that the store answers.

        Raises:
            StoreError: it does not.
        """
        self.newest()

    def newest(self) -> Generation | None:
        """Return the newest generation, None before the first."""
        with self._database.reading() as connection:
            return newest(connection)

    def find(self, kind: Kind, identifier: str, generation: Generation) -> Stored | None:
        """Return the resource of this id in a generation."""
        table = TABLES[kind]
        with self._database.reading() as connection:
            row = connection.execute(_resources(kind, generation).where(table.c.id == identifier)).one_or_none()
        return Stored(*row) if row else None

    def page(
        self, kind: Kind, generation: Generation, *, start: int, count: int, where: FilterNode | None = None
    ) -> Page:
        """Return `count` resources of a generation from the one numbered `start`, in the order of their positions.

        Args:
            kind: users or groups.
            generation: the state to read.
            start: number of the first resource, counted from 1.
            count: how many at most.
            where: the filter, parsed.

        Raises:
            UnsupportedFilter: the filter asks for what is not indexed.
        """
        if where is None:
            total = generation.users if kind is Kind.USERS else generation.groups
            return Page(total, self._slices(kind, generation, None, start, min(count, max(total - start + 1, 0))))
        matches = condition_of(kind, where, generation.number)
        with self._database.reading() as connection:
            alive = _alive(TABLES[kind], generation)
            total = connection.execute(
                select(func.count()).select_from(TABLES[kind]).where(alive, matches)
            ).scalar_one()
        return Page(total, self._slices(kind, generation, matches, start, min(count, max(total - start + 1, 0))))

    def members(self, group_id: str, generation: Generation) -> Iterator[Member]:
        """Stream the members of a group in a generation, in the order of their ids."""
        statement = (
            select(memberships.c.user_id, users.c.user_name)
            .join(users, and_(users.c.id == memberships.c.user_id, _alive(users, generation)))
            .where(memberships.c.group_id == group_id, _alive(memberships, generation))
            .order_by(memberships.c.user_id)
            .limit(SLICE)
        )
        last = ""
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(statement.where(memberships.c.user_id > last)).all()
            yield from (Member(*row) for row in rows)
            if len(rows) < SLICE:
                return
            last = rows[-1].user_id

    def _slices(
        self, kind: Kind, generation: Generation, matches: ColumnElement[bool] | None, start: int, count: int
    ) -> Iterator[Stored]:
        table = TABLES[kind]
        statement = _resources(kind, generation).order_by(table.c.position)
        if matches is not None:
            first = statement.where(matches).offset(start - 1)
            statement = statement.where(matches)
        else:
            first = statement.where(table.c.position >= _landmark(kind, generation, start)).offset((start - 1) % STRIDE)
        while count > 0:
            with self._database.reading() as connection:
                rows = connection.execute(first.limit(min(count, SLICE))).all()
            if not rows:
                return
            yield from (Stored(*row) for row in rows)
            count -= len(rows)
            first = statement.where(table.c.position > rows[-1].position)


def _resources(kind: Kind, generation: Generation) -> Any:
    table = TABLES[kind]
    return select(table.c.id, table.c.position, table.c.head, table.c.modified).where(_alive(table, generation))


def _alive(table: Any, generation: Generation) -> ColumnElement[bool]:
    return and_(table.c.since <= generation.number, table.c.until > generation.number)


def _landmark(kind: Kind, generation: Generation, start: int) -> Any:
    return (
        select(landmarks.c.position)
        .where(
            landmarks.c.generation == generation.number,
            landmarks.c.kind == kind.value,
            landmarks.c.ordinal == (start - 1) // STRIDE * STRIDE,
        )
        .scalar_subquery()
    )
