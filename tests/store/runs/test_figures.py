"""What runs amount to, on each database: the same from every replica, never less than before."""

import threading

import pytest
from sqlalchemy import delete

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.directory.times import from_milliseconds, to_milliseconds
from connector.errors import StoreError
from connector.store.migrations import open_database
from connector.store.runs.figures import LATE_SECONDS, Measures, RunTotal
from connector.store.runs.queue import Runs, enqueue
from connector.store.runs.run import begin, record_end
from connector.store.sql.tables import runs
from tests.fakes.population import people as pool_people
from tests.fakes.simulated_pool import SimulatedPool
from tests.store.population import Directory, people, publish_directory
from tests.store.reading.test_pins import Importer, age
from tests.sync.syncing import Connector

HOUR = 3600.0
ASKED = (RunKind.SYNC, RunKind.CHECK, RunKind.PLAN, RunKind.ROTATE)


def figures(database):
    """Read the figures of this moment."""
    return Measures(database, walk_timeout=HOUR).read()


def end_run(database, kind, outcome, **result):
    """Run something of which only the end is known."""
    with begin(database, RunKind(kind), cause=Cause.COMMAND) as run:
        run.end(RunOutcome(outcome), result)


def counted(database):
    """Return how many runs ended, by kind and outcome."""
    return {(total.kind, total.outcome): total.runs for total in figures(database).runs}


def test_an_empty_store_has_no_figures(database):
    """P04: nothing is told of a directory that is not there."""
    empty = figures(database)

    assert (empty.generation, empty.runs, empty.calls, empty.pinned) == (None, (), {}, 0)
    assert empty.last_success(RunKind.SYNC) is None


def test_a_sync_is_counted_once_with_its_calls(database):
    """P21: a publish and the report behind it are one run; the calls of all runs add up by operation."""
    with SimulatedPool(pool_people(6), {"staff": ["p1", "p2"]}) as pool:
        results = [Connector(pool, database).sync() for _ in range(2)]
    found = figures(database)

    assert counted(database) == {("sync", "published"): 1, ("sync", "unchanged"): 1}
    assert found.calls == {"AssumeRole": 2, "ListUsers": 2, "ListGroups": 2, "ListUsersInGroup": 2}
    assert sum(total.seconds for total in found.runs) <= sum(result.seconds for result in results) + 5
    assert 0 <= found.now - found.last_success(RunKind.SYNC) < 60
    assert (found.generation.number, found.generation.users) == (1, 6)


def test_throttled_calls_are_counted(database):
    """P10: also of a run that ended well."""
    end_run(database, "sync", "unchanged", throttled=2)
    end_run(database, "sync", "unchanged", throttled=3)

    assert [total.throttled for total in figures(database).runs] == [5]


def test_a_run_that_died_is_counted_as_failed(database):
    """P21: whoever finds it counts it, once."""

    def die():
        with begin(database, RunKind.SYNC, cause=Cause.COMMAND):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    waiting = Runs(database).request(RunKind.CHECK, cause=Cause.API)
    Runs(database).cancel(waiting.id)

    assert counted(database) == {("sync", "failed"): 1, ("check", "failed"): 1}
    assert figures(database).last_success(RunKind.SYNC) is None


def test_only_the_end_that_did_its_work_is_a_success(database):
    """P21: a refusal is none for a sync, and all there is to find out for a plan."""
    end_run(database, "sync", "refused", rejected=3)
    end_run(database, "check", "failed")
    before = [
        figures(database).last_success(kind) for kind in (RunKind.SYNC, RunKind.CHECK, RunKind.PLAN, RunKind.ROTATE)
    ]
    end_run(database, "plan", "refused")
    end_run(database, "check", "passed")
    after = [
        figures(database).last_success(kind) is not None
        for kind in (RunKind.SYNC, RunKind.CHECK, RunKind.PLAN, RunKind.ROTATE)
    ]

    assert (before, after) == ([None] * 4, [False, True, True, False])
    assert [total.rejected for total in figures(database).runs if total.kind == "sync"] == [3]


def test_counts_outlive_the_history(database):
    """Prometheus: a counter never goes down, whatever is forgotten."""
    end_run(database, "sync", "unchanged", calls={"ListUsers": 3}, throttled=1)
    before = figures(database)
    with database.writing() as connection:
        connection.execute(delete(runs))
    after = figures(database)

    assert (before.runs, before.calls) == (after.runs, after.calls)
    assert before.calls == {"ListUsers": 3}


@pytest.mark.parametrize(("lateness", "late"), [(LATE_SECONDS * 1000, 1), (LATE_SECONDS * 1000 - 1, 0)])
def test_a_scheduled_run_that_was_queued_late_is_counted(database, lateness, late):
    """P21: no missed time of the schedule is silent."""
    with database.writing() as connection:
        queued = enqueue(connection, kind=RunKind.SYNC, cause=Cause.SCHEDULE, queued_at=from_milliseconds(10**12))
        slot = from_milliseconds(to_milliseconds(queued.queued_at) - lateness)
        connection.execute(runs.update().where(runs.c.id == queued.id).values(slot=slot))
    Runs(database).cancel(queued.id)

    assert [total.late for total in figures(database).runs] == [late]


def test_times_at_which_nothing_ran_are_counted(database):
    """P21: the run that tells of them is none that came late."""
    with database.writing() as connection:
        told = enqueue(connection, kind=RunKind.SYNC, cause=Cause.SCHEDULE, slot=from_milliseconds(10**12))
        record_end(connection, told.id, RunOutcome.FAILED, {"missed": 3}, at=told.queued_at)

    assert [(total.missed, total.late, total.runs) for total in figures(database).runs] == [(3, 0, 1)]


def test_runs_that_end_at_once_are_all_counted(open_store):
    """P20: checks end beside each other, on any replica, and none of them waits for another for ever."""
    stores = [open_store() for _ in range(4)]

    def check(database):
        for _ in range(5):
            end_run(database, "check", "passed", calls={"ListUsers": 1, "AssumeRole": 2, "ListGroups": 1})

    threads = [threading.Thread(target=check, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counted(stores[0]) == {("check", "passed"): 20}
    assert figures(stores[1]).calls == {"AssumeRole": 40, "ListGroups": 20, "ListUsers": 20}


def test_every_replica_tells_the_same(open_store):
    """P21: whichever is scraped."""
    here, there = open_store(), open_store()
    end_run(here, "check", "passed")

    assert figures(here).runs == figures(there).runs
    assert isinstance(figures(there).runs[0], RunTotal)


def test_imports_under_way_are_counted_until_they_end_or_expire(database):
    """P14: each of them keeps its generation."""
    publish_directory(database, Directory(people(5)))
    for name in ("one", "two"):
        Importer(database, name).page(1, 2)
    begun = figures(database).pinned
    age(database, HOUR)

    assert (begun, figures(database).pinned) == (2, 0)


def test_a_store_that_is_gone_is_an_error(tmp_path):
    """P04: figures are never made up."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    measures = Measures(database, walk_timeout=HOUR)
    measures.read()
    (tmp_path / "store.db").unlink()

    with pytest.raises(StoreError):
        measures.read()
    database.close()
