"""Which resources match a search, and in which order: their positions, of which a page is a slice.

Whatever SQL leaves open is decided from bodies, read in slices, so that neither memory nor time has no bound. A
generation never changes, so an answer stays true; the last ones are kept for the other pages of the same walk.
"""

import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import Any, Protocol

from scim2_models.path import AttrPath, FilterNode
from sqlalchemy import select

from connector.directory.rows import Kind
from connector.store.generations import Generation
from connector.store.reading.indexed_attributes import alive
from connector.store.reading.resources import SLICE, Member, Stored, read_members, read_placed
from connector.store.reading.sql_filters import EVERYTHING, Sort, SqlFilter, UnsupportedFilter, known_of, order_of
from connector.store.sql.database import Database
from connector.store.sql.tables import PUBLISHED
from connector.store.sql.time_limit import SECONDS, Budget, TooExpensive

Positions = Sequence[int]

_FETCH = 10_000
_SORTED_CHARACTERS = 1 << 25
_CHARACTERS_OF_A_ROW = 100


class Interpreter(Protocol):
    """Understands bodies, which the store only keeps."""

    def read(self, kind: Kind, stored: Stored, members: Iterable[Member]) -> Any:
        """Return a resource in the form in which the other two take it."""

    def matcher(self, kind: Kind, where: FilterNode) -> Callable[[Any], bool]:
        """Return what tells whether a resource matches a filter."""

    def sort_key(self, kind: Kind, path: AttrPath) -> Callable[[Any], Any]:
        """Return what gives the value that a resource is sorted by, None for no value."""


class Elsewhere(Protocol):
    """Decides in another process; see `connector.store.reading.search_process`."""

    def find(self, search: "Search", seconds: float) -> Positions:
        """Return the positions of all matches, in the order asked for."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, None = everything, and the order it is wanted in, None = that of the positions."""

    kind: Kind
    generation: Generation
    where: FilterNode | None = None
    sort: Sort | None = None


class Matches:
    """Answers searches.

    Args:
        database: the store.
        interpreter: decides what no column tells; None = such a search is refused.
        seconds: how long one search may take.
        clock: seconds of any origin, never going back.
        elsewhere: decides instead of this process what no column tells; None = it is decided here.
    """

    def __init__(
        self,
        database: Database,
        interpreter: Interpreter | None,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._database = database
        self._interpreter = interpreter
        self._elsewhere = elsewhere
        self._seconds = seconds
        self._clock = clock
        self._answers = _Answers()
        self._deciding = Lock()

    def find(self, search: Search) -> Positions:
        """Return the positions of all matches, in the order asked for.

        Raises:
            UnsupportedFilter: the search needs an interpreter.
            TooExpensive: it takes too much time or memory.
        """
        answer = self._answers.get(search)
        if answer is None:
            answer, by_index = self._find(search, Budget(self._seconds, self._clock))
            # The lookups that importers make between two pages would only push the walk out.
            if len(answer) > SLICE or not by_index:
                self._answers.keep(search, answer)
        return answer

    def decide(self, search: Search, seconds: float) -> Positions:
        """Return the positions of all matches, found now, within a time; raises what `find` does."""
        return self._find(search, Budget(seconds, self._clock))[0]

    def _find(self, search: Search, budget: Budget) -> tuple[Positions, bool]:
        """Return the answer, and whether columns alone gave it."""
        where, sort = search.where, search.sort
        known = EVERYTHING if where is None else known_of(search.kind, where)
        order = order_of(search.kind, sort)
        if self._elsewhere is not None and not (known.exact and order is not None):
            with self._turn(budget):
                return self._elsewhere.find(search, self._seconds), False
        # What Python sorts comes in order of id, which then stays the order of what is equal.
        candidates = self._candidates(search, known, (PUBLISHED[search.kind].c.id,) if order is None else order, budget)
        if known.exact and order is not None:
            return candidates, True
        if self._interpreter is None:
            raise UnsupportedFilter("an attribute without an index is not supported")
        matches = _always if known.exact or where is None else self._interpreter.matcher(search.kind, where)
        key_of = self._interpreter.sort_key(search.kind, sort.path) if sort and order is None else None
        with self._turn(budget):
            decided = self._decide(search, candidates, matches, budget)
            if sort is None or key_of is None:
                return array("q", (position for position, _ in decided)), False
            keys = _Keys(key_of)
            for position, resource in decided:
                keys.add(position, resource)
            return keys.order(descending=sort.descending), False

    @contextmanager
    def _turn(self, budget: Budget) -> Iterator[None]:
        """Wait until no other search is decided in Python: two at once slow each other, and every page beside them."""
        if not self._deciding.acquire(timeout=budget.remaining):
            raise TooExpensive("searches like it are under way")
        try:
            yield
        finally:
            self._deciding.release()

    def _candidates(self, search: Search, known: SqlFilter, by: Iterable[Any], budget: Budget) -> Positions:
        table = PUBLISHED[search.kind]
        statement = (
            select(table.c.position)
            .where(known.condition, alive(table))
            .order_by(*by)
            .execution_options(yield_per=_FETCH)
        )
        found = array("q")
        with (
            self._database.reading(budget) as connection,
            connection.execute(statement, {"generation": search.generation.number}) as rows,
        ):
            for part in rows.scalars().partitions():
                found.extend(part)
                budget.check()
        # An order by position would tempt the database to read all rows in that order, past the index.
        return found if by else array("q", sorted(found))

    def _decide(
        self, search: Search, candidates: Positions, matches: Callable[[Any], bool], budget: Budget
    ) -> Iterator[tuple[int, Any]]:
        """Read candidates and give those that match: their positions, and how they are interpreted."""
        assert self._interpreter
        placed = read_placed(self._database, search.kind, candidates, budget)
        for position, stored in chain.from_iterable(placed):
            members = _StoredMembers(self._database, stored.id, search.generation, budget)
            resource = self._interpreter.read(search.kind, stored, members)
            if matches(resource):
                yield position, resource


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _StoredMembers:
    """The members of a group, read when they are needed and as often."""

    database: Database
    group_id: str
    generation: Generation
    budget: Budget

    def __iter__(self) -> Iterator[Member]:
        return read_members(self.database, self.group_id, self.generation, self.budget)


class _Keys:
    """The values to sort by, and only they, in bounded memory."""

    def __init__(self, key_of: Callable[[Any], Any]) -> None:
        self._key_of = key_of
        self._keys: list[tuple[bool, Any]] = []
        self._positions = array("q")
        self._room = _SORTED_CHARACTERS

    def add(self, position: int, resource: Any) -> None:
        key = self._key_of(resource)
        self._room -= _CHARACTERS_OF_A_ROW + (len(key) if isinstance(key, str) else 0)
        if self._room < 0:
            raise TooExpensive("there is too much to sort")
        self._keys.append((key is None, "" if key is None else key))
        self._positions.append(position)

    def order(self, *, descending: bool) -> Positions:
        """Return the positions: what has no value last, or first when descending, and what is equal as it came."""
        places = sorted(range(len(self._keys)), key=self._keys.__getitem__, reverse=descending)
        return array("q", (self._positions[place] for place in places))


class _Answers:
    """The answers to the last searches, as many as fit."""

    MOST = 32
    MOST_POSITIONS = 2_000_000

    def __init__(self) -> None:
        self._kept: OrderedDict[Search, Positions] = OrderedDict()
        self._lock = Lock()

    def get(self, search: Search) -> Positions | None:
        with self._lock:
            if search not in self._kept:
                return None
            self._kept.move_to_end(search)
            return self._kept[search]

    def keep(self, search: Search, answer: Positions) -> None:
        with self._lock:
            self._kept[search] = answer
            while len(self._kept) > self.MOST or sum(map(len, self._kept.values())) > self.MOST_POSITIONS:
                self._kept.popitem(last=False)
