"""A list of changes as statements: each row holds the old and the new state of one resource, in the order of a key.

Where the two states come from, `planned` and `published` say; here is what is asked of them, the same for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, literal, null, or_, select, true, tuple_

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.directory.rows import fold

ABSENT: ColumnElement[Any] = null()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes are wanted.

    Args:
        kind: what they are about; None = anything.
        change: what became of it; None = anything.
        text: a part of a name or an e-mail address, in any case, or a whole id; empty = anybody.
    """

    kind: ChangeKind | None = None
    change: ChangeFilter | None = None
    text: str = ""

    @property
    def kinds(self) -> tuple[ChangeKind, ...]:
        """The kinds to look at, in the order in which they are listed."""
        return tuple(kind for kind in ChangeKind if self.kind in {None, kind} and self._may_be(kind))

    def _may_be(self, kind: ChangeKind) -> bool:
        match self.change:
            case ChangeFilter.RENAMED | ChangeFilter.DEACTIVATED | ChangeFilter.EMAIL_CHANGED:
                return kind is ChangeKind.USERS
            case ChangeFilter.EMPTIED:
                return kind is ChangeKind.GROUPS
            case ChangeFilter.UPDATED:
                return kind is not ChangeKind.MEMBERSHIPS
        return True


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One state of a user or a group, by the columns that tell it.

    Args:
        name: what it is called.
        body: the whole of it, as rendered.
        folded: the texts that can be searched, all of them folded; the first is the name.
        email: the primary e-mail address, folded; of a user.
        active: of a user.
        members: how many; of a group.
    """

    name: ColumnElement[Any]
    body: ColumnElement[Any]
    folded: tuple[ColumnElement[Any], ...]
    email: ColumnElement[Any] = ABSENT
    active: ColumnElement[Any] = ABSENT
    members: ColumnElement[Any] = ABSENT


@dataclass(frozen=True, slots=True)
class Resources:
    """Users or groups that changed.

    Args:
        rows: the tables, joined.
        where: the conditions that make these rows changes.
        id: of the resource, and the key of the list.
        change: the word for what became of it.
        old: its state before, without values where it was not there.
        new: its state after, without values where it is gone.
    """

    rows: Any
    where: tuple[ColumnElement[bool], ...]
    id: ColumnElement[Any]
    change: ColumnElement[Any]
    old: ResourceState
    new: ResourceState

    def select(self, wanted: Wanted, *, after: str, count: int) -> Select[Any]:
        """Return the statement that reads some of them, in the order of their ids."""
        old, new = self.old, self.new
        columns = self.id, self.change, old.name, old.body, old.members, new.name, new.body, new.members
        named = (column.label(f"c{place}") for place, column in enumerate(columns))
        asked = (*self.where, self.id > after, self._became(wanted.change), self._mentions(wanted.text))
        return select(*named).select_from(self.rows).where(*asked).order_by(self.id).limit(count)

    def _became(self, change: ChangeFilter | None) -> ColumnElement[bool]:
        old, new, updated = self.old, self.new, self.change == ChangeFilter.UPDATED.value
        match change:
            case None:
                return true()
            case ChangeFilter.RENAMED:
                return and_(updated, old.folded[0] != new.folded[0])
            case ChangeFilter.DEACTIVATED:
                return and_(updated, old.active.is_(True), new.active.is_(False))
            case ChangeFilter.EMAIL_CHANGED:
                return and_(updated, old.email != "", old.email != new.email)
            case ChangeFilter.EMPTIED:
                return and_(updated, old.members > 0, new.members == 0)
        return self.change == change.value

    def _mentions(self, text: str) -> ColumnElement[bool]:
        if not text:
            return true()
        return or_(self.id == text, *contains(text, *self.old.folded, *self.new.folded))


@dataclass(frozen=True, slots=True)
class Memberships:
    """Memberships that came or went.

    Args:
        rows: the tables, joined.
        where: the conditions that make these rows changes.
        key: two columns, the group and the user, in the order of the list.
        change: the word for what became of them.
        group: id, name and folded name.
        user: id, name and folded name.
    """

    rows: Any
    where: tuple[ColumnElement[bool], ...]
    key: tuple[ColumnElement[Any], ColumnElement[Any]]
    change: ChangeFilter
    group: tuple[ColumnElement[Any], ...]
    user: tuple[ColumnElement[Any], ...]

    def select(self, wanted: Wanted, *, after: tuple[str, str], count: int) -> Select[Any]:
        """Return the statement that reads some of them, in the order of their key."""
        columns = *self.key, literal(self.change.value), *self.group[:2], *self.user[:2]
        named = (column.label(f"c{place}") for place, column in enumerate(columns))
        is_wanted = true() if wanted.change in {None, self.change} else false()
        beyond = tuple_(*self.key) > tuple_(*after)
        asked = (*self.where, beyond, self.key[0] >= after[0], is_wanted, self._mentions(wanted.text))
        return select(*named).select_from(self.rows).where(*asked).order_by(*self.key).limit(count)

    def _mentions(self, text: str) -> ColumnElement[bool]:
        if not text:
            return true()
        return or_(self.group[0] == text, self.user[0] == text, *contains(text, self.group[2], self.user[2]))


def contains(text: str, *folded: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
    """Return, for each column, the condition that it holds a text, whatever its case."""
    return [column.contains(fold(text), autoescape=True) for column in folded]


def state_of(kind: ChangeKind, table: Any, body: ColumnElement[Any], members: ColumnElement[Any]) -> ResourceState:
    """Return a state from a table that has the columns of users or groups.

    Args:
        kind: which of them.
        table: the table, or an alias of it.
        body: the whole of the resource.
        members: how many a group has.
    """
    if kind is ChangeKind.GROUPS:
        return ResourceState(table.c.name, body, (table.c.name_key,), members=members)
    folded = (table.c.name_key, table.c.display_key, table.c.email_key)
    return ResourceState(table.c.user_name, body, folded, email=table.c.email_key, active=table.c.active)


def alive_at(table: Any, generation: int) -> ColumnElement[bool]:
    """Return the condition for the versions that a generation serves."""
    return and_(table.c.since <= generation, table.c.until > generation)
