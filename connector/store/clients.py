"""The callers of the SCIM endpoint: named, listed, revocable at once on every replica (P29).

A token is 256 random bits behind a prefix that secret scanners know; only its SHA-256 is kept.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update

from connector.directory.times import from_milliseconds
from connector.errors import ConfigError
from connector.store.database import Database
from connector.store.tables import clients

PREFIX = "ccs_"


@dataclass(frozen=True, slots=True)
class Client:
    """A caller, without its secret; `revoked_at` is None while it is let in."""

    name: str
    role: str
    grant: str
    created_at: str
    revoked_at: str | None = None


class Clients:
    """The callers known to the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, *, role: str = "importer", grant: str = "bearer") -> str:
        """Make a client and return its token, which is told this once.

        Raises:
            ConfigError: the name is empty or in use.
        """
        if not name.strip() or not name.isprintable():
            raise ConfigError("A client needs a name of printable characters.", remedy="Name it after its importer.")
        token = PREFIX + secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            if connection.execute(select(clients.c.id).where(*_active(name))).first():
                raise ConfigError(
                    f"There is a client {name!r} already.",
                    remedy=f"Choose another name, or first run: cognito-scim client revoke {name}",
                )
            now = from_milliseconds(connection.execute(select(self._database.clock)).scalar_one())
            row = {"name": name, "role": role, "grant": grant, "token_hash": _digest(token), "created_at": now}
            connection.execute(insert(clients).values(row))
        return token

    def list(self) -> list[Client]:
        """Return every client, revoked ones too, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(clients.c.id)).all()
        return [Client(*row) for row in rows]

    def revoke(self, name: str) -> None:
        """Shut a client out from its next request on.

        Raises:
            ConfigError: there is no such client.
        """
        with self._database.writing() as connection:
            now = from_milliseconds(connection.execute(select(self._database.clock)).scalar_one())
            shut_out = connection.execute(update(clients).where(*_active(name)).values(revoked_at=now))
        if not shut_out.rowcount:
            raise ConfigError(f"There is no client {name!r}.", remedy="See: cognito-scim client list")

    def authenticate(self, token: str) -> Client | None:
        """Return the client whose token this is, None for any other text."""
        digest = _digest(token)
        with self._database.reading() as connection:
            row = connection.execute(
                select(*_COLUMNS, clients.c.token_hash).where(
                    clients.c.token_hash == digest, clients.c.revoked_at.is_(None)
                )
            ).one_or_none()
        if row is None or not hmac.compare_digest(row.token_hash, digest):
            return None
        return Client(*row[:-1])

    def any(self) -> bool:
        """Tell whether anybody is let in."""
        with self._database.reading() as connection:
            return connection.execute(select(clients.c.id).where(clients.c.revoked_at.is_(None))).first() is not None


_COLUMNS = (clients.c.name, clients.c.role, clients.c.grant, clients.c.created_at, clients.c.revoked_at)


def _active(name: str) -> tuple[ColumnElement[bool], ...]:
    return clients.c.name == name, clients.c.revoked_at.is_(None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
