"""The callers: named, given one role, listed, revocable at once on every replica (P29).

A client has one grant, one way to sign in, and no other way lets it in. Whatever was made for it is found by the digest
of its secret, so odd text in a request is a wrong secret and never a fault.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, delete, insert, or_, select, update

from connector.directory.times import from_milliseconds
from connector.errors import ConfigError, NoSuchClient
from connector.store import audit
from connector.store.audit import NOBODY, Actor, Event
from connector.store.client_secrets import (
    ACCESS_TOKEN,
    BEARER_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    USERNAME,
    digest,
    is_same,
    new_name,
    new_secret,
)
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import access_tokens, clients

MOST_TOKENS = 100
"""At most this many access tokens of one client are valid at once; some importers fetch one for every request."""


class ClientRole(StrEnum):
    """What a client may do; each role opens what it needs and no more."""

    IMPORTER = "importer"
    """Reads the directory, `/scim/v2`."""
    OPERATOR = "operator"
    """Starts and looks at runs, `/api/v1`."""


class Grant(StrEnum):
    """How a client signs in."""

    BEARER = "bearer"
    """With its token, in each request (RFC 6750)."""
    BASIC = "basic"
    """With its id and secret, in each request (RFC 7617)."""
    CLIENT_CREDENTIALS = "client-credentials"
    """With its id and secret for an access token (RFC 6749, section 4.4)."""
    PASSWORD = "password"  # noqa: S105 - a grant, not a secret
    """With its id and secret, a user name and a password for an access token (RFC 6749, section 4.3)."""


@dataclass(frozen=True, slots=True)
class Client:
    """A caller, without its secrets; times are RFC 3339 in UTC.

    Args:
        client_id: what it signs in with beside a secret; None where it has a token.
        revoked_at: when it was shut out, None if it was not.
        expires_at: when it ceases to be let in, None = never.
        last_used_at: when it was last let in, to within some seconds; None = never yet.
    """

    id: int
    name: str
    role: ClientRole
    grant: Grant
    client_id: str | None
    created_at: str
    revoked_at: str | None = None
    expires_at: str | None = None
    last_used_at: str | None = None


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a client signs in with, shown once; what its grant does not use is empty."""

    token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def generate(cls, grant: Grant) -> "ClientCredentials":
        """Make the credentials of a new client."""
        if grant is Grant.BEARER:
            return cls(token=new_secret(BEARER_TOKEN))
        client_id, client_secret = new_name(CLIENT_ID), new_secret(CLIENT_SECRET)
        if grant is Grant.PASSWORD:
            return cls("", client_id, client_secret, new_name(USERNAME), new_secret(PASSWORD))
        return cls("", client_id, client_secret)

    def parts(self) -> dict[str, str]:
        """Return what there is, by its name in OAuth."""
        return {name: value for name, value in asdict(self).items() if value}


class Clients:
    """The callers known to the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        *,
        role: ClientRole = ClientRole.IMPORTER,
        grant: Grant = Grant.BEARER,
        lifetime: float | None = None,
        by: Actor = NOBODY,
    ) -> ClientCredentials:
        """Make a client and return what it signs in with, which is told this once.

        Args:
            name: what it is listed as.
            role: what it may do.
            grant: how it signs in.
            lifetime: seconds for which it is let in, None = until it is revoked.
            by: who makes it.

        Raises:
            ConfigError: the name is empty or in use.
        """
        if not name.strip() or not name.isprintable():
            raise ConfigError("A client needs a name of printable characters.", remedy="Name it after its importer.")
        made = ClientCredentials.generate(grant)
        with self._database.writing() as connection:
            if connection.execute(select(clients.c.id).where(*_active(name))).first():
                raise ConfigError(
                    f"There is a client {name!r} already.",
                    remedy=f"Choose another name, or first run: cognito-scim client revoke {name}",
                )
            now = read_clock(connection)
            row = {"name": name, "role": role.value, "grant": grant.value, "created_at": from_milliseconds(now)}
            expires_at = None if lifetime is None else now + round(lifetime * 1000)
            connection.execute(insert(clients).values({**row, "expires_at": expires_at, **_kept(made)}))
            event = audit.write(connection, Event.CLIENT_CREATED, by, subject=name, detail=f"{role}, {grant}")
        audit.log(event)
        return made

    def list(self) -> list[Client]:
        """Return every client, revoked ones too, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(clients.c.id)).all()
        return [_client(row) for row in rows]

    def expiring(self, *, within: float) -> Sequence[Client]:
        """Return the clients that expire soon, or have expired and were not revoked; the next one first.

        Args:
            within: seconds that are soon.
        """
        soon = clients.c.revoked_at.is_(None), clients.c.expires_at <= CLOCK + int(within * 1000)
        with self._database.reading() as connection:
            rows = connection.execute(select(*_COLUMNS).where(*soon).order_by(clients.c.expires_at, clients.c.id))
            return [_client(row) for row in rows]

    def revoke(self, name: str, *, by: Actor = NOBODY) -> None:
        """Shut a client out, with every access token it holds, from its next request on.

        Args:
            name: of the client.
            by: who shuts it out.

        Raises:
            NoSuchClient: there is no such client.
        """
        with self._database.writing() as connection:
            now = from_milliseconds(read_clock(connection))
            shut_out = connection.execute(update(clients).where(*_active(name)).values(revoked_at=now))
            if not shut_out.rowcount:
                raise NoSuchClient(f"There is no client {name!r}.", remedy="See: cognito-scim client list")
            event = audit.write(connection, Event.CLIENT_REVOKED, by, subject=name)
        audit.log(event)

    def any(self) -> bool:
        """Tell whether anybody is let in."""
        with self._database.reading() as connection:
            return connection.execute(select(clients.c.id).where(LET_IN)).first() is not None

    def authenticate(self, token: str) -> Client | None:
        """Return the client whose bearer token or living access token this is, None for any other text."""
        return self._holder(token, _BY_ACCESS_TOKEN if token.startswith(ACCESS_TOKEN) else _BY_BEARER_TOKEN)

    def verify(self, client_id: str, client_secret: str) -> Client | None:
        """Return the client whose id and secret these are, None for any other pair."""
        client = self._holder(client_secret, _BY_SECRET)
        return client if client and is_same(client.client_id or "", client_id) else None

    def verify_user(self, client: Client, username: str, password: str) -> bool:
        """Tell whether user name and password are those made for a client."""
        query = select(clients.c.username, clients.c.password_hash).where(clients.c.id == client.id)
        with self._database.reading() as connection:
            row = connection.execute(query).one()
        if row.password_hash is None:
            return False
        return is_same(row.username, username) and is_same(row.password_hash, digest(password))

    def issue_token(self, client: Client, *, seconds: int) -> str:
        """Return a new access token, good on every replica; forget those that expired, and the client's oldest of many.

        Args:
            client: whose token it is; with the client it is revoked.
            seconds: how long it is good, on the database's clock.
        """
        token = new_secret(ACCESS_TOKEN)
        row = {"token_hash": digest(token), "client": client.id, "expires_at": CLOCK + seconds * 1000}
        with self._database.writing() as connection:
            connection.execute(delete(access_tokens).where(access_tokens.c.expires_at <= CLOCK))
            connection.execute(insert(access_tokens).values(row))
            its_own = access_tokens.c.client == client.id
            newest = select(access_tokens.c.token_hash).where(its_own).order_by(access_tokens.c.expires_at.desc())
            kept = newest.limit(MOST_TOKENS).scalar_subquery()
            connection.execute(delete(access_tokens).where(its_own, access_tokens.c.token_hash.not_in(kept)))
        return token

    def _holder(self, secret: str, kept: Prepared) -> Client | None:
        wanted = digest(secret)
        for row in self._database.fetch(kept, wanted=wanted):
            if is_same(row[-1], wanted):
                return _client(row[:-1])
        return None


_COLUMNS = (
    clients.c.id,
    clients.c.name,
    clients.c.role,
    clients.c.grant,
    clients.c.client_id,
    clients.c.created_at,
    clients.c.revoked_at,
    clients.c.expires_at,
    clients.c.last_used_at,
)
_WANTED: BindParameter[str] = bindparam("wanted")
LET_IN = and_(clients.c.revoked_at.is_(None), or_(clients.c.expires_at.is_(None), clients.c.expires_at > CLOCK))
_BY_SECRET = Prepared(
    select(*_COLUMNS, clients.c.secret_hash).where(
        clients.c.secret_hash == _WANTED, LET_IN, clients.c.client_id.is_not(None)
    )
)
_BY_BEARER_TOKEN = Prepared(
    select(*_COLUMNS, clients.c.secret_hash).where(
        clients.c.secret_hash == _WANTED, LET_IN, clients.c.grant == Grant.BEARER.value
    )
)
_BY_ACCESS_TOKEN = Prepared(
    select(*_COLUMNS, access_tokens.c.token_hash).where(
        access_tokens.c.token_hash == _WANTED,
        LET_IN,
        access_tokens.c.client == clients.c.id,
        access_tokens.c.expires_at > CLOCK,
    )
)


def _client(row: Sequence[Any]) -> Client:
    number, name, role, grant, client_id, created_at, revoked_at, *milliseconds = row
    expires_at, last_used_at = (None if at is None else from_milliseconds(at) for at in milliseconds)
    return Client(
        number, name, ClientRole(role), Grant(grant), client_id, created_at, revoked_at, expires_at, last_used_at
    )


def _kept(made: ClientCredentials) -> dict[str, str | None]:
    """Return what the store keeps of credentials: names as they are, secrets as digests."""
    return {
        "client_id": made.client_id or None,
        "secret_hash": digest(made.token or made.client_secret),
        "username": made.username or None,
        "password_hash": digest(made.password) if made.password else None,
    }


def _active(name: str) -> tuple[ColumnElement[bool], ...]:
    return clients.c.name == name, clients.c.revoked_at.is_(None)
