"""One database, SQLite or PostgreSQL, behind two verbs: `reading` and `writing`.

A reading block sees one snapshot; a writing block is one transaction that owns the right to write from its first
statement.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, exc

from connector.errors import StoreError
from connector.store.sql.driver_errors import PRIMARY_CODE, fault_of, is_full
from connector.store.sql.engines import BUSY_SECONDS, make_engine
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

    def prove_writable(self) -> None:
        """Try whether changes are taken, without waiting for whoever writes, and leave nothing.

        Raises:
            StoreError: they are not: no right to write, no room, or a PostgreSQL server that is not the writer.
        """
        with self._connected() as connection:
            _PROOFS[self.dialect](connection)
        if self.dialect == "sqlite" and is_full(Path(self.engine.url.database or "").absolute().parent):
            raise StoreError(f"The disk of the store {self.name} is full.", remedy="Make room.")

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (exc.SQLAlchemyError, self._driver_error, OSError) as error:
            raise fault_of(error, self.engine.url, self.name) from error

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


def _prove_sqlite(connection: Connection) -> None:
    """Take the right to write and give it back; whoever has it at the moment proves as much."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout=0")
    try:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _prove_postgresql(connection: Connection) -> None:
    """Change no row; a server that takes no writes, and a user without the right to, are told all the same."""
    connection.exec_driver_sql("UPDATE schema_version SET version = version WHERE version < 0")


_PROOFS = {"sqlite": _prove_sqlite, "postgresql": _prove_postgresql}
_LIMITS = {"sqlite": _limit_sqlite, "postgresql": _limit_postgresql}
_STEPS = 100_000
"""How many steps of SQLite's virtual machine, some milliseconds, lie between two looks at the clock."""


def connect(url: str, *, cache_kib: int = CACHE_KIB) -> Database:
    """Return the database behind `store.url`; arguments and errors are those of `make_engine`."""
    return Database(make_engine(url, cache_kib))
