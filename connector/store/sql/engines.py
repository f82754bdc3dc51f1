"""How each database is connected to; of SQLite, how a transaction begins and when a connection is of no use any more.

SQLite upgrades a reader to a writer only by luck, hence BEGIN IMMEDIATE (sqlite.org/lang_transaction.html).
"""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from connector.errors import ConfigError
from connector.store.sql.postgresql import make_postgresql

BUSY_SECONDS = 15
POOLED = 16
"""At most this many unused connections are kept: one for each thread of `serve` as shipped."""
_REMEDY = "Write sqlite:///path/to/file.db or postgresql://user@host/database."


def make_engine(url: str, cache_kib: int) -> Engine:
    """Return what connects to the database behind `store.url`; nothing is opened yet.

    Args:
        url: where it is.
        cache_kib: how much of a SQLite file each connection may hold in memory.

    Raises:
        ConfigError: the URL is neither SQLite's nor PostgreSQL's, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigError("store.url is not a database URL.", remedy=_REMEDY) from None
    if parsed.get_backend_name() == "sqlite":
        return _make_sqlite(parsed, cache_kib)
    if parsed.get_backend_name() == "postgresql":
        return make_postgresql(parsed, POOLED)
    raise ConfigError(f"store.url names {parsed.get_backend_name()!r}, which is not supported.", remedy=_REMEDY)


def _make_sqlite(url: URL, cache_kib: int) -> Engine:
    path = Path(url.database or "")
    if url.database in {None, "", ":memory:"} or url.query:
        raise ConfigError("store.url must name a file that outlives the process, and no more.", remedy=_REMEDY)

    def open_file() -> sqlite3.Connection:
        # mode=rw: only a migration creates the file, so a lost one is an error and never an empty directory (P04).
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    pool = {"poolclass": QueuePool, "pool_size": POOLED, "max_overflow": -1, "pool_use_lifo": True}
    engine = create_engine("sqlite://", creator=open_file, **pool)
    engine.url = url
    event.listen(engine, "connect", partial(_configure_sqlite, cache_kib))
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkout", _FileWatch(path).check)
    return engine


def _configure_sqlite(cache_kib: int, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"cache_size=-{cache_kib}", "temp_store=FILE"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    options = connection.get_execution_options()
    if not options.get("writing"):
        driver.execute("BEGIN")
        return
    # Of a WAL, NORMAL leaves out only the wait at each commit (sqlite.org/pragma.html#pragma_synchronous).
    driver.execute(f"PRAGMA synchronous={'FULL' if options['durable'] else 'NORMAL'}")
    driver.execute("BEGIN IMMEDIATE")


class _FileWatch:
    """Notices that the file behind an open connection was deleted or replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, _connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        """Drop the connection when it no longer leads to the file of that name."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - on every request; Path.stat costs twice as much
        except OSError as error:
            raise exc.DisconnectionError(f"{self._path} is gone") from error
        inode = (found.st_dev, found.st_ino)
        if entry.info.setdefault("inode", inode) != inode:
            raise exc.DisconnectionError(f"{self._path} was replaced")
