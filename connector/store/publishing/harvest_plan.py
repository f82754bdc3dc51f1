"""The change plan of a harvest, counted from the changes that its comparison noted (P06)."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, func, select

from connector.directory.change_plan import (
    UNRECORDED,
    ChangePlan,
    Changes,
    DirectorySource,
    GroupLoss,
    Making,
    Sizes,
    digest_of,
)
from connector.directory.rows import Kind
from connector.store.generations import Generation, making_of, newest, source_of
from connector.store.publishing.compare import CREATED, REMOVED, SLICE, UPDATED
from connector.store.sql.database import Database
from connector.store.sql.tables import (
    FOREVER,
    groups,
    memberships,
    staged_changes,
    staged_groups,
    staged_memberships,
    staged_users,
    users,
)
from connector.store.staging import Staging


def read_plan(  # noqa: PLR0913 - what a plan is made of
    database: Database,
    staging: Staging,
    source: DirectorySource,
    *,
    rejects: int,
    making: Making = UNRECORDED,
    compared_with: int | None = None,
) -> ChangePlan:
    """Return the plan that the noted changes amount to.

    Args:
        database: the store.
        staging: a harvest, compared with what is published.
        source: where it was read.
        rejects: number of records that cannot be served.
        making: how its records became people.
        compared_with: the generation that its changes were noted against, None = the newest; see `is_untouched`.
    """
    run = staging.run
    with database.reading() as connection:
        generation = newest(connection)
        base = generation.number if generation else 0
        published = _published(generation)
        changes = _count_changes(connection, run)
        members_added = connection.execute(_added_members(run)).scalar_one()
        members_removed = connection.execute(_removed_members(run)).scalar_one()
        return ChangePlan(
            digest=digest_of(base if compared_with is None else compared_with, source, _changes(connection, run)),
            base=base,
            source=source,
            published_source=source_of(connection, base) if generation else None,
            published=published,
            harvested=Sizes(
                published.users + changes[Kind.USERS].growth,
                published.groups + changes[Kind.GROUPS].growth,
                published.memberships + members_added - members_removed,
            ),
            users=changes[Kind.USERS],
            groups=changes[Kind.GROUPS],
            members_added=members_added,
            members_removed=members_removed,
            making=making,
            published_making=making_of(connection, base) if generation else UNRECORDED,
            **connection.execute(_turned(run)).one()._asdict(),
            emptied=connection.execute(_emptied(run)).scalar_one(),
            losses=tuple(_losses(connection, run)),
            rejects=rejects,
        )


def _published(generation: Generation | None) -> Sizes:
    return Sizes(generation.users, generation.groups, generation.memberships) if generation else Sizes()


def _count_changes(connection: Connection, run: int) -> dict[Kind, Changes]:
    noted = staged_changes.c
    rows = connection.execute(
        select(noted.kind, noted.change, func.count()).where(noted.run == run).group_by(noted.kind, noted.change)
    )
    counted = {(kind, change): number for kind, change, number in rows}
    return {kind: Changes(*(counted.get((kind, change), 0) for change in (CREATED, UPDATED, REMOVED))) for kind in Kind}


def ids_of_changed(run: int, kind: Kind, *changes: str) -> Select[str]:
    """Return the statement that reads the ids of the resources with a change, or with one of those named."""
    noted = staged_changes.c
    ids = select(noted.id).where(noted.run == run, noted.kind == kind.value)
    return ids.where(noted.change.in_(changes)) if changes else ids


def left_members(run: int) -> Any:
    """Return the condition for published memberships that the harvest no longer has.

    A user shows their groups, so whoever has other ones is changed: a change of few users is found by looking at few.
    """
    still_there = exists().where(
        staged_memberships.c.run == run,
        staged_memberships.c.group_id == memberships.c.group_id,
        staged_memberships.c.user_id == memberships.c.user_id,
    )
    touched = memberships.c.user_id.in_(ids_of_changed(run, Kind.USERS))
    return and_(memberships.c.until == FOREVER, touched, ~still_there)


def new_members(run: int) -> Any:
    """Return the condition for staged memberships that are not published; see `left_members`."""
    known = exists().where(
        memberships.c.group_id == staged_memberships.c.group_id,
        memberships.c.user_id == staged_memberships.c.user_id,
        memberships.c.until == FOREVER,
    )
    touched = staged_memberships.c.user_id.in_(ids_of_changed(run, Kind.USERS, CREATED, UPDATED))
    return and_(staged_memberships.c.run == run, touched, ~known)


def _removed_members(run: int) -> Any:
    return select(func.count()).select_from(memberships).where(left_members(run))


def _added_members(run: int) -> Any:
    return select(func.count()).select_from(staged_memberships).where(new_members(run))


def _turned(run: int) -> Any:
    """Return the statement that counts, among the users who stay, those who become somebody else or inactive."""
    published, staged = users.c, staged_users.c
    counted = {
        "renamed": published.name_key != staged.name_key,
        "changed_emails": and_(published.email_key != "", published.email_key != staged.email_key),
        "deactivated": and_(published.active.is_(True), staged.active.is_(False)),
    }
    return (
        select(*(func.count(case((condition, 1))).label(name) for name, condition in counted.items()))
        .select_from(staged_users.join(users, and_(published.id == staged.id, published.until == FOREVER)))
        .where(staged.run == run, staged.id.in_(ids_of_changed(run, Kind.USERS, UPDATED)))
    )


def _emptied(run: int) -> Any:
    noted = staged_changes.c
    return (
        select(func.count())
        .select_from(staged_changes.join(groups, and_(groups.c.id == noted.id, groups.c.until == FOREVER)))
        .where(noted.run == run, noted.kind == Kind.GROUPS.value, noted.change == UPDATED)
        .where(groups.c.members > 0, noted.members == 0)
    )


def _losses(connection: Connection, run: int) -> Iterator[GroupLoss]:
    lost = (
        select(memberships.c.group_id, func.count().label("removed"))
        .where(left_members(run))
        .group_by(memberships.c.group_id)
        .subquery()
    )
    rows = connection.execute(
        select(groups.c.name, lost.c.removed, groups.c.members)
        .join(lost, and_(groups.c.id == lost.c.group_id, groups.c.until == FOREVER))
        .join(staged_groups, and_(staged_groups.c.run == run, staged_groups.c.id == groups.c.id))
        .order_by(groups.c.name)
    )
    for name, removed, published in rows:
        yield GroupLoss(name, removed, published)


def _changes(connection: Connection, run: int) -> Iterator[tuple[str, str, str, str]]:
    """List every change in the order of kind and id, as `digest_of` wants them."""
    noted = staged_changes.c
    every = select(noted.kind, noted.id, noted.change, noted.digest).where(noted.run == run)
    ordered = every.order_by(noted.kind, noted.id).execution_options(yield_per=SLICE)
    return map(tuple, connection.execute(ordered))
