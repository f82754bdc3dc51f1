"""Stage published users and groups as they are, so that a delta can change what follows from the changes of others.

A user shows their groups, and no two have one name: who is not read again may still be shown otherwise.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import exists, select

from connector.directory.rows import GroupRow, UserRow, fold
from connector.directory.stored_body import mention, split_group, split_user
from connector.store.sql.database import Database
from connector.store.sql.tables import FOREVER, groups, memberships, staged_users, users
from connector.store.staging import Staging

SLICE = 500


def published_group_ids(database: Database, user_id: str) -> list[str]:
    """Return the ids of the groups that a user is published with."""
    of_user = memberships.c.user_id == user_id, memberships.c.until == FOREVER
    with database.reading() as connection:
        return list(connection.scalars(select(memberships.c.group_id).where(*of_user).order_by(memberships.c.group_id)))


def published_member_ids(database: Database, group_id: str) -> set[str]:
    """Return the ids of the members that a group is published with."""
    of_group = memberships.c.group_id == group_id, memberships.c.until == FOREVER
    with database.reading() as connection:
        return set(connection.scalars(select(memberships.c.user_id).where(*of_group)))


def published_username(database: Database, user_id: str) -> str | None:
    """Return the Cognito username of a published user; None of nobody who is published."""
    with database.reading() as connection:
        body = connection.scalar(select(users.c.body).where(users.c.id == user_id, users.c.until == FOREVER))
    return json.loads(body, strict=False)["externalId"] if body is not None else None


def published_groups_named(database: Database, name: str) -> list[tuple[str, int]]:
    """Return the id and the number of members of each published group of a name."""
    with database.reading() as connection:
        named = select(groups.c.id, groups.c.members).where(groups.c.name == name, groups.c.until == FOREVER)
        return [(row.id, row.members) for row in connection.execute(named)]


def restage_groups(staging: Staging, ids: Collection[str]) -> set[str]:
    """Stage published groups as they are, and return the ids of those that there are."""
    found = set()
    with staging.database.reading() as connection:
        for some in _slices(sorted(ids)):
            known = select(groups).where(groups.c.id.in_(some), groups.c.until == FOREVER)
            rows = [
                GroupRow(row.id, row.name, split_group(row.body, row.modified), mention(row.id, row.name))
                for row in connection.execute(known)
            ]
            staging.add_groups(rows)
            found |= {row.id for row in rows}
    staging.flush()
    return found


def restage_users(staging: Staging, ids: Collection[str], *, gone_groups: Collection[str]) -> set[str]:
    """Stage published users as they are, without the groups that are gone; return the ids of all groups they are in."""
    belong: set[str] = set()
    for some in _slices(sorted(ids)):
        with staging.database.reading() as connection:
            lives = users.c.id.in_(some), users.c.until == FOREVER
            is_staged = exists().where(staged_users.c.run == staging.run, staged_users.c.id == users.c.id)
            rows = [_row_of(row) for row in connection.execute(select(users).where(*lives, ~is_staged))]
            found = [row.id for row in rows]
            of_them = memberships.c.user_id.in_(found), memberships.c.until == FOREVER
            pairs = connection.execute(select(memberships.c.group_id, memberships.c.user_id).where(*of_them)).all()
        staging.add_users(rows)
        for group_id, user_id in pairs:
            if group_id not in gone_groups:
                staging.add_members(group_id, (user_id,))
                belong.add(group_id)
        staging.flush()
    return belong


def find_namesakes(database: Database, run: int) -> set[str]:
    """Return the published users who are not staged, and whose name somebody who is may claim."""
    claims = select(staged_users.c.id, staged_users.c.external_id, staged_users.c.wanted)
    is_staged = exists().where(staged_users.c.run == run, staged_users.c.id == users.c.id)
    found: set[str] = set()
    with database.reading() as connection:
        names = {fold(name) for row in connection.execute(claims.where(staged_users.c.run == run)) for name in row}
        for some in _slices(sorted(names)):
            named = users.c.name_key.in_(some), users.c.until == FOREVER, ~is_staged
            found.update(connection.scalars(select(users.c.id).where(*named)))
    return found


def _row_of(row: Any) -> UserRow:
    document = json.loads(row.body, strict=False)
    opening, closing = split_user(row.body, row.user_name, row.modified)
    return UserRow(
        id=row.id,
        external_id=document["externalId"],
        names=(row.user_name, document["externalId"], row.id),
        display_name=row.display_key,
        email=row.email_key,
        active=row.active,
        created=document["meta"].get("created", ""),
        modified="",
        opening=opening,
        closing=closing,
    )


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), SLICE):
        yield ids[begin : begin + SLICE]
