"""The change plan of a harvest, counted from the marked staging rows (P06)."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, literal, select

from connector.directory.plan import ChangePlan, Changes, GroupLoss, Sizes, Source, digest_of
from connector.directory.rows import Kind
from connector.store.compare import CREATED, SLICE, UPDATED, count_marked
from connector.store.database import Database
from connector.store.generations import Generation, newest, source_of
from connector.store.staging import Staging
from connector.store.tables import (
    FOREVER,
    PUBLISHED,
    STAGING,
    groups,
    memberships,
    staged_groups,
    staged_memberships,
    staged_users,
    users,
)


def read_plan(database: Database, staging: Staging, source: Source, *, rejects: int) -> ChangePlan:
    """Return the plan that the marked staging rows amount to.

    Args:
        database: the store.
        staging: a complete harvest, compared with what is published.
        source: where it was read.
        rejects: number of records that cannot be served.
    """
    run = staging.run
    harvested = staging.sizes()
    with database.reading() as connection:
        generation = newest(connection)
        base = generation.number if generation else 0
        return ChangePlan(
            digest=digest_of(base, source, _changes(connection, run)),
            base=base,
            source=source,
            published_source=source_of(connection, base) if generation else None,
            published=_published(generation),
            harvested=harvested,
            users=_count_changes(connection, run, Kind.USERS),
            groups=_count_changes(connection, run, Kind.GROUPS),
            members_added=connection.execute(_added_members(run)).scalar_one(),
            members_removed=connection.execute(_removed_members(run)).scalar_one(),
            deactivated=connection.execute(_deactivated(run)).scalar_one(),
            losses=tuple(_losses(connection, run)),
            rejects=rejects,
        )


def _published(generation: Generation | None) -> Sizes:
    return Sizes(generation.users, generation.groups, generation.memberships) if generation else Sizes()


def _count_changes(connection: Connection, run: int, kind: Kind) -> Changes:
    published, staged = PUBLISHED[kind], STAGING[kind]
    marked = count_marked(connection, staged, run)
    removed = connection.execute(
        select(func.count()).select_from(published).where(removed_from(run, kind))
    ).scalar_one()
    return Changes(marked.get(CREATED, 0), marked.get(UPDATED, 0), removed)


def removed_from(run: int, kind: Kind) -> Any:
    """Return the condition for published resources that the harvest no longer has."""
    published, staged = PUBLISHED[kind], STAGING[kind]
    still_there = exists().where(staged.c.run == run, staged.c.id == published.c.id)
    return and_(published.c.until == FOREVER, ~still_there)


def _regrouped(run: int) -> Any:
    """Return the ids of the staged users that may have other groups than before.

    A user shows their groups, so whoever has other ones is marked: a change of few users is found by looking at few.
    """
    return select(staged_users.c.id).where(staged_users.c.run == run, staged_users.c.change.is_not(None))


def left_members(run: int, gone: Select[Any] | None = None) -> Any:
    """Return the condition for published memberships that the harvest no longer has.

    Args:
        run: whose staging rows are the harvest.
        gone: the ids of the users who are gone, where they are known already.
    """
    gone = select(users.c.id).where(removed_from(run, Kind.USERS)) if gone is None else gone
    still_there = exists().where(
        staged_memberships.c.run == run,
        staged_memberships.c.group_id == memberships.c.group_id,
        staged_memberships.c.user_id == memberships.c.user_id,
    )
    touched = memberships.c.user_id.in_(_regrouped(run).union_all(gone))
    return and_(memberships.c.until == FOREVER, touched, ~still_there)


def new_members(run: int) -> Any:
    """Return the condition for staged memberships that are not published."""
    known = exists().where(
        memberships.c.group_id == staged_memberships.c.group_id,
        memberships.c.user_id == staged_memberships.c.user_id,
        memberships.c.until == FOREVER,
    )
    return and_(staged_memberships.c.run == run, staged_memberships.c.user_id.in_(_regrouped(run)), ~known)


def _removed_members(run: int) -> Any:
    return select(func.count()).select_from(memberships).where(left_members(run))


def _added_members(run: int) -> Any:
    return select(func.count()).select_from(staged_memberships).where(new_members(run))


def _deactivated(run: int) -> Any:
    return (
        select(func.count())
        .select_from(staged_users.join(users, and_(users.c.id == staged_users.c.id, users.c.until == FOREVER)))
        .where(staged_users.c.run == run, users.c.active.is_(True), staged_users.c.active.is_(False))
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
    for kind in sorted(Kind):
        published, staged = PUBLISHED[kind], STAGING[kind]
        marked = select(staged.c.id, staged.c.change, staged.c.digest).where(
            staged.c.run == run, staged.c.change.is_not(None)
        )
        removed = select(published.c.id, literal("removed"), literal("")).where(removed_from(run, kind))
        both = marked.union_all(removed).order_by("id").execution_options(yield_per=SLICE)
        for identifier, change, digest in connection.execute(both):
            yield kind.value, identifier, change, digest


def examples(database: Database, run: int, *, most: int = 10) -> list[dict[str, str]]:
    """Name a few resources that the plan would change, removals first."""
    found: list[dict[str, str]] = []
    with database.reading() as connection:
        for kind in Kind:
            published, staged = PUBLISHED[kind], STAGING[kind]
            name = published.c.user_name if kind is Kind.USERS else published.c.name
            removed = select(name, literal("removed")).where(removed_from(run, kind))
            name = staged.c.user_name if kind is Kind.USERS else staged.c.name
            marked = select(name, staged.c.change).where(staged.c.run == run, staged.c.change.is_not(None))
            for statement in (removed, marked.order_by(staged.c.change.desc(), staged.c.id)):
                rows = connection.execute(statement.limit(most)).all()
                found += [{"kind": kind.value[:-1], "change": change, "name": text} for text, change in rows]
    found.sort(key=lambda example: example["change"] != "removed")
    return found[:most]
