"""Pins: which generation each walk reads, kept in the store so that any replica goes on with it (P14).

`walk_rules` says what is read and when a pin is dropped; this is how it is noted. A first page, the second and the last
cost a write, and of the others one every few seconds.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, or_, select, tuple_, update

from connector.directory.rows import Kind
from connector.store.generations import Generation, fetch_generation, newest_generation
from connector.store.reading.walk_rules import (
    BY_CURSOR,
    LAG,
    LIFETIMES,
    MOST_PINS,
    ImporterState,
    Pin,
    PinnedPage,
    Walk,
    WalkExpired,
    WalkRules,
)
from connector.store.sql.clock import CLOCK
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import generations, importers, pins
from connector.store.sql.upserts import INSERTS


class Pins:
    """The walks of all clients.

    Args:
        database: the store.
        timeout: seconds after its last page for which a walk stays pinned.
    """

    def __init__(self, database: Database, *, timeout: float) -> None:
        self._database = database
        self._rules = WalkRules(int(timeout * 1000))

    def find(self, walk: Walk, *, start: int) -> PinnedPage | None:
        """Return from which generation a page is read, None before the first publish.

        Args:
            walk: the walk, as the page asks for it.
            start: number of the first row of the page, counted from 1.

        Raises:
            WalkExpired: the walk cannot go on.
        """
        rows = self._database.fetch(_FIND, client=walk.client, query=walk.query)
        if not rows:
            return None
        return self._rules.choose(walk, start, Generation(*rows[0][_NEWEST]), _read_importer(rows[0]), _read_pins(rows))

    def resume(self, walk: Walk, *, start: int, generation: int) -> PinnedPage:
        """Return a later page of a walk by cursor, which names its generation itself.

        Raises:
            WalkExpired: that generation is no longer kept.
        """
        kept = fetch_generation(self._database, generation)
        if kept is None:
            raise WalkExpired("The generation this cursor reads is gone; begin again without one.")
        rows = self._database.fetch(_FIND, client=walk.client, query=walk.query)
        own = next((pin for pin in _read_pins(rows) if pin.count == BY_CURSOR), None)
        pin = own if own and own.generation == generation else None
        return PinnedPage(walk, start, kept, pin, own is not None, _read_importer(rows[0]))

    def note(self, page: PinnedPage, *, rows: int, total: int) -> None:
        """Note that a page was read, as far as a later page depends on it.

        Args:
            page: what `find` or `resume` returned for it.
            rows: how many rows the page holds.
            total: how many rows there are in all.
        """
        if page.pin is None:
            if page.replaces or page.needs_pin(rows, total):
                self._begin(page, rows, total)
        elif _is_news(page, page.pin, rows):
            self._go_on(page, page.pin, rows)
        is_whole = not page.walk.filtered
        reads_end = page.reads_end(rows, total)
        if page.walk.kind is Kind.USERS and is_whole and reads_end and not self._is_noted(page):
            self._note_importer(page.walk.client, users_generation=page.generation.number, users_read_at=CLOCK)
        uses_up = page.importer.users is not None and page.importer.users.number == page.generation.number
        if page.walk.kind is Kind.GROUPS and is_whole and uses_up and (page.start > 1 or reads_end):
            self._note_importer(page.walk.client, users_generation=None)

    def _is_noted(self, page: PinnedPage) -> bool:
        importer = page.importer
        is_same = importer.users is not None and importer.users.number == page.generation.number
        return is_same and self._rules.is_fresh(importer.users_age, LAG)

    def _begin(self, page: PinnedPage, rows: int, total: int) -> None:
        """Note a walk that begins; two first pages of one walk may come at once."""
        walk = page.walk
        noted = {
            "generation": page.generation.number,
            "begun_at": CLOCK,
            "read_at": CLOCK,
            "advanced_at": CLOCK if page.start > 1 else None,
            "reached": page.last_row(rows),
            "total": total,
            "filtered": walk.filtered,
            "address": walk.address,
        }
        new = INSERTS[self._database.dialect](pins).values(
            client=walk.client, query=walk.query, count=walk.count, **noted
        )
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=list(pins.primary_key), set_=noted))
            self._make_room(connection, walk)

    def _go_on(self, page: PinnedPage, pin: Pin, rows: int) -> None:
        """Note how far a walk has come, unless it was begun anew meanwhile."""
        last = page.last_row(rows)
        noted: dict[str, Any] = {"read_at": CLOCK, "reached": case((pins.c.reached < last, last), else_=pins.c.reached)}
        if last > pin.reached:
            noted["advanced_at"] = CLOCK
        if page.other_address:
            noted["address"] = ""
        with self._database.writing() as connection:
            connection.execute(
                update(pins)
                .where(
                    pins.c.client == page.walk.client,
                    pins.c.query == page.walk.query,
                    pins.c.count == pin.count,
                    pins.c.generation == pin.generation,
                    pins.c.begun_at == pin.begun_at,
                )
                .values(noted)
            )

    def _note_importer(self, client: str, **noted: Any) -> None:
        with self._database.writing() as connection:
            _put_importer(connection, client, noted)

    def _make_room(self, connection: Connection, walk: Walk) -> None:
        """Drop what is over `MOST_PINS`, never the walk that has just begun, and leave a mark."""
        held = connection.execute(select(func.count()).select_from(pins).where(pins.c.client == walk.client))
        too_many = held.scalar_one() - MOST_PINS
        if too_many <= 0:
            return
        is_past = pins.c.read_at <= CLOCK - self._rules.greatest_age
        key = tuple_(pins.c.query, pins.c.count)
        dropped = connection.execute(
            select(pins.c.query, pins.c.count, pins.c.filtered, is_past)
            .where(pins.c.client == walk.client, key != tuple_(walk.query, walk.count))
            .order_by(is_past.desc(), pins.c.filtered.desc(), _is_finished().desc(), pins.c.read_at)
            .limit(too_many)
        ).all()
        keys = [(query, count) for query, count, _, _ in dropped]
        connection.execute(delete(pins).where(pins.c.client == walk.client, key.in_(keys)))
        missed = {bool(filtered) for _, _, filtered, past in dropped if not past}
        marks = {"searches_dropped_at" if filtered else "walks_dropped_at": CLOCK for filtered in missed}
        if marks:
            _put_importer(connection, walk.client, marks)


def _is_news(page: PinnedPage, pin: Pin, rows: int) -> bool:
    """Tell whether a page says what the pin does not; its times may lag a little."""
    last = page.last_row(rows)
    if last > pin.reached:
        return pin.progress_age is None or pin.progress_age >= LAG or last >= pin.total
    return pin.last_age >= LAG or bool(page.other_address)


def _put_importer(connection: Connection, client: str, noted: dict[str, Any]) -> None:
    new = INSERTS[connection.dialect.name](importers).values(client=client, **noted)
    connection.execute(new.on_conflict_do_update(index_elements=[importers.c.client], set_=noted))


def _is_finished() -> ColumnElement[bool]:
    return pins.c.reached >= pins.c.total


def oldest_pinned(connection: Connection, *, now: int, timeout: int) -> int | None:
    """Return the oldest generation that a walk may still read, None when no walk reads any.

    Args:
        connection: the transaction to ask in.
        now: the time on the database's clock, in milliseconds.
        timeout: milliseconds after its last page for which a walk stays pinned.
    """
    live = and_(pins.c.read_at > now - timeout, pins.c.begun_at > now - LIFETIMES * timeout)
    oldest = (
        select(func.min(pins.c.generation)).where(live),
        select(func.min(importers.c.users_generation)).where(importers.c.users_read_at > now - timeout),
    )
    found = [connection.execute(one).scalar_one() for one in oldest]
    return min((number for number in found if number is not None), default=None)


def forget_pins(connection: Connection, *, oldest: int, before: int) -> None:
    """Remove pins on generations that are gone, and what is noted of clients, from before a time in milliseconds."""
    connection.execute(delete(pins).where(pins.c.generation < oldest, pins.c.read_at < before))
    times = (importers.c.users_read_at, importers.c.walks_dropped_at, importers.c.searches_dropped_at)
    connection.execute(delete(importers).where(*(or_(time.is_(None), time < before) for time in times)))


def count_walking_clients(connection: Connection, *, since: int) -> int:
    """Return how many clients began a walk and did not end it, and read a page since a time in milliseconds."""
    walking = select(func.count(pins.c.client.distinct())).where(~_is_finished(), pins.c.read_at > since)
    return int(connection.execute(walking).scalar_one())


_newest = newest_generation().subquery()
_users = generations.alias("users_generation")
_kept = generations.alias("kept")
_FIND = Prepared(
    select(
        *_newest.c,
        *(_users.c[column.name] for column in _newest.c),
        CLOCK - importers.c.users_read_at,
        CLOCK - importers.c.walks_dropped_at,
        CLOCK - importers.c.searches_dropped_at,
        pins.c.count,
        pins.c.generation,
        pins.c.begun_at,
        CLOCK - pins.c.begun_at,
        CLOCK - pins.c.read_at,
        CLOCK - pins.c.advanced_at,
        pins.c.reached,
        pins.c.total,
        pins.c.address,
        *(_kept.c[column.name] for column in _newest.c),
    ).select_from(
        _newest.outerjoin(importers, importers.c.client == bindparam("client"))
        .outerjoin(_users, _users.c.number == importers.c.users_generation)
        .outerjoin(pins, and_(pins.c.client == bindparam("client"), pins.c.query == bindparam("query")))
        .outerjoin(_kept, _kept.c.number == pins.c.generation)
    )
)
_NEWEST, _USERS, _IMPORTER, _PIN, _KEPT = slice(5), slice(5, 10), slice(10, 13), slice(13, 22), slice(22, None)


def _read_importer(row: Sequence[Any]) -> ImporterState:
    users = row[_USERS]
    return ImporterState(None if users[0] is None else Generation(*users), *row[_IMPORTER])


def _read_pins(rows: Sequence[Sequence[Any]]) -> list[Pin]:
    return [_read_pin(row[_PIN], row[_KEPT]) for row in rows if row[_PIN][0] is not None]


def _read_pin(noted: Sequence[Any], kept: Sequence[Any]) -> Pin:
    return Pin(None if kept[0] is None else Generation(*kept), *noted)
