"""The store's schema, brought up to date one numbered step at a time, each in one transaction (P24).

Steps only go forward. Older code refuses a newer schema; replicas that start together wait for each other.
"""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, insert, inspect, select, text, true, tuple_, update
from sqlalchemy.schema import CreateColumn

from connector.directory.rows import fold
from connector.errors import ConfigError, SchemaTooNew, SchemaTooOld, StoreError
from connector.store.runs.lease import SHARED
from connector.store.sql.clock import read_clock
from connector.store.sql.database import CACHE_KIB, Database, connect
from connector.store.sql.driver_errors import forbidden
from connector.store.sql.slices import ROWS
from connector.store.sql.tables import (
    audit_events,
    aws_verifications,
    baselines,
    clients,
    feed_marks,
    feed_state,
    full_sync_requests,
    generations,
    groups,
    importers,
    imports,
    leases,
    memberships,
    metadata,
    pins,
    runs,
    sessions,
    staged_groups,
    staged_users,
    users,
)

_LOCK = 0x5C1A
_log = logging.getLogger(__name__)


def _create_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(leases), [{"name": name, "run": 0, "fence": 0, "expires_at": 0} for name in SHARED])


def _add_audit_trail(connection: Connection) -> None:
    audit_events.create(connection)
    _add_columns(connection, clients.c.expires_at, clients.c.last_used_at, runs.c.asked_by)


def _add_making(connection: Connection) -> None:
    made = generations.c.mapping, generations.c.release, generations.c.ended
    _add_columns(connection, *made, runs.c.discarded)


def _add_aws_verifications(connection: Connection) -> None:
    aws_verifications.create(connection)


def _add_columns(connection: Connection, *columns: Column[Any]) -> None:
    for column in columns:
        described = CreateColumn(column).compile(dialect=connection.dialect)
        connection.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {described}"))


def _add_console(connection: Connection) -> None:
    sessions.create(connection)
    imports.create(connection)


def _replace_walks_by_pins(connection: Connection) -> None:
    """Let walks under way begin again: each client gets the mark of one whose pins were dropped."""
    for table in (pins, importers):
        table.create(connection)
    walking = connection.execute(text("SELECT DISTINCT client FROM walks")).scalars().all()
    if walking:
        now = read_clock(connection)
        marks = {"walks_dropped_at": now, "searches_dropped_at": now}
        connection.execute(insert(importers), [{"client": client, **marks} for client in walking])
    connection.execute(text("DROP TABLE walks"))


def _add_rivals(connection: Connection) -> None:
    _add_columns(connection, staged_users.c.rivals)


def _add_change_feed(connection: Connection) -> None:
    for table in (feed_marks, feed_state, full_sync_requests, baselines):
        table.create(connection)
    for table in (users, groups, memberships):
        next(index for index in table.indexes if index.name == f"{table.name}_ended").create(connection)


def _refold_keys(connection: Connection) -> None:
    """Fold again what was stored in lower case, where sharp s and final sigma were other letters.

    Only what is not ASCII can change; a slice of rows at a time is in memory.
    """
    for table in (users, groups, staged_users, staged_groups):
        key = list(table.primary_key)
        keys = [column for column in table.c if column.name in {"name_key", "display_key", "email_key"}]
        among: ColumnElement[bool] = true()
        while rows := connection.execute(select(*key, *keys).where(among).order_by(*key).limit(ROWS)).all():
            for row in rows:
                of, stored = row[: len(key)], row[len(key) :]
                folded = [text if text.isascii() else fold(text) for text in stored]
                if folded != list(stored):
                    values = dict(zip((column.name for column in keys), folded, strict=True))
                    connection.execute(update(table).where(tuple_(*key) == tuple_(*of)).values(values))
            among = tuple_(*key) > tuple_(*rows[-1][: len(key)])


STEPS: tuple[Callable[[Connection], None], ...] = (
    _create_tables,
    _add_audit_trail,
    _add_console,
    _add_making,
    _add_aws_verifications,
    _replace_walks_by_pins,
    _add_rivals,
    _add_change_feed,
    _refold_keys,
)
"""The first makes a new store as the tables stand today; each of the others brings an older store one version up."""


def open_database(url: str, *, make: bool = True, cache_kib: int = CACHE_KIB) -> Database:
    """Return the database behind `store.url`, ready for use.

    A SQLite file is made and brought up to date on the way; PostgreSQL waits for `cognito-scim db migrate`.

    Args:
        url: where the store is.
        make: whether to make a SQLite file that is not there, which who only reads should not.
        cache_kib: see `connect`.

    Raises:
        ConfigError: the URL names no supported database.
        SchemaTooNew, SchemaTooOld: this version of the program does not fit the schema.
        StoreError: the database cannot answer.
    """
    database = connect(url, cache_kib=cache_kib)
    try:
        if not make:
            _demand_file(database)
        _make_ready(database)
    except StoreError:
        database.close()
        raise
    return database


def _demand_file(database: Database) -> None:
    if database.dialect == "sqlite" and not _is_there(database):
        raise StoreError(
            f"No directory is published yet: there is no store {database.name}.", remedy="Run: cognito-scim sync"
        )


def _is_there(database: Database) -> bool:
    """Tell whether the file of a SQLite store is there.

    Raises:
        StoreForbidden: its folder may not be looked into.
    """
    path = Path(database.engine.url.database or "").absolute()
    try:
        return path.exists()
    except PermissionError as error:
        raise forbidden(path) from error
    except OSError as error:  # a name that no file can have
        raise ConfigError(
            f"The store {path.name[:80]} cannot be: {error.strerror}.", remedy="Name another file in store.url."
        ) from error


def _make_ready(database: Database) -> None:
    if database.dialect == "sqlite" and schema_version(database, missing_ok=True) < len(STEPS):
        migrate(database)
    version = schema_version(database)
    if version > len(STEPS):
        raise _too_new(database, version)
    if version < len(STEPS):
        raise SchemaTooOld(
            f"The store {database.name} has schema {version}; this version of cognito-scim needs {len(STEPS)}.",
            remedy="Run: cognito-scim db migrate",
        )


def schema_version(database: Database, *, missing_ok: bool = False) -> int:
    """Return the number of the last step taken, 0 for an empty database.

    Args:
        database: the store.
        missing_ok: count a SQLite file that is not there yet as empty.
    """
    if missing_ok and not _is_there(database):
        return 0
    with database.reading() as connection:
        return _version(connection)


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("schema_version"):
        return 0
    return int(connection.execute(text("SELECT max(version) FROM schema_version")).scalar_one())


def migrate(database: Database) -> tuple[int, int]:
    """Take every step that is missing and return the versions before and after.

    Raises:
        SchemaTooNew: the schema belongs to a newer version of this program.
        ConfigError: the file of the database cannot be made.
        StoreForbidden: it may not be made.
        StoreError: the database cannot be changed.
    """
    if database.dialect == "sqlite":
        _create_file(database)
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _version(connection)
        if before > len(STEPS):
            raise _too_new(database, before)
        for step in STEPS[before:] if before else STEPS[:1]:
            step(connection)
        connection.execute(text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)"))
        for number in range(before + 1, len(STEPS) + 1):
            connection.execute(text("INSERT INTO schema_version (version) VALUES (:number)"), {"number": number})
    return before, len(STEPS)


def _create_file(database: Database) -> None:
    path = Path(database.engine.url.database or "").absolute()
    try:
        is_new = not path.exists()
        path.touch(mode=0o600)
        sqlite3.connect(path).close()
    except PermissionError as error:
        raise forbidden(path) from error
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"The store {path} cannot be made: {getattr(error, 'strerror', None) or error}.",
            remedy="Make its folder, or let the user that runs cognito-scim write there; see store.url.",
        ) from error
    if is_new:
        _log.warning("there was no store, so an empty one was made: %s", path)


def _too_new(database: Database, version: int) -> SchemaTooNew:
    return SchemaTooNew(
        f"The store {database.name} has schema {version}; this version of cognito-scim knows {len(STEPS)}.",
        remedy="Install the newer version of cognito-scim again, or name another database in store.url.",
    )
