"""How far each importer has come: its last walk over all users or groups, and the generation it last read to the end.

Noted while pages are served, and written by a thread of its own, so that no page ever waits for a write.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from connector.directory.rows import Kind
from connector.directory.times import from_milliseconds
from connector.errors import StoreError
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import imports
from connector.store.sql.upserts import INSERTS

WRITE_SECONDS = 1.0
"""How long a page may go unwritten."""
CONNECTION_TEST_ROWS = 2
"""A first page of no more rows is the test of a connection: OCI asks for one user, Okta for two."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServedPage:
    """A page of a walk over everything, as it was served.

    Args:
        client: the number of the importer.
        kind: users or groups.
        generation: what it was read from.
        start: number of its first row, counted from 1.
        rows: how many rows it held.
        total: how many rows there are in all.
    """

    client: str
    kind: Kind
    generation: int
    start: int
    rows: int
    total: int

    @property
    def last(self) -> int:
        """The number of its last row."""
        return min(self.total, self.start + self.rows - 1)

    @property
    def ends_walk(self) -> bool:
        """Whether nothing comes after it."""
        return self.start + self.rows > self.total

    @property
    def tests_connection(self) -> bool:
        """Whether it is no part of a walk, but asks whether anybody answers."""
        return self.start <= 1 and self.rows <= CONNECTION_TEST_ROWS and not self.ends_walk


@dataclass(frozen=True, slots=True)
class Import:
    """The last walk of an importer over users or groups; times are RFC 3339 in UTC.

    Args:
        client: the number of the importer.
        kind: users or groups.
        generation: what it read.
        began_at, read_at: when its first and its last page so far were served.
        rows: how many rows it has read, of `total`.
        whole: the generation that the importer last read to the end, None if it never did.
        whole_at: when that was.
    """

    client: str
    kind: Kind
    generation: int
    began_at: str
    read_at: str
    rows: int
    total: int
    whole: int | None
    whole_at: str | None

    @property
    def is_finished(self) -> bool:
        """Whether the walk came to its end."""
        return self.rows >= self.total


@dataclass(frozen=True, slots=True)
class _Noted:
    """The newest page that is not written yet, and what earlier ones said that it does not."""

    page: ServedPage
    begun: bool
    whole: int | None

    @classmethod
    def after(cls, earlier: "_Noted | None", page: ServedPage) -> "_Noted":
        begun = page.start <= 1 or (earlier is not None and earlier.begun)
        return cls(page, begun, page.generation if page.ends_walk else earlier.whole if earlier else None)


class Imports:
    """Keeps how far importers have come.

    Args:
        database: the store.
        wait: pauses the thread that writes.
    """

    def __init__(self, database: Database, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._database = database
        self._wait = wait
        self._lock = threading.Lock()
        self._unwritten: dict[tuple[str, Kind], _Noted] = {}
        self._is_writing = False

    def note(self, page: ServedPage) -> None:
        """Take note of a page; returns at once."""
        if page.tests_connection:
            return
        key = page.client, page.kind
        with self._lock:
            self._unwritten[key] = _Noted.after(self._unwritten.get(key), page)
            if not self._is_writing:
                self._is_writing = True
                threading.Thread(target=self._work, name="imports", daemon=True).start()

    def flush(self) -> None:
        """Write what was noted; what a store that is away did not take is forgotten, for the next page says as much."""
        with self._lock:
            noted, self._unwritten = self._unwritten, {}
        if not noted:
            return
        with self._database.writing(durable=False) as connection:
            now = read_clock(connection)
            for one in noted.values():
                connection.execute(self._upsert(one, now))

    def all(self) -> list[Import]:
        """Return the last walk of every importer over users and over groups."""
        with self._database.reading() as connection:
            rows = connection.execute(select(imports).order_by(imports.c.client, imports.c.kind.desc())).all()
        return [
            Import(
                client=row.client,
                kind=Kind(row.kind),
                generation=row.generation,
                began_at=from_milliseconds(row.began_at),
                read_at=from_milliseconds(row.read_at),
                rows=row.rows,
                total=row.total,
                whole=row.whole,
                whole_at=None if row.whole_at is None else from_milliseconds(row.whole_at),
            )
            for row in rows
        ]

    def _work(self) -> None:
        """Write what is noted, until there is nothing more."""
        while True:
            self._wait(WRITE_SECONDS)
            try:
                self.flush()
            except StoreError as fault:
                _log.warning("how far importers have come could not be noted: %s", fault)
            with self._lock:
                if not self._unwritten:
                    self._is_writing = False
                    return

    def _upsert(self, noted: _Noted, now: int) -> Any:
        page = noted.page
        read = {"generation": page.generation, "read_at": now, "rows": page.last, "total": page.total}
        begun = {"began_at": now} if noted.begun else {}
        ended = {} if noted.whole is None else {"whole": noted.whole, "whole_at": now}
        new = INSERTS[self._database.dialect](imports).values(
            client=page.client, kind=page.kind.value, **{"began_at": now, **read, **ended}
        )
        return new.on_conflict_do_update(
            index_elements=[imports.c.client, imports.c.kind], set_={**read, **begun, **ended}
        )
