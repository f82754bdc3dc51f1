"""What an error of the driver means, in words that say what to do."""

import getpass
import os
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import URL, exc

from connector.errors import NotADatabase, StoreError, StoreForbidden
from connector.store.sql.postgresql import READ_ONLY, is_verified_by_default

_REMEDY = "Look at store.url, and whether the database runs, can be reached and has room."
_NOT_OURS = "Look at store.url: it names a file of another kind, or one that is damaged, which is left as it is."
_NOT_THE_WRITER = "Wait for the failover to end, or let store.url lead to the server that takes writes."
_TLS = (
    "store.url says no sslmode, so TLS with a certificate that this machine trusts is demanded. Give the server one,"
    " name its authority with ?sslrootcert=FILE, or say in the URL what this network allows, such as ?sslmode=require."
)
PRIMARY_CODE = 0xFF
"""The part of a result code of SQLite that says what went wrong; the rest says where (sqlite.org/rescode.html)."""
_LEAST_ROOM = 256 * 1024
"""Bytes; opening a WAL database takes 32 KiB of shared memory in a file beside it."""


def fault_of(error: Exception, url: URL, name: str) -> StoreError:
    """Return the fault to raise for an error.

    Args:
        error: of SQLAlchemy, of the driver or of the operating system.
        url: where the store is.
        name: the same without anything secret.
    """
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    if url.get_backend_name() == "sqlite":
        return _fault_of_sqlite(cause, Path(url.database or "").absolute(), name)
    if getattr(cause, "sqlstate", None) == READ_ONLY:
        return StoreError(f"The server of the store {name} takes no writes.", remedy=_NOT_THE_WRITER)
    reason = _reason(cause)
    about_tls = is_verified_by_default(url) and any(word in reason for word in ("SSL", "certificate"))
    return StoreError(f"The store {name} could not answer: {reason}.", remedy=_TLS if about_tls else _REMEDY)


def _fault_of_sqlite(cause: BaseException, path: Path, name: str) -> StoreError:
    code = getattr(cause, "sqlite_errorcode", 0) & PRIMARY_CODE
    if code == sqlite3.SQLITE_NOTADB:
        return NotADatabase(f"The store {name} is no SQLite database.", remedy=_NOT_OURS)
    if code == sqlite3.SQLITE_READONLY or isinstance(cause, PermissionError):
        return forbidden(path)
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM} and not may_write(path):
        return forbidden(path)
    reason = _reason(cause)
    if code == sqlite3.SQLITE_IOERR and is_full(path.parent):
        reason = f"its disk is full, and reading needs some room too ({reason})"
    return StoreError(f"The store {name} could not answer: {reason}.", remedy=_REMEDY)


def forbidden(path: Path) -> StoreForbidden:
    """Return the fault of a SQLite file that this process may not write."""
    try:
        user = getpass.getuser() if os.geteuid() == os.getuid() else str(os.geteuid())
    except (KeyError, OSError):
        user = str(os.geteuid())
    return StoreForbidden(
        f"The store {path} cannot be written by {user}, who runs this.",
        remedy=f"Let {user} write the file and its folder (chown {user} {path.parent} {path}); or see store.url.",
    )


def may_write(path: Path) -> bool:
    """Tell whether this process may write a file, and make the files that SQLite keeps beside it."""
    entered = os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)
    return entered and (not path.exists() or os.access(path, os.R_OK | os.W_OK, effective_ids=True))


def is_full(folder: Path) -> bool:
    """Tell whether a disk has no room for the files that SQLite keeps beside its own."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _reason(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:300].rstrip(".?! ") or type(cause).__name__
