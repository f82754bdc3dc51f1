"""What people look up: resources in the order of their names, by how a name begins, and what a resource was before.

Beside the walks of importers, for the console: each read follows an index for as many rows as are shown, so it takes as
long with a million users as with ten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scim2_models.path import CompareOperator
from sqlalchemy import BindParameter, Column, Integer, Select, String, and_, bindparam, or_, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from connector.directory.rows import Kind, fold, normalize
from connector.store.generations import Generation, fetch_last
from connector.store.reading.indexed_attributes import Text, alive
from connector.store.reading.resources import Member, Stored, select_resources
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import FOREVER, FULL_KEY, PUBLISHED, generations, groups, memberships, tombstones, users


@dataclass(frozen=True, slots=True)
class ListedResource:
    """A resource and the name it is listed by."""

    key: str
    stored: Stored


@dataclass(frozen=True, slots=True)
class Version:
    """A resource as it was in some generations.

    Args:
        since: the first generation that has it.
        until: the first one after it, None while it is served.
        since_at, until_at: when those were published, None where that is no longer kept.
        stored: the resource.
    """

    since: int
    until: int | None
    since_at: str | None
    until_at: str | None
    stored: Stored


class Lookup:
    """Looks up resources.

    Args:
        database: the store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_name(
        self, kind: Kind, generation: Generation, *, after: tuple[str, str] = ("", ""), count: int
    ) -> list[ListedResource]:
        """Return resources in the order of their folded names, and of their ids where those are alike.

        Args:
            kind: users or groups.
            generation: the state to read.
            after: folded name and id of the last resource of the page before.
            count: how many at most.
        """
        name, identifier = after
        rows = self._database.fetch(_BY_NAME[kind], generation=generation.number, name=name, id=identifier, most=count)
        return [ListedResource(key, Stored(*stored)) for key, *stored in rows]

    def begins_with(self, kind: Kind, generation: Generation, text: str, *, count: int) -> list[Stored]:
        """Return resources whose name, display name or e-mail begins with a text, or whose id it is.

        Those found by their name come first; each comes once.
        """
        found: dict[str, Stored] = {}
        with self._database.reading() as connection:
            for statement in _beginnings(kind, text):
                rows = connection.execute(statement.limit(count), {"generation": generation.number})
                found |= {stored.id: stored for stored in map(Stored._make, rows) if stored.id not in found}
                if len(found) >= count:
                    break
        return list(found.values())[:count]

    def members(self, group_id: str, generation: Generation, *, after: str = "", count: int) -> list[Member]:
        """Return members of a group in the order of their ids, from the first behind an id."""
        rows = self._database.fetch(_MEMBERS, group=group_id, generation=generation.number, after=after, most=count)
        return [Member(*row) for row in rows]

    def count_members(self, group_id: str, generation: Generation) -> int:
        """Return how many members a group has."""
        rows = self._database.fetch(_SIZE, group=group_id, generation=generation.number)
        return int(rows[0][0]) if rows else 0

    def generations(self, count: int) -> list[Generation]:
        """Return the newest generations that are kept, newest first."""
        return fetch_last(self._database, count)

    def versions(self, kind: Kind, identifier: str, *, count: int) -> list[Version]:
        """Return what is kept of a resource, the newest version first."""
        table = PUBLISHED[kind]
        statement = _select_versions(kind).where(table.c.id == identifier).order_by(table.c.since.desc()).limit(count)
        with self._database.reading() as connection:
            return [_read_version(row) for row in connection.execute(statement)]

    def earlier(self, kind: Kind, text: str, *, count: int) -> list[Version]:
        """Return what resources were, the last first, that began with a text or had it as id and are no longer so.

        Whoever is still served is so with other attributes.
        """
        table = PUBLISHED[kind]
        named = or_(*(condition for condition, _ in _conditions(kind, text)))
        ended = table.c.until != FOREVER
        statement = _select_versions(kind).where(named, ended).order_by(table.c.until.desc()).limit(count)
        found: dict[str, Version] = {}
        with self._database.reading() as connection:
            for version in map(_read_version, connection.execute(statement)):
                found.setdefault(version.stored.id, version)
        return list(found.values())

    def removed_at(self, kind: Kind, identifier: str) -> str | None:
        """Return when the resource of an id was last removed, None where nobody knows of that."""
        wanted = tombstones.c.kind == kind.value, tombstones.c.id == identifier
        statement = select(tombstones.c.removed_at).where(*wanted).order_by(tombstones.c.generation.desc()).limit(1)
        with self._database.reading() as connection:
            removed: str | None = connection.scalar(statement)
        return removed


class _indexed(GenericFunction[str]):  # noqa: N801 - a function of SQL, named as one
    """What is indexed of a text: all of it, but only the beginning on PostgreSQL (`FULL_KEY`)."""

    type = String()
    inherit_cache = True


@compiles(_indexed, "sqlite")
def _whole(element: _indexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_indexed, "postgresql")
def _beginning(element: _indexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, {FULL_KEY})"


def _conditions(kind: Kind, text: str) -> Iterator[tuple[Any, Column[Any]]]:
    """Yield the ways in which a text finds a resource, each with the index that answers it."""
    table = PUBLISHED[kind]
    columns = (table.c.name_key, table.c.display_key, table.c.email_key) if kind is Kind.USERS else (table.c.name_key,)
    for column in columns:
        yield Text(column, fold).compare(CompareOperator.sw, text), column
    for column in (table.c.id, table.c.external_key):
        yield column == normalize(text), column


def _beginnings(kind: Kind, text: str) -> Iterator[Select[Any]]:
    for condition, column in _conditions(kind, text):
        yield select_resources(kind).where(condition, alive(PUBLISHED[kind])).order_by(_indexed(column), column)


def _select_by_name(kind: Kind) -> Select[Any]:
    table = PUBLISHED[kind]
    name: BindParameter[str] = bindparam("name")
    behind = tuple_(table.c.name_key, table.c.id) > tuple_(name, bindparam("id"))
    return (
        select(table.c.name_key, table.c.id, table.c.modified, table.c.body)
        .where(_indexed(table.c.name_key) >= _indexed(name), behind, alive(table))
        .order_by(_indexed(table.c.name_key), table.c.name_key, table.c.id)
        .limit(bindparam("most", type_=Integer()))
    )


_BY_NAME = {kind: Prepared(_select_by_name(kind)) for kind in Kind}
_MEMBERS = Prepared(
    select(memberships.c.user_id, users.c.user_name)
    .join(users, and_(users.c.id == memberships.c.user_id, alive(users)))
    .where(memberships.c.group_id == bindparam("group"), alive(memberships))
    .where(memberships.c.user_id > bindparam("after"))
    .order_by(memberships.c.user_id)
    .limit(bindparam("most", type_=Integer()))
)
_SIZE = Prepared(select(groups.c.members).where(groups.c.id == bindparam("group"), alive(groups)))


def _select_versions(kind: Kind) -> Select[Any]:
    table = PUBLISHED[kind]
    began, ended = generations.alias(), generations.alias()
    return select(
        table.c.since,
        table.c.until,
        began.c.published_at,
        ended.c.published_at,
        table.c.id,
        table.c.modified,
        table.c.body,
    ).select_from(
        table.outerjoin(began, began.c.number == table.c.since).outerjoin(ended, ended.c.number == table.c.until)
    )


def _read_version(row: Sequence[Any]) -> Version:
    since, until, since_at, until_at, *stored = row
    return Version(since, None if until == FOREVER else until, since_at, until_at, Stored(*stored))
