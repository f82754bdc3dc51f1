"""Compare a harvest with the published generation, and note every resource that changes.

Of a complete harvest, whatever is published and not staged is gone. Of one that read only some, whoever is not staged
stays as they are, unless they are named as gone: absence says nothing there (P40).

The user name and the groups of a user, and the members of a group, are known only now. What is noted is what a plan
counts and a publish does; the rest is as it was. Works through both in slices, in constant memory.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, insert, select, tuple_

from connector.directory import stored_body
from connector.directory.rows import Kind
from connector.store.sql.database import Database
from connector.store.sql.prepared import Bulk
from connector.store.sql.tables import (
    FOREVER,
    PUBLISHED,
    STAGING,
    groups,
    memberships,
    staged_changes,
    staged_groups,
    staged_memberships,
    staged_users,
    users,
)

SLICE = 1000
CREATED, UPDATED, REMOVED = "created", "updated", "removed"


@dataclass(frozen=True, slots=True)
class Gone:
    """Who is known to be gone, where only some were read: ids."""

    users: Collection[str] = ()
    groups: Collection[str] = ()

    def of(self, kind: Kind) -> Collection[str]:
        """Return those of a kind."""
        return self.users if kind is Kind.USERS else self.groups


def note_changes(database: Database, run: int, gone: Gone | None = None) -> None:
    """Note every resource whose representation is new or another than the published one, and every one that is gone.

    Args:
        database: the store.
        run: whose staging rows to compare.
        gone: who is gone, where only some were read; None = everything was, and whoever is missing is gone.
    """
    for kind in Kind:
        _note_removed(database, run, kind, gone)
    _note_users(database, run)
    _note_groups(database, run, is_whole=gone is None)


def _change(published: str | None, digest: str) -> str | None:
    if published is None:
        return CREATED
    return UPDATED if published != digest else None


def _note_users(database: Database, run: int) -> None:
    with database.reading() as connection:
        mentions = _mentions(connection, run)
    for rows in _slices(database, _staged_users(run)):
        with database.reading() as connection:
            belongs = _groups_of(connection, run, rows[0].id, rows[-1].id)
        changes = []
        for row in rows:
            shown = sorted(mentions[group_id] for group_id in belongs[row.id])
            middle = stored_body.middle(row.user_name, (mention for _, mention in shown))
            digest = hashlib.sha256(stored_body.user_body(row.opening, middle, row.closing).encode()).hexdigest()
            if change := _change(row.published, digest):
                changes.append(_noted(run, Kind.USERS, row.id, change, digest=digest, middle=middle))
        _note(database, changes)


def _staged_users(run: int) -> Any:
    return (
        select(
            staged_users.c.id,
            staged_users.c.user_name,
            staged_users.c.opening,
            staged_users.c.closing,
            users.c.digest.label("published"),
        )
        .join_from(staged_users, users, and_(users.c.id == staged_users.c.id, users.c.until == FOREVER), isouter=True)
        .where(staged_users.c.run == run)
        .order_by(staged_users.c.id)
        .limit(SLICE)
    )


def _slices(database: Database, statement: Any) -> Iterator[list[Row[Any]]]:
    last = ""
    while True:
        with database.reading() as connection:
            rows = list(connection.execute(statement.where(staged_users.c.id > last)))
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _mentions(connection: Connection, run: int) -> dict[str, tuple[str, str]]:
    """Return, for each group, its name and how its members show it; a pool holds at most 10,000 groups."""
    rows = connection.execute(
        select(staged_groups.c.id, staged_groups.c.name, staged_groups.c.mention).where(staged_groups.c.run == run)
    )
    return {row.id: (row.name, row.mention) for row in rows}


def _groups_of(connection: Connection, run: int, first: str, last: str) -> defaultdict[str, list[str]]:
    rows = connection.execute(
        select(staged_memberships.c.user_id, staged_memberships.c.group_id).where(
            staged_memberships.c.run == run,
            staged_memberships.c.user_id >= first,
            staged_memberships.c.user_id <= last,
        )
    )
    belongs: defaultdict[str, list[str]] = defaultdict(list)
    for user_id, group_id in rows:
        belongs[user_id].append(group_id)
    return belongs


@dataclass(slots=True)
class _GroupDigest:
    """Gathers what a group shows: its own attributes and its members, by id and user name."""

    sha: Any
    members: int = 0

    def add(self, user_id: str, user_name: str) -> None:
        # Neither holds a NUL, so no other members could give the same bytes.
        self.sha.update(f"{user_id}\0{user_name}\0".encode())
        self.members += 1


def _note_groups(database: Database, run: int, *, is_whole: bool) -> None:
    with database.reading() as connection:
        staged = connection.execute(
            select(staged_groups.c.id, staged_groups.c.head, groups.c.digest.label("published"))
            .join_from(
                staged_groups, groups, and_(groups.c.id == staged_groups.c.id, groups.c.until == FOREVER), isouter=True
            )
            .where(staged_groups.c.run == run)
        ).all()
    digests = {row.id: _GroupDigest(hashlib.sha256(row.head.encode())) for row in staged}
    members = _staged_members(database, run)
    if not is_whole:
        members = merge(members, _other_members(database, run, sorted(digests)))
    for group_id, user_id, user_name in members:
        digests[group_id].add(user_id, user_name)
    changes = []
    for row in staged:
        shown = digests[row.id]
        digest = shown.sha.hexdigest()
        if change := _change(row.published, digest):
            changes.append(_noted(run, Kind.GROUPS, row.id, change, digest=digest, members=shown.members))
    _note(database, changes)


def _staged_members(database: Database, run: int) -> Iterator[tuple[str, str, str]]:
    key = tuple_(staged_memberships.c.group_id, staged_memberships.c.user_id)
    statement = (
        select(staged_memberships.c.group_id, staged_memberships.c.user_id, staged_users.c.user_name)
        .join(
            staged_users,
            and_(staged_users.c.run == staged_memberships.c.run, staged_users.c.id == staged_memberships.c.user_id),
        )
        .where(staged_memberships.c.run == run)
        .order_by(staged_memberships.c.group_id, staged_memberships.c.user_id)
        .limit(SLICE)
    )
    last = ("", "")
    while True:
        with database.reading() as connection:
            rows = connection.execute(statement.where(key > tuple_(*last))).all()
        if not rows:
            return
        yield from (tuple(row) for row in rows)
        last = (rows[-1].group_id, rows[-1].user_id)


def _other_members(database: Database, run: int, group_ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the published members of some groups who were not read, and are not gone."""
    is_staged = exists().where(staged_users.c.run == run, staged_users.c.id == memberships.c.user_id)
    noted = staged_changes.c
    is_gone = exists().where(noted.run == run, noted.kind == Kind.USERS.value, noted.id == memberships.c.user_id)
    others = (
        select(memberships.c.group_id, memberships.c.user_id, users.c.user_name)
        .join(users, and_(users.c.id == memberships.c.user_id, users.c.until == FOREVER))
        .where(memberships.c.until == FOREVER, ~is_staged, ~is_gone)
        .order_by(memberships.c.user_id)
        .limit(SLICE)
    )
    for group_id in group_ids:
        last = ""
        while True:
            some = others.where(memberships.c.group_id == group_id, memberships.c.user_id > last)
            with database.reading() as connection:
                rows = connection.execute(some).all()
            yield from ((row.group_id, row.user_id, row.user_name) for row in rows)
            if len(rows) < SLICE:
                break
            last = rows[-1].user_id


def _note_removed(database: Database, run: int, kind: Kind, among: Gone | None) -> None:
    published, staged = PUBLISHED[kind], STAGING[kind]
    still_there = exists().where(staged.c.run == run, staged.c.id == published.c.id)
    gone = select(published.c.id).where(published.c.until == FOREVER, ~still_there).order_by(published.c.id)
    if among is not None:
        gone = gone.where(published.c.id.in_(among.of(kind)))
    last = ""
    while True:
        with database.reading() as connection:
            ids = connection.scalars(gone.where(published.c.id > last).limit(SLICE)).all()
        if not ids:
            return
        _note(database, [_noted(run, kind, one, REMOVED) for one in ids])
        last = ids[-1]


def _noted(  # noqa: PLR0913 - the columns of the table
    run: int, kind: Kind, identifier: str, change: str, *, digest: str = "", middle: str = "", members: int = 0
) -> dict[str, Any]:
    return {
        "run": run,
        "kind": kind.value,
        "id": identifier,
        "change": change,
        "digest": digest,
        "middle": middle,
        "members": members,
    }


def _note(database: Database, changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        with database.writing(durable=False) as connection:
            _INSERT.run(connection, changes)


_INSERT = Bulk(insert(staged_changes), staged_changes.c.keys())
