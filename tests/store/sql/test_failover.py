"""A PostgreSQL cluster: two real servers, one follows the other, behind a switch that keeps old connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from sqlalchemy import make_url, text

from connector.errors import StoreError
from connector.store.clients import Clients
from connector.store.migrations import migrate, open_database
from connector.store.sql.database import connect
from connector.store.sql.postgresql import LONGEST_USE_SECONDS
from tests.postgres import Server, create_database, running_server, running_standby


class Switch:
    """Leads new connections to a server and leaves those that there are where they lead."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: str) -> str:
        """Return where clients connect to."""
        return f"postgresql://tests@127.0.0.1:{self._listener.getsockname()[1]}/{database}"

    def close(self) -> None:
        """End every connection, and take no more."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", make_url(self.server.url).port or 0))
                self._ends += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while part := one.recv(65536):
                other.sendall(part)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cluster() -> Iterator[tuple[Server, Server, Switch]]:
    """Run a writer, a standby and a switch that leads to the writer."""
    with running_server() as primary:
        url = create_database(primary.url, "scim")
        with closing(connect(url)) as database:
            migrate(database)
        with running_standby(primary) as standby, closing(Switch(primary)) as switch:
            yield primary, standby, switch


def test_after_a_failover_everything_goes_to_the_new_writer() -> None:
    """P39: reads too, at once, although the switch keeps the old connections and the old server still answers."""
    with cluster() as (primary, standby, switch), closing(open_database(switch.url("scim"))) as database:
        clients = Clients(database)
        before = clients.create("before").token
        assert clients.authenticate(before)
        database.prove_writable()

        wait_until_it_follows(standby)
        standby.promote()
        primary.demote()
        switch.server = standby
        with closing(open_database(make_url(standby.url).set(database="scim").render_as_string())) as elsewhere:
            after = Clients(elsewhere).create("after").token

        assert [bool(clients.authenticate(token)) for token in [before, after] * 20] == [True] * 40
        database.prove_writable()
        assert clients.create("later").token


def test_without_a_writer_reads_go_on_and_the_store_is_not_ready() -> None:
    """P39, P25: what is published is served from a standby; that no change is taken is told, and ends by itself."""
    with cluster() as (primary, standby, switch), closing(open_database(switch.url("scim"))) as database:
        clients = Clients(database)
        token = clients.create("okta").token
        wait_until_it_follows(standby)
        switch.server = standby
        primary.demote()

        assert [bool(clients.authenticate(token)) for _ in range(3)] == [True] * 3
        for change in (database.prove_writable, lambda: clients.create("oci")):
            with pytest.raises(StoreError, match="takes no writes") as caught:
                change()
        assert (caught.value.exit_code, "failover" in caught.value.remedy) == (75, True)

        standby.promote()
        assert clients.create("oci").token


def test_no_connection_grows_old(postgresql_url: str) -> None:
    """P39: where nothing tells that the switch leads elsewhere now, a connection leads astray for minutes at most."""
    with closing(connect(postgresql_url)) as database:
        assert database.engine.pool._recycle == LONGEST_USE_SECONDS <= 600


def wait_until_it_follows(standby: Server) -> None:
    """Wait until the standby knows the database with its clients."""
    url = make_url(standby.url).set(database="scim").render_as_string()
    with closing(connect(url)) as database:
        for _ in range(100):
            with database.reading() as connection:
                if connection.execute(text("SELECT count(*) FROM clients")).scalar_one():
                    return
                connection.execute(text("SELECT pg_sleep(0.1)"))
    raise AssertionError("the standby did not follow")
