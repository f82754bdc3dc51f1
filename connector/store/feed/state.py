"""What is known of the change feed as a whole: when it gave a sign of life, what waits in its queue, why it stopped."""

from sqlalchemy import Connection, delete, select

from connector.store.sql.tables import feed_state
from connector.store.sql.upserts import INSERTS

MESSAGE = "message"
"""When the last message came."""

PULSE = "pulse"
"""When the last pulse came."""

BACKLOG = "backlog"
"""How many messages wait in the queue."""

STOP = "stop"
"""Why nothing more is read until a full sync is completed."""


def note_state(connection: Connection, name: str, now: int, detail: str = "") -> None:
    """Remember, in the caller's transaction, that something is so since now."""
    insert = INSERTS[connection.dialect.name](feed_state)
    values = {"at": insert.excluded.at, "detail": insert.excluded.detail}
    upsert = insert.on_conflict_do_update(index_elements=["name"], set_=values)
    connection.execute(upsert, {"name": name, "at": now, "detail": detail})


def forget_state(connection: Connection, name: str) -> None:
    """Forget, in the caller's transaction, that something is so."""
    connection.execute(delete(feed_state).where(feed_state.c.name == name))


def read_stop(connection: Connection) -> str:
    """Return why nothing more is read until a full sync is completed, empty when it goes on."""
    return connection.scalar(select(feed_state.c.detail).where(feed_state.c.name == STOP)) or ""
