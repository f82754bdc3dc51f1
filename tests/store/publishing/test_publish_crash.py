"""A publish that is killed at any statement leaves the old generation or the new one, and nothing to repair."""

import pytest
from sqlalchemy import text, update

from connector.directory.rows import Kind
from connector.store.reading.reader import DirectoryReader
from connector.store.sql.tables import leases
from tests.store.crashing import KILLED, NEVER, publish_until_killed
from tests.store.population import Directory, people, person, publish_directory, team

OLD = Directory(people(5), [team("g1"), team("g2")], {"g1": ["u00001", "u00002"], "g2": ["u00003"]})
NEW = Directory(
    [person("u00001", "renamed"), *people(5)[1:4], person("u00009")],
    [team("g1"), team("g3")],
    {"g1": ["u00002", "u00009"], "g3": ["u00001"]},
)


def served(database):
    """Return everything that a reader sees."""
    reader = DirectoryReader(database)
    generation = reader.newest()
    return {
        kind: [
            (found.id, found.body, [member.id for member in reader.members(found.id, generation)])
            for found in reader.page(kind, generation, start=1, count=99).resources
        ]
        for kind in Kind
    }


@pytest.fixture
def states(open_store):
    """The old and the new directory as readers see them, from a store of their own kind."""
    database = open_store()
    publish_directory(database, OLD)
    return database, served(database)


@pytest.mark.parametrize("when", ["before_cursor_execute", "after_cursor_execute"])
def test_killed_at_any_statement_a_publish_has_happened_or_not(states, store_url, when):
    """P22: readers see old or new, never a mixture, and the next run needs no repair."""
    database, old = states
    killed = 0
    while publish_until_killed(store_url, NEW, statement=killed, when=when) == KILLED:
        assert served(database) == old
        with database.writing() as connection:
            connection.execute(update(leases).values(expires_at=1))
        killed += 1

    assert killed > 10
    assert served(database) != old
    assert DirectoryReader(database).newest().number == 2
    with database.writing() as connection:
        connection.execute(update(leases).values(expires_at=1))
    assert publish_directory(database, NEW).generation is None
    if database.dialect == "sqlite":
        with database.reading() as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


def test_killed_right_after_its_commit_a_publish_has_happened(states, store_url):
    """P22: what was committed is served, though the run never got to say so."""
    database, _ = states

    assert publish_until_killed(store_url, NEW, statement=NEVER, when="before_cursor_execute") == KILLED

    with database.writing() as connection:
        connection.execute(update(leases).values(expires_at=1))
    assert DirectoryReader(database).newest().number == 2
    assert publish_directory(database, NEW).generation is None
