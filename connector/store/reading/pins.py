"""One walk over the pages sees one generation, from its first page to its last, on any replica (P14).

Index paging carries no state, so the store keeps it: a pin for each client and query. A first page pins what it reads,
a last page ends the walk, and a pin left alone for too long is refused, never answered from another generation.
Groups are read once as of the client's last walk over Users, so that no membership names a user it was not shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from connector.directory.rows import Kind
from connector.store.generations import Generation, newest_generation
from connector.store.sql.clock import CLOCK
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import generations, walks
from connector.store.sql.upserts import INSERTS

MOST_PINS = 100
"""How many walks one client may have under way; the one left alone for longest gives way."""

_USERS_SEEN = "users-seen"


class WalkExpired(ValueError):
    """The generation that this walk began with is no longer kept for it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Who walks over what.

    Args:
        client: name of the client.
        kind: users or groups.
        query: digest of everything the client asks for but where the page begins.
        filtered: whether it asks for some resources only.
    """

    client: str
    kind: Kind
    query: str
    filtered: bool = False


class Pin(NamedTuple):
    """What is remembered of a walk; its age is in milliseconds since its last page, `kept` its generation if kept."""

    query: str
    generation: int
    age: int
    finished: bool
    kept: Generation | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a walk stands when one of its pages is asked for.

    Args:
        walk: the walk.
        generation: what the page is read from.
        start: number of its first row.
        pin: what is remembered of the walk.
        seen: what is remembered of the client's last walk over Users.
    """

    walk: Walk
    generation: Generation
    start: int
    pin: Pin | None
    seen: Pin | None


class Walks:
    """The walks under way.

    Args:
        database: the store.
        timeout: seconds after its last page for which a walk stays pinned.
    """

    def __init__(self, database: Database, *, timeout: float) -> None:
        self._database = database
        self._timeout = int(timeout * 1000)

    def stand(self, walk: Walk, *, start: int) -> Standing | None:
        """Return from which generation a page of the walk is read, None before the first publish.

        Args:
            walk: the walk.
            start: number of the first row of the page, counted from 1.

        Raises:
            WalkExpired: the walk was left alone for longer than the timeout.
        """
        rows = self._database.fetch(_STAND, client=walk.client, query=walk.query)
        if not rows:
            return None
        pins = {pin.query: pin for pin in map(_read_pin, rows)}
        pin, seen = pins.get(walk.query), pins.get(_USERS_SEEN)
        newest = Generation(*rows[0][_NEWEST])
        return Standing(walk, self._pinned(walk, pin, seen, start) or newest, start, pin, seen)

    def _pinned(self, walk: Walk, pin: Pin | None, seen: Pin | None, start: int) -> Generation | None:
        """Return the generation that the walk is pinned to, None where it begins anew."""
        if pin is not None and (start > 1 or not pin.finished):
            kept = pin.kept if pin.age < self._timeout else None
            if start > 1 and kept is None:
                raise WalkExpired("The generation this walk began with is gone; begin again at startIndex 1.")
            if kept is not None:
                return kept
        if walk.kind is Kind.GROUPS and start <= 1 and seen and not seen.finished and seen.age < self._timeout:
            return seen.kept
        return None

    def note_page(self, standing: Standing, *, rows: int, total: int) -> None:
        """Remember that a page was read, as far as a later page depends on it.

        Args:
            standing: what `stand` returned for it.
            rows: how many rows the page holds.
            total: how many rows there are in all.
        """
        walk, pin, seen, number = standing.walk, standing.pin, standing.seen, standing.generation.number
        first = standing.start <= 1
        finished = standing.start + rows > total
        is_import = walk.kind is Kind.USERS and not (walk.filtered and first and finished)
        if not (first and finished and pin is None) and not self._is_noted(pin, number, finished=finished):
            self._put(walk.client, walk.query, number, finished=finished)
        if is_import and not self._is_noted(seen, number, finished=False):
            self._put(walk.client, _USERS_SEEN, number, finished=False)
        if walk.kind is Kind.GROUPS and first and seen is not None and not seen.finished:
            self._end_users_seen(walk.client)

    def _is_noted(self, pin: Pin | None, generation: int, *, finished: bool) -> bool:
        """Tell whether a pin says all this already; its time may lag a little, so that a page costs no write."""
        if pin is None or pin.generation != generation or pin.finished != finished:
            return False
        return pin.age < self._timeout // 10

    def _end_users_seen(self, client: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(walks).where(walks.c.client == client, walks.c.query == _USERS_SEEN).values(finished=True)
            )

    def _put(self, client: str, query: str, generation: int, *, finished: bool) -> None:
        """Remember a page; two first pages of one walk may come at once."""
        said = {"generation": generation, "touched_at": CLOCK, "finished": finished}
        new = INSERTS[self._database.dialect](walks).values(client=client, query=query, **said)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=[walks.c.client, walks.c.query], set_=said))
            _make_room(connection, client)


_newest = newest_generation().subquery()
_kept = generations.alias()
_is_remembered = and_(
    walks.c.client == bindparam("client"), or_(walks.c.query == bindparam("query"), walks.c.query == _USERS_SEEN)
)
_STAND = Prepared(
    select(
        *_newest.c,
        walks.c.query,
        walks.c.generation,
        CLOCK - walks.c.touched_at,
        walks.c.finished,
        *(_kept.c[column.name] for column in _newest.c),
    ).select_from(_newest.outerjoin(walks, _is_remembered).outerjoin(_kept, _kept.c.number == walks.c.generation))
)
_NEWEST, _PIN, _KEPT = slice(5), slice(5, 9), slice(9, None)


def _read_pin(row: Sequence[Any]) -> Pin:
    query, generation, age, finished = row[_PIN]
    return Pin(query, generation, age, finished, None if row[-1] is None else Generation(*row[_KEPT]))


def _make_room(connection: Connection, client: str) -> None:
    held = connection.execute(select(func.count()).select_from(walks).where(walks.c.client == client)).scalar_one()
    if held > MOST_PINS:
        oldest = (
            select(walks.c.query)
            .where(walks.c.client == client, walks.c.query != _USERS_SEEN)
            .order_by(walks.c.finished.desc(), walks.c.touched_at)
            .limit(held - MOST_PINS)
        )
        connection.execute(delete(walks).where(walks.c.client == client, walks.c.query.in_(oldest)))
