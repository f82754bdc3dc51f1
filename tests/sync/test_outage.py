"""Outages: a full disk and a restarted database need no repair; a source that is away for long changes nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, event, text

from connector.errors import StoreError
from connector.store.migrations import migrate, open_database
from connector.store.runs.queue import Runs
from connector.store.sql import clock as clocks
from connector.store.sql.database import Database
from tests.fakes.faults import Fault
from tests.fakes.population import people
from tests.fakes.simulated_pool import SimulatedPool
from tests.postgres import Server, running_server
from tests.sync.syncing import Connector


@pytest.fixture
def pool() -> Iterator[SimulatedPool]:
    """A pool of 300 people, more than a few pages of a database hold."""
    with SimulatedPool(people(300), {"staff": ["p0", "p1"]}) as simulated:
        yield simulated


@pytest.mark.parametrize("pages", [1, 3, 20, 60, 100, 140])
def test_a_full_disk_leaves_what_is_published(pages, pool, tmp_path):
    """P22: wherever a sync runs out of room, readers see the old directory, and the next sync publishes the new."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    connector = Connector(pool, database)
    pool.directory.remove_user("p7")
    connector.sync()
    published = connector.published()
    for number in range(300, 600):
        pool.directory.add_user(people(number + 1)[-1])
    with database.reading() as connection:
        room = connection.execute(text("PRAGMA page_count")).scalar_one() + pages
    database.engine.dispose()
    limit = {"pages": room}

    def limit_room(raw, _entry):
        raw.execute(f"PRAGMA max_page_count = {limit['pages']}")

    event.listen(database.engine, "connect", limit_room)

    outcome = sync_as_far_as_it_goes(connector)
    left = connector.published()
    limit["pages"] = 2**30
    database.engine.dispose()
    again = connector.sync()

    assert (outcome, left) == ("incomplete", published)
    assert again.outcome == "published"
    with database.reading() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert [run.state for run in Runs(database).history(count=9)] == ["ended"] * 3
    database.close()


def sync_as_far_as_it_goes(connector: Connector) -> str:
    """Sync, and return the outcome; without room even for the record of the run there is none."""
    try:
        return connector.sync().outcome
    except StoreError:
        return "incomplete"


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL server that no other test uses."""
    with running_server() as one:
        yield one


@pytest.mark.parametrize("operation", ["ListUsers", "ListGroups", "ListUsersInGroup"])
def test_a_restart_of_the_database_leaves_what_is_published(operation, pool, server):
    """P22: a run that loses its database ends or is taken over; the next one publishes as if nothing had been."""
    fresh = Database(create_engine(server.url))
    migrate(fresh)
    fresh.close()
    database = open_database(server.url)
    connector = Connector(pool, database)
    connector.sync()
    pool.directory.remove_user("p7")
    pool.before(operation, call=pool.calls[operation] + 1, do=server.restart)

    outcome = sync_as_far_as_it_goes(connector)
    again = connector.sync()

    assert (outcome, again.outcome) in {("published", "unchanged"), ("incomplete", "published")}
    assert [run.state for run in Runs(database).history(count=9)] == ["ended"] * 3
    assert again.plan.harvested.users == 299
    database.close()


def test_what_was_published_last_is_served_while_the_source_is_away(pool, database, monkeypatch):
    """P25: for a month no sync succeeds; readers see the same directory, and its date."""
    connector = Connector(pool, database)
    connector.sync()
    published = connector.published()
    pool.fail("ListUsers", call=1 + pool.calls["ListUsers"], fault=Fault.ACCESS_DENIED, times=1000)
    now_by_dialect = dict(clocks._MILLISECONDS)

    for day in (1, 7, 30):
        later = {dialect: f"({now} + {day * 86_400_000})" for dialect, now in now_by_dialect.items()}
        monkeypatch.setattr(clocks, "_MILLISECONDS", later)
        assert (connector.sync().outcome, connector.published()) == ("incomplete", published)
