"""Sessions of the console: rows of SHA-256 of random values, so that replicas share no signing key (P29).

A session ends when it was not used for a while, when it is old, when somebody ends it, and with the client whose
operator it belongs to: whichever comes first, on every replica at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, delete, insert, or_, select, update

from connector.directory.times import from_milliseconds
from connector.store.client_secrets import digest, new_secret
from connector.store.clients import LET_IN, Client, ClientRole
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import clients, sessions

SESSION = "ccw_"
IDLE_SECONDS = 30 * 60
"""How long a session lasts without use; what a page asks for by itself is no use."""
TOTAL_SECONDS = 12 * 60 * 60
"""How long a session lasts at most."""

_NOTED_MILLISECONDS = 60_000
"""A use is noted once in this time, so that a page costs no write."""
_LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A session, without its secret.

    Args:
        id: its number, by which its owner ends it.
        client: the number of the operator.
        operator: their name.
        begun_at, seen_at: RFC 3339 in UTC.
        address: where it was begun from.
        browser: what the browser called itself then.
    """

    id: int
    client: int
    operator: str
    begun_at: str
    seen_at: str
    address: str
    browser: str


class Sessions:
    """The sessions known to the store.

    Args:
        database: the store.
        idle: seconds after its last use at which a session ends.
        total: seconds after its beginning at which a session ends.
    """

    def __init__(self, database: Database, *, idle: float = IDLE_SECONDS, total: float = TOTAL_SECONDS) -> None:
        self._database = database
        self._idle = int(idle * 1000)
        self._total = int(total * 1000)

    def begin(self, client: Client, *, address: str, browser: str) -> str:
        """Begin a session of an operator and return its secret, which is not kept."""
        secret = new_secret(SESSION)
        row = {
            "token_hash": digest(secret),
            "client": client.id,
            "address": address[:_LONGEST_DESCRIPTION],
            "browser": browser[:_LONGEST_DESCRIPTION],
        }
        with self._database.writing() as connection:
            now = read_clock(connection)
            ended = or_(sessions.c.seen_at <= now - self._idle, sessions.c.begun_at <= now - self._total)
            connection.execute(delete(sessions).where(ended))
            connection.execute(insert(sessions).values(**row, begun_at=now, seen_at=now))
        return secret

    def find(self, secret: str, *, is_use: bool) -> ConsoleSession | None:
        """Return the living session of a secret, None for any other text.

        Args:
            secret: what the browser sent.
            is_use: whether a person asks, so that the session lasts longer.
        """
        wanted = digest(secret)
        rows = self._database.fetch(_BY_SECRET, wanted=wanted, idle=self._idle, total=self._total)
        for *known, age in rows:
            if is_use and age >= _NOTED_MILLISECONDS:
                self._note_use(wanted)
            return _read(known)
        return None

    def of(self, client: int) -> list[ConsoleSession]:
        """Return the living sessions of an operator, the one used last first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .where(sessions.c.client == clients.c.id, sessions.c.client == client, *_alive(self._idle, self._total))
                .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
            ).all()
        return [_read(row) for row in rows]

    def end(self, session: ConsoleSession) -> None:
        """End one session."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == session.id))

    def end_one_of(self, client: int, number: int) -> bool:
        """End the session of a number, if it is that operator's, and tell whether it was there."""
        with self._database.writing() as connection:
            ours = sessions.c.id == number, sessions.c.client == client
            return bool(connection.execute(delete(sessions).where(*ours)).rowcount)

    def end_all_of(self, client: int) -> int:
        """End every session of an operator and return how many there were."""
        with self._database.writing() as connection:
            return connection.execute(delete(sessions).where(sessions.c.client == client)).rowcount

    def _note_use(self, token_hash: str) -> None:
        with self._database.writing(durable=False) as connection:
            connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=CLOCK))


_COLUMNS = (
    sessions.c.id,
    sessions.c.client,
    clients.c.name,
    sessions.c.begun_at,
    sessions.c.seen_at,
    sessions.c.address,
    sessions.c.browser,
)


def _alive(idle: Any, total: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        LET_IN,
        clients.c.role == ClientRole.OPERATOR.value,
        sessions.c.seen_at > CLOCK - idle,
        sessions.c.begun_at > CLOCK - total,
    )


_IDLE, _TOTAL = bindparam("idle", type_=BigInteger()), bindparam("total", type_=BigInteger())
_BY_SECRET = Prepared(
    select(*_COLUMNS, CLOCK - sessions.c.seen_at).where(
        sessions.c.token_hash == bindparam("wanted"), sessions.c.client == clients.c.id, *_alive(_IDLE, _TOTAL)
    )
)


def _read(row: Sequence[Any]) -> ConsoleSession:
    number, client, operator, begun_at, seen_at, address, browser = row
    return ConsoleSession(
        number, client, operator, from_milliseconds(begun_at), from_milliseconds(seen_at), address, browser
    )
