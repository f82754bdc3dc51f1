"""A credential for a single use by this program itself, which leaves no trace among the clients."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import String, cast, delete, select

from connector.store.clients import ClientCredentials, Clients, Grant
from connector.store.sql.database import Database
from connector.store.sql.tables import access_tokens, clients, imports, pins

LIFETIME_SECONDS = 2 * 60 * 60.0
"""After that it lets nobody in, even where the process that lent it was killed."""

PREFIX = "try of "
"""How the names of lent credentials begin."""


@contextmanager
def lent_credential(database: Database, name: str, grant: Grant) -> Iterator[ClientCredentials]:
    """Give a credential that reads the directory, for the length of a block.

    Args:
        database: the store.
        name: what its client is called meanwhile; begins with `PREFIX`.
        grant: how it signs in.

    Raises:
        StoreError: none could be made.
    """
    made = Clients(database).create(name, grant=grant, lifetime=LIFETIME_SECONDS)
    try:
        yield made
    finally:
        _forget(database, name)


def _forget(database: Database, name: str) -> None:
    with database.writing() as connection:
        ours = select(clients.c.id).where(clients.c.name == name)
        as_text = select(cast(clients.c.id, String)).where(clients.c.name == name)
        connection.execute(delete(access_tokens).where(access_tokens.c.client.in_(ours)))
        connection.execute(delete(imports).where(imports.c.client.in_(as_text)))
        connection.execute(delete(pins).where(pins.c.client.in_(as_text)))
        connection.execute(delete(clients).where(clients.c.name == name))
