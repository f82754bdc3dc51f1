"""What deserves a second look about a store: who else may use its file, and which clients expire soon."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from connector.checks.connectivity import Remark
from connector.directory.times import rfc3339
from connector.file_access import describe_access
from connector.store.clients import Client, Clients
from connector.store.sql.database import Database

EXPIRES_SOON_SECONDS = 14 * 24 * 60 * 60


def find_remarks(database: Database) -> Iterator[Remark]:
    """Yield what there is to say.

    Raises:
        StoreError: the store does not answer.
    """
    if database.dialect == "sqlite":
        path = Path(database.engine.url.database or "").absolute()
        for detail, command in describe_access(path, "the store", secret=True):
            yield Remark(f"{detail}.", f"Run: {command}")
    for client in Clients(database).expiring(within=EXPIRES_SOON_SECONDS):
        yield _remark_on_expiry(client)


def _remark_on_expiry(client: Client) -> Remark:
    at = client.expires_at or ""
    expires = "expires" if at > rfc3339(datetime.now(UTC)) else "has expired"
    return Remark(
        f"The client {client.name!r} {expires} ({at}).",
        f"Make another with `cognito-scim client create`, switch over, then: cognito-scim client revoke {client.name}",
    )
