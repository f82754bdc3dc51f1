"""What is read while a request is answered goes through one connection, which is given back whatever happens."""

from contextlib import closing, suppress
from threading import Thread

import pytest
from sqlalchemy import event, literal_column, select

from connector.errors import StoreError
from connector.store.clients import Clients
from connector.store.generations import fetch_newest
from connector.store.migrations import open_database
from connector.store.sql.prepared import Prepared
from connector.store.sql.tables import generations
from tests.store.population import Directory, people, publish_directory


@pytest.fixture
def database(open_store):
    """Return a store with a directory."""
    database = open_store()
    publish_directory(database, Directory(people(3)))
    return database


@pytest.fixture
def moves(database):
    """Gather how connections are taken and given back."""
    seen = []
    event.listen(database.engine, "checkout", lambda *_: seen.append("taken"))
    event.listen(database.engine, "checkin", lambda *_: seen.append("given back"))
    return seen


def test_a_block_reads_through_one_connection(database, moves):
    """P23: taking a connection costs as much as a short statement, so it is taken once, when it is needed."""
    with database.lending():
        assert moves == []
        assert fetch_newest(database) == fetch_newest(database)
        assert moves == ["taken"]

    assert moves == ["taken", "given back"]


def test_without_a_block_each_read_takes_its_own(database, moves):
    """What is streamed after the block still reads."""
    with database.lending():
        fetch_newest(database)
    moves.clear()
    fetch_newest(database)

    assert moves == ["taken", "given back"]


def test_a_block_that_breaks_gives_back(database, moves):
    """P31: no fault of a request costs a connection."""
    with suppress(ZeroDivisionError), database.lending():
        fetch_newest(database)
        raise ZeroDivisionError

    assert moves == ["taken", "given back"]


def test_each_thread_has_a_connection_of_its_own(database, moves):
    """A connection serves one thread at a time."""
    with database.lending():
        fetch_newest(database)
        other = Thread(target=fetch_newest, args=(database,))
        other.start()
        other.join()

        assert moves == ["taken", "taken", "given back"]


def test_a_store_that_is_gone_is_a_fault_of_the_store(tmp_path):
    """P31: the first read tells it, in the block, where a response can still be made of it."""
    file = tmp_path / "store.db"
    with closing(open_database(f"sqlite:///{file}")) as database:
        file.unlink()

        with database.lending(), pytest.raises(StoreError):
            fetch_newest(database)


def test_a_block_sees_what_others_commit(database):
    """P29: a client that is revoked while a request is answered is revoked at once, on the same connection too."""
    token = Clients(database).create("one").token
    with database.lending():
        assert Clients(database).authenticate(token)
        Clients(database).revoke("one")

        assert Clients(database).authenticate(token) is None


def test_no_transaction_stays_open_between_two_reads(database):
    """P23: a slow client or a long search holds up no vacuum of PostgreSQL."""
    with database.lending():
        fetch_newest(database)
        held = database._lent.connection.driver_connection

        assert not (held.in_transaction if database.dialect == "sqlite" else held.info.transaction_status)


def test_a_read_that_failed_leaves_the_next_one_alone(database):
    """P31: one connection, and no transaction that is over."""
    missing = Prepared(select(literal_column("nothing")).select_from(generations))
    with database.lending():
        with pytest.raises(StoreError):
            database.fetch(missing)

        assert fetch_newest(database).number == 1
