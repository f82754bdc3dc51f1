"""What a run would change: its noted changes, with what is staged and what it was compared with."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, literal, select

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.directory.rows import Kind
from connector.directory.stored_body import ending, user_body
from connector.store.changes.statements import (
    ABSENT,
    Memberships,
    Resources,
    alive_at,
    state_of,
)
from connector.store.generations import is_kept
from connector.store.sql.tables import (
    groups,
    memberships,
    staged_changes,
    staged_groups,
    staged_memberships,
    staged_users,
    users,
)


@dataclass(frozen=True, slots=True)
class PlannedChanges:
    """The changes that a run noted.

    Args:
        run: whose staging rows to read.
        base: the generation it was compared with, 0 = none.
    """

    run: int
    base: int

    def is_kept(self, connection: Connection) -> bool:
        """Tell whether all of it is still there."""
        noted = connection.scalar(select(exists().where(staged_changes.c.run == self.run)))
        return bool(noted) and is_kept(connection, self.base)

    def resources(self, kind: ChangeKind) -> tuple[Resources, ...]:
        """Return where to read what becomes of users or groups."""
        published, staged = (users, staged_users) if kind is ChangeKind.USERS else (groups, staged_groups)
        noted, was = staged_changes.c, published.alias("was")
        rows = staged_changes.outerjoin(was, and_(was.c.id == noted.id, alive_at(was, self.base))).outerjoin(
            staged, and_(staged.c.run == noted.run, staged.c.id == noted.id)
        )
        of_user = user_body(staged_users.c.opening, noted.middle, staged_users.c.closing)
        body = (of_user if kind is ChangeKind.USERS else staged_groups.c.head) + literal(ending(""))
        old = state_of(kind, was, was.c.body, was.c.get("members", ABSENT))
        new = state_of(kind, staged, body, noted.members)
        return (Resources(rows, (noted.run == self.run, noted.kind == kind.value), noted.id, noted.change, old, new),)

    def memberships(self) -> tuple[Memberships, ...]:
        """Return where to read which memberships come and go; whoever has other groups is noted as changed."""
        return self._left(), self._new()

    def _left(self) -> Memberships:
        noted, user, group = staged_changes.c, users.alias("was_user"), groups.alias("was_group")
        rows = (
            staged_changes.join(memberships, and_(memberships.c.user_id == noted.id, alive_at(memberships, self.base)))
            .join(user, and_(user.c.id == memberships.c.user_id, alive_at(user, self.base)))
            .join(group, and_(group.c.id == memberships.c.group_id, alive_at(group, self.base)))
        )
        still_there = exists().where(
            staged_memberships.c.run == self.run,
            staged_memberships.c.group_id == memberships.c.group_id,
            staged_memberships.c.user_id == memberships.c.user_id,
        )
        return Memberships(
            rows,
            (noted.run == self.run, noted.kind == Kind.USERS.value, ~still_there),
            (noted.id, memberships.c.group_id),
            ChangeFilter.REMOVED,
            (memberships.c.group_id, group.c.name, group.c.name_key),
            (noted.id, user.c.user_name, user.c.name_key),
        )

    def _new(self) -> Memberships:
        noted, staged = staged_changes.c, staged_memberships.c
        rows = (
            staged_changes.join(staged_memberships, and_(staged.run == noted.run, staged.user_id == noted.id))
            .join(staged_users, and_(staged_users.c.run == noted.run, staged_users.c.id == noted.id))
            .join(staged_groups, and_(staged_groups.c.run == noted.run, staged_groups.c.id == staged.group_id))
        )
        known = exists().where(
            memberships.c.group_id == staged.group_id,
            memberships.c.user_id == staged.user_id,
            alive_at(memberships, self.base),
        )
        return Memberships(
            rows,
            (noted.run == self.run, noted.kind == Kind.USERS.value, ~known),
            (staged.user_id, staged.group_id),  # along their index
            ChangeFilter.CREATED,
            (staged.group_id, staged_groups.c.name, staged_groups.c.name_key),
            (noted.id, staged_users.c.user_name, staged_users.c.name_key),
        )
