"""Which commits wait for the disk: everything but what a run could do again."""

from threading import get_ident

import pytest
from sqlalchemy import event, text

from connector.directory.runs import Cause, RunKind
from connector.store.publishing.compare import note_changes
from connector.store.runs.run import begin
from tests.store.population import Directory, people, publish_directory, stage, team

HOW_SAFE = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}
SAFE = {"sqlite": 2, "postgresql": "on"}
FASTER = {"sqlite": 1, "postgresql": "off"}


@pytest.fixture
def database(open_store):
    """Return an empty store."""
    return open_store()


def how_safe(database, connection):
    """Return how the database will commit."""
    return connection.execute(text(HOW_SAFE[database.dialect])).scalar_one()


@pytest.fixture
def commits(database):
    """Gather how each transaction that writes is committed, but for those of the heartbeat, a thread of its own."""
    seen, here = [], get_ident()

    def note(connection):
        if connection.get_execution_options().get("writing") and get_ident() == here:
            seen.append(how_safe(database, connection))

    event.listen(database.engine, "commit", note)
    return seen


def test_a_commit_waits_for_the_disk_unless_it_says_otherwise(database):
    """P22: a quick transaction leaves nothing behind on its connection that makes the next one quick too."""
    seen = []
    for durable in (True, False, True):
        with database.writing(durable=durable) as connection:
            seen.append(how_safe(database, connection))

    assert seen == [SAFE[database.dialect], FASTER[database.dialect], SAFE[database.dialect]]


def test_staging_and_comparing_wait_for_no_disk(database, commits):
    """What a power cut takes of them, the next run reads and compares again."""
    folk = people(3)
    directory = Directory(folk, [team("g1")], {"g1": [one.id for one in folk]})
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        commits.clear()
        staging = stage(database, run.id, directory)
        note_changes(database, run.id)
        staging.clear()

        assert set(commits) == {FASTER[database.dialect]}
        commits.clear()

    assert set(commits) == {SAFE[database.dialect]}


def test_a_publish_waits_for_the_disk(database):
    """P22: what importers have seen is still there after a power cut."""
    seen = []

    def note(connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO generations"):
            seen.append(how_safe(database, connection))

    event.listen(database.engine, "after_cursor_execute", note)
    publish_directory(database, Directory(people(3)))

    assert seen == [SAFE[database.dialect]]
