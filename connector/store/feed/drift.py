"""Drift: what a full sync found changed although the feed had not announced it.

An event can come minutes after its change, so what is announced later is forgiven then.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete

from connector.store.sql.tables import feed_drift


def forget_announced(connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
    """Forget, in the caller's transaction, that nobody announced these kinds and keys."""
    for kind, key in keys:
        connection.execute(delete(feed_drift).where(feed_drift.c.kind == kind, feed_drift.c.key == key))
