"""Full syncs that the change feed asks for: each reason once, until a full sync that began later is completed."""

from sqlalchemy import Connection, delete, select

from connector.store.sql.tables import full_sync_requests
from connector.store.sql.upserts import INSERTS


def ask(connection: Connection, reason: str, now: int) -> None:
    """Ask for a full sync in the caller's transaction."""
    insert = INSERTS[connection.dialect.name](full_sync_requests)
    again = insert.on_conflict_do_update(index_elements=["reason"], set_={"last_at": insert.excluded.last_at})
    connection.execute(again, {"reason": reason, "first_at": now, "last_at": now})


def read_reasons(connection: Connection) -> list[str]:
    """Return why a full sync is due, the oldest reason first; nothing when none is."""
    requests = full_sync_requests.c
    return list(connection.scalars(select(requests.reason).order_by(requests.first_at, requests.reason)))


def grant(connection: Connection, *, began: int) -> None:
    """Forget, in the caller's transaction, what a full sync that began at a time has answered."""
    connection.execute(delete(full_sync_requests).where(full_sync_requests.c.last_at < began))
