"""What deltas and one more would have taken away since the baseline: what the safeguard judges of a delta (P41).

Old and new are two states, not two histories: whoever went and came back is no loss, and who flips twice counts once.
Only who changed since is looked at.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, literal, or_, select

from connector.directory.change_plan import ChangePlan, GroupLoss
from connector.directory.rows import Kind
from connector.store.publishing.baseline import Baseline
from connector.store.publishing.compare import REMOVED
from connector.store.publishing.harvest_plan import ids_of_changed
from connector.store.sql.tables import (
    FOREVER,
    groups,
    memberships,
    staged_changes,
    staged_memberships,
    staged_users,
    users,
)


def sum_since(connection: Connection, run: int, plan: ChangePlan, baseline: Baseline) -> ChangePlan:
    """Return the plan as the safeguard judges it: with all that would be gone of the baseline, not of the last publish.

    Args:
        connection: sees the store as the plan was read.
        run: the delta whose changes are noted.
        plan: what it would change.
        baseline: what to compare with.
    """
    since = baseline.generation
    of_users = connection.execute(_lost_users(run, since)).one()._asdict()
    removed = of_users.pop("removed")
    lost_members = _lost_members(run, since)
    return replace(
        plan,
        published=baseline.sizes,
        users=replace(plan.users, removed=removed),
        groups=replace(plan.groups, removed=connection.execute(_lost_groups(run, since)).scalar_one()),
        members_removed=connection.execute(select(func.count()).select_from(lost_members.subquery())).scalar_one(),
        losses=tuple(_losses(connection, run, lost_members, since)),
        emptied=connection.execute(_emptied(run, since)).scalar_one(),
        **of_users,
    )


def _was(table: Any, run: int, kind: Kind, since: int) -> ColumnElement[bool]:
    """Return the condition for versions of the baseline that ended since, or would end now."""
    touched = or_(table.c.until < FOREVER, table.c.id.in_(ids_of_changed(run, kind)))
    return and_(table.c.since <= since, table.c.until > since, touched)


def _noted(run: int, kind: Kind, of: ColumnElement[Any]) -> ColumnElement[bool]:
    noted = staged_changes.c
    return and_(noted.run == run, noted.kind == kind.value, noted.id == of)


def _lost_users(run: int, since: int) -> Any:
    was, noted, now, staged = users.alias("was"), staged_changes.c, users.alias("now"), staged_users.c
    rows = (
        was.outerjoin(staged_changes, _noted(run, Kind.USERS, was.c.id))
        .outerjoin(staged_users, and_(staged.run == run, staged.id == was.c.id, noted.change != REMOVED))
        .outerjoin(now, and_(now.c.id == was.c.id, now.c.until == FOREVER, noted.id.is_(None)))
    )
    stays = or_(staged.id.is_not(None), now.c.id.is_not(None))
    name, email, active = (
        case((staged.id.is_not(None), staged[column]), else_=now.c[column])
        for column in ("name_key", "email_key", "active")
    )
    counted: Mapping[str, ColumnElement[bool]] = {
        "removed": ~stays,
        "renamed": and_(stays, was.c.name_key != name),
        "changed_emails": and_(stays, was.c.email_key != "", was.c.email_key != email),
        "deactivated": and_(stays, was.c.active.is_(True), active.is_(False)),
    }
    columns = (func.count(case((condition, 1))).label(name) for name, condition in counted.items())
    return select(*columns).select_from(rows).where(_was(was, run, Kind.USERS, since))


def _stays(kind: Kind, table: Any, run: int, identifier: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition for resources that a delta leaves there."""
    now, noted = table.alias("still"), staged_changes.c
    lives = exists().where(now.c.id == identifier, now.c.until == FOREVER)
    goes = exists().where(_noted(run, kind, identifier), noted.change == REMOVED)
    comes = exists().where(_noted(run, kind, identifier), noted.change != REMOVED)
    return or_(and_(lives, ~goes), comes)


def _lost_groups(run: int, since: int) -> Select[Any]:
    was = groups.alias("was")
    gone = ~_stays(Kind.GROUPS, groups, run, was.c.id)
    return select(func.count()).select_from(was).where(_was(was, run, Kind.GROUPS, since), gone)


def _lost_members(run: int, since: int) -> Select[Any]:
    """Return the statement for the memberships of the baseline that would be no more."""
    was, now = memberships.alias("was"), memberships.alias("now")
    is_noted = exists().where(_noted(run, Kind.USERS, was.c.user_id))
    staged = exists().where(
        staged_memberships.c.run == run,
        staged_memberships.c.group_id == was.c.group_id,
        staged_memberships.c.user_id == was.c.user_id,
    )
    lives = exists().where(now.c.group_id == was.c.group_id, now.c.user_id == was.c.user_id, now.c.until == FOREVER)
    touched = or_(was.c.until < FOREVER, was.c.user_id.in_(ids_of_changed(run, Kind.USERS)))
    left = or_(and_(is_noted, ~staged), and_(~is_noted, ~lives))
    return select(was.c.group_id).where(was.c.since <= since, was.c.until > since, touched, left)


def _losses(connection: Connection, run: int, lost_members: Select[Any], since: int) -> list[GroupLoss]:
    lost = lost_members.subquery()
    counted = select(lost.c.group_id, func.count().label("removed")).group_by(lost.c.group_id).subquery()
    was = groups.alias("was")
    rows = connection.execute(
        select(was.c.name, counted.c.removed, was.c.members)
        .join(counted, counted.c.group_id == was.c.id)
        .where(was.c.since <= since, was.c.until > since, _stays(Kind.GROUPS, groups, run, was.c.id))
        .order_by(was.c.name)
    )
    return [GroupLoss(*row) for row in rows]


def _emptied(run: int, since: int) -> Select[Any]:
    was, now, noted = groups.alias("was"), groups.alias("now"), staged_changes.c
    rows = was.outerjoin(staged_changes, _noted(run, Kind.GROUPS, was.c.id)).outerjoin(
        now, and_(now.c.id == was.c.id, now.c.until == FOREVER)
    )
    goes = and_(noted.id.is_not(None), noted.change == REMOVED)
    members = case((noted.id.is_not(None), noted.members), else_=func.coalesce(now.c.members, literal(-1)))
    return (
        select(func.count())
        .select_from(rows)
        .where(_was(was, run, Kind.GROUPS, since), was.c.members > 0, ~func.coalesce(goes, False), members == 0)
    )
