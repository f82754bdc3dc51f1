"""Reads of one generation; what SCIM is served from.

A page of everything is a range of positions, at any depth the same: the landmark before it says where to begin. A page
of a search is a slice of the positions that match.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from scim2_models.path import FilterNode
from sqlalchemy import Integer, Select, bindparam, select

from connector.directory.rows import Kind, StoredRow
from connector.store.generations import Generation, fetch_generation, fetch_newest
from connector.store.reading.indexed_attributes import alive
from connector.store.reading.matches import Elsewhere, Interpreter, Matches, Search
from connector.store.reading.resources import (
    SLICE,
    Member,
    Stored,
    read_members,
    read_positions,
    select_resources,
)
from connector.store.reading.sql_filters import Sort
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import PUBLISHED, STRIDE, landmarks
from connector.store.sql.time_limit import SECONDS

__all__ = ["DirectoryReader", "Member", "ResourcePage", "Stored"]


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Some rows, streamed in slices, and how many there are in all."""

    total: int
    slices: Iterator[Sequence[StoredRow]]

    @property
    def resources(self) -> Iterator[Stored]:
        """The resources, one by one."""
        return map(Stored._make, chain.from_iterable(self.slices))


class DirectoryReader:
    """Reads the published directory, and nothing else.

    Args:
        database: the store.
        interpreter: decides what no column tells; None = only indexed attributes can be searched for.
        seconds: how long one search may take.
        clock: seconds of any origin, never going back.
        elsewhere: decides in another process what no column tells; None = it is decided here.
    """

    def __init__(
        self,
        database: Database,
        interpreter: Interpreter | None = None,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._database = database
        self._matches = Matches(database, interpreter, seconds=seconds, clock=clock, elsewhere=elsewhere)

    def newest(self) -> Generation | None:
        """Return the newest generation, None before the first.

        Raises:
            StoreError: the store does not answer.
        """
        return fetch_newest(self._database)

    def generation(self, number: int) -> Generation | None:
        """Return the generation of this number, if it is kept."""
        return fetch_generation(self._database, number)

    def find(self, kind: Kind, identifier: str, generation: Generation) -> Stored | None:
        """Return the resource of this id in a generation."""
        rows = self._database.fetch(_ONE[kind], id=identifier, generation=generation.number)
        return next(map(Stored._make, rows), None)

    def page(  # noqa: PLR0913 - what a list request asks for
        self,
        kind: Kind,
        generation: Generation,
        *,
        start: int,
        count: int,
        where: FilterNode | None = None,
        sort: Sort | None = None,
    ) -> ResourcePage:
        """Return `count` resources of a generation from the one numbered `start`.

        Args:
            kind: users or groups.
            generation: the state to read.
            start: number of the first resource, counted from 1.
            count: how many at most.
            where: the filter, bound to the schemas; None = everything.
            sort: the order, None = that of their positions.

        Raises:
            UnsupportedFilter: the search is about what is not indexed, and there is no interpreter.
            TooExpensive: the search takes too much time or memory.
        """
        if where is None and sort is None:
            total = generation.users if kind is Kind.USERS else generation.groups
            return ResourcePage(total, self._slices(kind, generation, start, min(count, max(total - start + 1, 0))))
        found = self._matches.find(Search(kind, generation, where, sort))
        return ResourcePage(len(found), read_positions(self._database, kind, found[start - 1 : start - 1 + count]))

    def members(self, group_id: str, generation: Generation) -> Iterator[Member]:
        """Stream the members of a group in a generation, in the order of their ids."""
        return read_members(self._database, group_id, generation)

    def _slices(self, kind: Kind, generation: Generation, start: int, count: int) -> Iterator[Sequence[StoredRow]]:
        for begin in range(start - 1, start - 1 + count, SLICE):
            yield self._database.fetch(
                _SLICES[kind],
                generation=generation.number,
                landmark=begin // STRIDE * STRIDE,
                skipped=begin % STRIDE,
                most=min(start - 1 + count - begin, SLICE),
            )


def _select_one(kind: Kind) -> Select[Any]:
    table = PUBLISHED[kind]
    return select_resources(kind).where(table.c.id == bindparam("id"), alive(table))


def _select_slice(kind: Kind) -> Select[Any]:
    table = PUBLISHED[kind]
    landmark = (
        select(landmarks.c.position)
        .where(
            landmarks.c.generation == bindparam("generation"),
            landmarks.c.kind == kind.value,
            landmarks.c.ordinal == bindparam("landmark"),
        )
        .scalar_subquery()
    )
    return (
        select_resources(kind)
        .where(alive(table), table.c.position >= landmark)
        .order_by(table.c.position)
        .limit(bindparam("most", type_=Integer()))
        .offset(bindparam("skipped", type_=Integer()))
    )


_ONE = {kind: Prepared(_select_one(kind)) for kind in Kind}
_SLICES = {kind: Prepared(_select_slice(kind)) for kind in Kind}
