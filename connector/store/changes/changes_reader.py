"""Lists the changes of a run, or between two generations; what the command, the API and the console show.

    changes = ChangesReader(database).of_run(12)
    page = changes.page(Wanted(kind=ChangeKind.USERS, change=ChangeFilter.RENAMED, text="ann"), count=50)
    more = changes.page(..., after=page[-1].key, count=50)
    for change in changes.stream(Wanted(change=ChangeFilter.REMOVED)): ...

A page is one short read along a key, at any depth; a stream is page after page, so its memory does not grow, and no
client holds a transaction open. Every page makes sure that all of the list is still kept: none is ever cut short
in silence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import Connection

from connector.directory.changes import Change, ChangeKind, IdAndName, attributes_of, difference
from connector.errors import NoChangesKept
from connector.store.changes.published import PublishedChanges
from connector.store.changes.run_changes import find_changes
from connector.store.changes.statements import Memberships, Resources, Wanted
from connector.store.sql.database import Database

__all__ = ["EVERYTHING", "ChangeList", "ChangesReader", "Wanted"]

EVERYTHING = Wanted()
SLICE = 500


class ChangesSource(Protocol):
    """Where changes are read."""

    def is_kept(self, connection: Connection) -> bool:
        """Tell whether all of it is still there."""

    def resources(self, kind: ChangeKind) -> tuple[Resources, ...]:
        """Return where to read what became of users or groups."""

    def memberships(self) -> tuple[Memberships, ...]:
        """Return where to read which memberships came and went."""


class ChangesReader:
    """Finds lists of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_run(self, run: int) -> "ChangeList":
        """Return what a run changed, or would change: a sync, a plan, or a plan that was refused.

        Raises:
            NoSuchRun: there is no run of this number, or it is no longer kept.
            NoChangesKept: the run has not ended, changes no directory, or its changes are no longer kept.
        """
        with self._database.reading() as connection:
            source = find_changes(connection, run)
        return ChangeList(self._database, source, f"The changes of run {run}")

    def between(self, first: int, last: int) -> "ChangeList":
        """Return what changed from one generation to a later one; 0 is the empty directory before the first.

        Raises:
            NoChangesKept: one of them is not kept, or they are not in this order.
        """
        if not 0 <= first < last:
            raise NoChangesKept(f"Generation {first} is not before generation {last}.", remedy="Swap the numbers.")
        changes = ChangeList(
            self._database, PublishedChanges(first, last), f"The changes from generation {first} to {last}"
        )
        changes.require()
        return changes


@dataclass(frozen=True, slots=True)
class ChangeList:
    """One list of changes: users, then groups, then memberships, each in the order of their ids.

    Args:
        database: the store.
        source: where they are read.
        what: names the list in an error.
    """

    database: Database
    source: ChangesSource
    what: str

    def require(self) -> None:
        """Make sure that the list is kept.

        Raises:
            NoChangesKept: it is not.
        """
        with self.database.reading() as connection:
            self._require(connection)

    def page(self, wanted: Wanted = EVERYTHING, *, after: str = "", count: int = 100) -> list[Change]:
        """Return some of the wanted changes, fewer than `count` only at the end of the list.

        Args:
            wanted: which changes.
            after: the `key` of the change that they follow; empty = from the beginning.
            count: how many at most.

        Raises:
            ValueError: `after` is not the key of a change.
            NoChangesKept: the list is no longer kept.
        """
        kind, *last = _read_key(after)
        found: list[Change] = []
        with self.database.reading() as connection:
            self._require(connection)
            for each in wanted.kinds:
                if list(ChangeKind).index(each) < list(ChangeKind).index(kind):
                    continue
                beyond = last if each is kind else ["", ""]
                found += self._read(connection, each, wanted, beyond, count - len(found))
                if len(found) >= count:
                    break
        return found

    def stream(self, wanted: Wanted = EVERYTHING) -> Iterator[Change]:
        """Yield all of the wanted changes; errors are those of `page`, at any time."""
        after = ""
        while page := self.page(wanted, after=after, count=SLICE):
            yield from page
            after = page[-1].key

    def _require(self, connection: Connection) -> None:
        if not self.source.is_kept(connection):
            raise _no_longer_kept(self.what)

    def _read(
        self, connection: Connection, kind: ChangeKind, wanted: Wanted, after: Sequence[str], count: int
    ) -> Iterator[Change]:
        if kind is ChangeKind.MEMBERSHIPS:
            links = (one.select(wanted, after=(after[0], after[1]), count=count) for one in self.source.memberships())
            lists = [[_read_membership(tuple(row)) for row in connection.execute(statement)] for statement in links]
        else:
            states = (one.select(wanted, after=after[0], count=count) for one in self.source.resources(kind))
            lists = [[self._read_resource(kind, tuple(row)) for row in connection.execute(one)] for one in states]
        return islice(merge(*lists, key=lambda change: change.key.split("/")), count)

    def _read_resource(self, kind: ChangeKind, row: Sequence[Any]) -> Change:
        identifier, change, old_name, old_body, old_members, new_name, new_body, new_members = row
        if (old_body is None and change != "created") or (new_body is None and change != "removed"):
            raise _no_longer_kept(self.what)
        was, now = (attributes_of(body) if body else {} for body in (old_body, new_body))
        if kind is ChangeKind.GROUPS:
            was |= {"members": old_members} if was else {}
            now |= {"members": new_members} if now else {}
        of = IdAndName(identifier, new_name or old_name)
        before, after = difference(was, now)
        if not before and not after and kind is ChangeKind.GROUPS:  # others belong to it, or some have other names
            before = after = {"members": new_members}
        return Change(kind, change, of, was=before, now=after, key=f"{kind.value}/{identifier}")


def _read_membership(row: Sequence[Any]) -> Change:
    first, second, change, group_id, group_name, user_id, user_name = row
    key = f"{ChangeKind.MEMBERSHIPS.value}/{first}/{second}"
    group, user = IdAndName(group_id, group_name), IdAndName(user_id, user_name)
    return Change(ChangeKind.MEMBERSHIPS, change, group=group, user=user, key=key)


def _read_key(text: str) -> tuple[ChangeKind, str, str]:
    kind, *ids = (text or "users/").split("/")
    if len(ids) != (2 if kind == ChangeKind.MEMBERSHIPS.value else 1):
        raise ValueError(f"{text!r} is not the key of a change")
    return ChangeKind(kind), ids[0], ids[-1]


def _no_longer_kept(what: str) -> NoChangesKept:
    return NoChangesKept(
        f"{what} are no longer kept.",
        remedy="Old generations are kept as long as sync.retention says; a refused plan, for a day.",
    )
