"""One database, SQLite or PostgreSQL, behind two verbs: `reading` and `writing`.

A reading block sees one snapshot; a writing block is one transaction that owns the right to write from its first
statement.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, exc

from connector.errors import NotADatabase, StoreError
from connector.store.sql.engines import make_engine
from connector.store.sql.prepared import Prepared
from connector.store.sql.time_limit import Budget

CACHE_KIB = 16 * 1024
"""For one connection that compares and publishes."""
SERVING_CACHE_KIB = 4 * 1024
"""For each of many that serve, most of whose reads are of what is not read again soon."""


class Database:
    """Connections to the store; safe to share between threads, not to be carried over a fork."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lent = _Lent()
        assert engine.dialect.dbapi
        self._driver_error = engine.dialect.dbapi.Error

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self, within: Budget | None = None) -> Iterator[Connection]:
        """Give a connection that sees one snapshot.

        Args:
            within: the time that statements may take, None = any.

        Raises:
            StoreError: the database cannot answer.
            TooExpensive: a statement takes longer than it may.
        """
        with self._connected() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if within is None:
                yield connection
                return
            within.check()
            with _LIMITS[self.dialect](connection, within):
                yield connection

    def fetch(self, prepared: Prepared, within: Budget | None = None, **values: Any) -> Sequence[Any]:
        """Return the rows of one prepared statement, which is a snapshot in itself.

        Args:
            prepared: the statement.
            within: the time that it may take, None = any.
            values: its parameters.

        Raises:
            StoreError, TooExpensive: see `reading`.
        """
        if within is not None:
            with self.reading(within) as limited:
                return prepared.run(limited.connection, self.engine.dialect, values)
        with self._explained(), self._borrowed() as connection:
            return prepared.run(connection, self.engine.dialect, values)

    @contextmanager
    def lending(self) -> Iterator[None]:
        """Let all that this thread fetches in the block go through one connection, taken when it is first needed.

        To take one and give it back costs as much as a short statement; PostgreSQL is even asked each time whether it
        is there, and once more to end the snapshot.
        """
        self._lent.is_open = True
        try:
            yield
        finally:
            self._lent.give_back()

    @contextmanager
    def _borrowed(self) -> Iterator[PoolProxiedConnection]:
        if not self._lent.is_open:
            with closing(self.engine.raw_connection()) as connection:
                yield connection
            return
        yield self._lent.connection or self._lent.take(self.engine)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Give a connection in one transaction, committed at the end, rolled back on any error.

        Args:
            durable: whether the commit waits for the disk; if not, a power cut may undo it, with all that follow it.

        Raises:
            StoreError: the database cannot answer, is full or stays locked.
        """
        with self._connected() as connection:
            connection.execution_options(writing=True, durable=durable)
            with connection.begin():
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (exc.SQLAlchemyError, self._driver_error, OSError) as error:
            raise self._fault_of(error) from error

    def _fault_of(self, error: Exception) -> StoreError:
        cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
        code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code == sqlite3.SQLITE_NOTADB:
            return NotADatabase(f"The store {self.name} is no SQLite database.", remedy=_NOT_OURS)
        reason = " ".join(str(cause).split())[:300].rstrip(".?! ") or type(cause).__name__
        if code == sqlite3.SQLITE_IOERR and _is_full(Path(self.engine.url.database or "").absolute().parent):
            reason = f"its disk is full, and reading needs some room too ({reason})"
        return StoreError(f"The store {self.name} could not answer: {reason}.", remedy=_REMEDY)

    @property
    def name(self) -> str:
        """Where the store is; never how to sign in to it, which may stand anywhere in its URL."""
        url = self.engine.url
        place = f"{url.host}:{url.port}" if url.port else url.host or ""
        return f"{url.get_backend_name()}://{place}/{url.database or ''}"

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class _Lent(threading.local):
    """What `lending` has lent to this thread."""

    is_open = False
    connection: PoolProxiedConnection | None = None
    _holder: Connection | PoolProxiedConnection | None = None

    def take(self, engine: Engine) -> PoolProxiedConnection:
        if engine.dialect.name == "postgresql":
            # Else a transaction would be open for as long as the request takes, and one that failed fail the next read.
            holder = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._holder, self.connection = holder, holder.connection
        else:
            self._holder = self.connection = engine.raw_connection()
        return self.connection

    def give_back(self) -> None:
        holder, self._holder, self.connection, self.is_open = self._holder, None, None, False
        if holder is not None:
            holder.close()


@contextmanager
def _limit_postgresql(connection: Connection, within: Budget) -> Iterator[None]:
    milliseconds = int(within.remaining * 1000) + 1
    connection.exec_driver_sql("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
    with _explained(within):
        yield


@contextmanager
def _limit_sqlite(connection: Connection, within: Budget) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: not within.remaining, _STEPS)
    try:
        with _explained(within):
            yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def _explained(within: Budget) -> Iterator[None]:
    """Tell a statement that was stopped from one that failed."""
    try:
        yield
    except exc.OperationalError:
        within.check()
        raise


_LIMITS = {"sqlite": _limit_sqlite, "postgresql": _limit_postgresql}
_STEPS = 100_000
"""So many steps of SQLite's machine, some milliseconds, lie between two looks at the clock."""
_REMEDY = "Look at store.url, and whether the database runs, can be reached and has room."
_NOT_OURS = "Look at store.url: it names a file of another kind, or one that is damaged, which is left as it is."
_PRIMARY_CODE = 0xFF
"""The part of a result code of SQLite that says what went wrong; the rest says where (sqlite.org/rescode.html)."""
_LEAST_ROOM = 256 * 1024
"""Bytes; opening a WAL database takes 32 KiB of shared memory in a file beside it."""


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def connect(url: str, *, cache_kib: int = CACHE_KIB) -> Database:
    """Return the database behind `store.url`; arguments and errors are those of `make_engine`."""
    return Database(make_engine(url, cache_kib))
