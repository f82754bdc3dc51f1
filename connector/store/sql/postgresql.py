"""How PostgreSQL is connected to: over verified TLS, and always to the server that takes writes.

A switch in front of a cluster may keep old connections after a failover, and a standby answers reads as if nothing had
happened. So each connection is asked whether it is with the writer when it is taken from the pool, in place of the
usual question whether it still lives, and none grows old.
"""

import ipaddress
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from connector.errors import ConfigError, install_extra

CONNECT_SECONDS = 10
LONGEST_USE_SECONDS = 300
"""A connection that is older is replaced by a new one before it is used again."""
RETRY_SECONDS = 5
"""While no server takes writes, a connection to one that does not is tried anew this often."""

READ_ONLY = "25006"
"""read_only_sql_transaction (PostgreSQL, Appendix A)."""
_SYSTEM_ROOTS_SINCE = 160000
"""libpq 16 knows `sslrootcert=system`."""


def make_postgresql(url: URL, pooled: int) -> Engine:
    """Return what connects to a PostgreSQL database; nothing is opened yet.

    Args:
        url: where it is.
        pooled: how many connections are kept.

    Raises:
        ConfigError: the driver is not installed.
    """
    try:
        engine = create_engine(_complete(url), pool_size=pooled, max_overflow=-1, pool_recycle=LONGEST_USE_SECONDS)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"store.url names PostgreSQL, but {error.name} is not installed.",
            remedy=install_extra("postgres"),
        ) from error
    engine.url = url  # what was asked for; faults and names speak of that
    event.listen(engine, "connect", _note_what_it_is_with)
    event.listen(engine, "checkout", _demand_the_writer)
    event.listen(engine, "handle_error", _retire_read_only)
    event.listen(engine, "begin", _begin)
    return engine


def is_verified_by_default(url: URL) -> bool:
    """Tell whether TLS with a verified certificate is demanded because the URL says nothing else."""
    return "sslmode" not in url.query and not _is_on_this_machine(url)


def _complete(url: URL) -> URL:
    """Add to a URL what it leaves out: a time limit and, to other machines, TLS with a verified certificate."""
    defaults = {"connect_timeout": str(CONNECT_SECONDS)}
    if is_verified_by_default(url):
        defaults["sslmode"] = "verify-full"
    if url.query.get("sslmode", defaults.get("sslmode")) == "verify-full" and _has_system_roots():
        defaults["sslrootcert"] = "system"
    return url.update_query_dict(defaults | dict(url.query))


def _is_on_this_machine(url: URL) -> bool:
    """Tell whether everything that a URL names is a socket file, `localhost` or a loopback address."""
    places = url.query.get("hostaddr") or url.query.get("host") or url.host or ""
    listed = [places] if isinstance(places, str) else places
    return all(_is_local(place) for one in listed for place in one.split(","))


def _is_local(place: str) -> bool:
    if place in {"", "localhost"} or place.startswith(("/", "@")):
        return True
    for text in (place, place.rpartition(":")[0]):
        try:
            return ipaddress.ip_address(text.strip("[]")).is_loopback
        except ValueError:
            continue
    return place.rpartition(":")[0] == "localhost"


def _has_system_roots() -> bool:
    """Tell whether the certificates that the system trusts can be used, and none of the user's own are there."""
    from psycopg import pq  # noqa: PLC0415 - an extra, missed where it is not installed

    return pq.version() >= _SYSTEM_ROOTS_SINCE and not (Path.home() / ".postgresql" / "root.crt").exists()


def _note_what_it_is_with(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    entry.info["read_only"] = _is_read_only(connection)
    entry.info["since"] = time.monotonic()


def _demand_the_writer(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Drop a connection that is broken, or that leads to a server that takes no writes any more."""
    began = time.monotonic() - entry.info["since"]
    try:
        read_only = _is_read_only(connection)
    except Exception as error:
        raise exc.InvalidatePoolError("it is broken") from error
    if read_only and (began > RETRY_SECONDS or not entry.info["read_only"]):
        raise exc.InvalidatePoolError("its server takes no writes")


def _is_read_only(connection: Any) -> bool:
    """Ask in no transaction, as SQLAlchemy's own ping does; a standby says that its transactions are read-only."""
    connection.autocommit = True
    try:
        return bool(connection.execute("SHOW transaction_read_only").fetchone()[0] == "on")
    finally:
        if not connection.closed:
            connection.autocommit = False


def _retire_read_only(context: ExceptionContext) -> None:
    """Count a write that was refused because the server is read-only as a lost connection, which ends all of them."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("durable", True):
        driver: Any = connection.connection.driver_connection
        driver.execute("SET LOCAL synchronous_commit TO off")
