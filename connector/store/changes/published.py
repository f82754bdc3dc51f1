"""What changed from one kept generation to a later one: versions that one of them serves and the other does not."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, exists, literal, or_

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.store.changes.statements import ABSENT, Memberships, Resources, alive_at, state_of
from connector.store.generations import is_kept
from connector.store.sql.tables import groups, memberships, users


@dataclass(frozen=True, slots=True)
class PublishedChanges:
    """The difference of two generations; 0 stands for what was before the first, an empty directory.

    Args:
        first: the earlier one.
        last: the later one.
    """

    first: int
    last: int

    def is_kept(self, connection: Connection) -> bool:
        """Tell whether both are."""
        return is_kept(connection, self.first) and is_kept(connection, self.last)

    def resources(self, kind: ChangeKind) -> tuple[Resources, ...]:
        """Return where to read what became of users or groups: of those who are there now, and of those who are not."""
        table = users if kind is ChangeKind.USERS else groups
        was, now = table.alias("was"), table.alias("now")
        old, new = (state_of(kind, one, one.c.body, one.c.get("members", ABSENT)) for one in (was, now))
        here = now.outerjoin(was, and_(was.c.id == now.c.id, alive_at(was, self.first)))
        gone = was.outerjoin(now, and_(now.c.id == was.c.id, alive_at(now, self.last)))
        became = case((was.c.id.is_(None), ChangeFilter.CREATED.value), else_=ChangeFilter.UPDATED.value)
        # One that changed there and back is what it was.
        is_new = (
            now.c.since > self.first,
            alive_at(now, self.last),
            or_(was.c.id.is_(None), was.c.digest != now.c.digest),
        )
        is_gone = alive_at(was, self.first), was.c.until <= self.last, now.c.id.is_(None)
        return (
            Resources(here, is_new, now.c.id, became, old, new),
            Resources(gone, is_gone, was.c.id, literal(ChangeFilter.REMOVED.value), old, new),
        )

    def memberships(self) -> tuple[Memberships, ...]:
        """Return where to read which memberships came and went."""
        began, ended = memberships.c.since > self.first, memberships.c.until <= self.last
        return (
            _in_one_alone(ChangeFilter.CREATED, began, there=self.last, not_there=self.first),
            _in_one_alone(ChangeFilter.REMOVED, ended, there=self.first, not_there=self.last),
        )


def _in_one_alone(change: ChangeFilter, moved: ColumnElement[bool], *, there: int, not_there: int) -> Memberships:
    """Return the memberships of a generation that another does not have; `moved` says the same of most in less time."""
    one, other = memberships, memberships.alias("other")
    rows = one.join(users, and_(users.c.id == one.c.user_id, alive_at(users, there))).join(
        groups, and_(groups.c.id == one.c.group_id, alive_at(groups, there))
    )
    is_there_too = exists().where(
        other.c.group_id == one.c.group_id, other.c.user_id == one.c.user_id, alive_at(other, not_there)
    )
    return Memberships(
        rows,
        (alive_at(one, there), moved, ~is_there_too),
        (one.c.group_id, one.c.user_id),
        change,
        (one.c.group_id, groups.c.name, groups.c.name_key),
        (one.c.user_id, users.c.user_name, users.c.name_key),
    )
