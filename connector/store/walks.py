"""One walk over the pages sees one generation, from its first page to its last, on any replica (P14).

Index paging carries no state, so the store keeps it: a pin for each client and query. A first page pins what it reads,
a last page ends the walk, and a pin left alone for too long is refused, never answered from another generation.
Groups are read once as of the client's last walk over Users, so that no membership names a user it was not shown.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from connector.directory.rows import Kind
from connector.store.database import Database
from connector.store.generations import Generation, find, newest
from connector.store.tables import walks

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


class Walks:
    """The walks under way.

    Args:
        database: the store.
        timeout: seconds after its last page for which a walk stays pinned.
    """

    def __init__(self, database: Database, *, timeout: float) -> None:
        self._database = database
        self._timeout = int(timeout * 1000)

    def generation_for(self, walk: Walk, *, start: int) -> Generation | None:
        """Return the generation that a page of the walk is read from, None before the first publish.

        Args:
            walk: the walk.
            start: number of the first row of the page, counted from 1.

        Raises:
            WalkExpired: the walk was left alone for longer than the timeout.
        """
        with self._database.reading() as connection:
            now = connection.execute(select(self._database.clock)).scalar_one()
            pin = _pin(connection, walk.client, walk.query)
            fresh = pin is not None and pin.touched_at > now - self._timeout
            if pin is not None and (start > 1 or not pin.finished):
                pinned = find(connection, pin.generation) if fresh else None
                if start > 1 and pinned is None:
                    raise WalkExpired("The generation this walk began with is gone; begin again at startIndex 1.")
                if pinned is not None:
                    return pinned
            if walk.kind is Kind.GROUPS and start <= 1:
                return self._users_generation(connection, walk.client, now) or newest(connection)
            return newest(connection)

    def note_page(self, walk: Walk, generation: Generation, *, start: int, rows: int, total: int) -> None:
        """Remember that a page was read, as far as a later page depends on it."""
        finished = start + rows > total
        fits_one_page = finished and start <= 1
        is_import = walk.kind is Kind.USERS and not (walk.filtered and fits_one_page)
        begins_groups = walk.kind is Kind.GROUPS and start <= 1
        with self._database.reading() as connection:
            now = connection.execute(select(self._database.clock)).scalar_one()
            pin = _pin(connection, walk.client, walk.query)
            seen = _pin(connection, walk.client, _USERS_SEEN) if is_import or begins_groups else None
        if not (fits_one_page and pin is None) and not _says(pin, generation, now, self._timeout, finished=finished):
            self._put(walk.client, walk.query, generation.number, now, finished=finished)
        if is_import and not _says(seen, generation, now, self._timeout, finished=False):
            self._put(walk.client, _USERS_SEEN, generation.number, now, finished=False)
        if begins_groups and seen is not None and not seen.finished:
            self._put(walk.client, _USERS_SEEN, seen.generation, seen.touched_at, finished=True)

    def _users_generation(self, connection: Connection, client: str, now: int) -> Generation | None:
        seen = _pin(connection, client, _USERS_SEEN)
        if seen is None or seen.finished or seen.touched_at <= now - self._timeout:
            return None
        return find(connection, seen.generation)

    def _put(self, client: str, query: str, generation: int, touched_at: int, *, finished: bool) -> None:
        pin = {"generation": generation, "touched_at": touched_at, "finished": finished}
        with self._database.writing() as connection:
            known = connection.execute(update(walks).where(*_of(client, query)).values(pin))
            if not known.rowcount:
                connection.execute(insert(walks).values(client=client, query=query, **pin))
                _make_room(connection, client)


def _says(pin: Any, generation: Generation, now: int, timeout: int, *, finished: bool) -> bool:
    """Tell whether a pin says all this already; its time may lag a little, so that a page costs no write."""
    return (
        pin is not None
        and pin.generation == generation.number
        and pin.finished == finished
        and pin.touched_at > now - timeout // 10
    )


def _of(client: str, query: str) -> tuple[Any, ...]:
    return walks.c.client == client, walks.c.query == query


def _pin(connection: Connection, client: str, query: str) -> Any:
    return connection.execute(select(walks).where(*_of(client, query))).one_or_none()


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
