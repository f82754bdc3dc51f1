"""What is due by the schedule, on each database, whatever the machine's own clock says."""

import threading
from itertools import count

import pytest
from sqlalchemy import BigInteger, literal_column, select, update

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.runs import lease, queue
from connector.store.runs.due import MOST, Slots
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin
from connector.store.sql import clock
from connector.store.sql.tables import leases, runs
from tests.store.population import Directory, publish_directory

HOUR = 3_600_000
START = 1_790_000_000_000 // HOUR * HOUR
TEXT = "every 1h"


def hourly(after):
    """Yield every full hour after a time."""
    return (hour * HOUR for hour in count(after // HOUR + 1))


@pytest.fixture
def at(monkeypatch):
    """Set the clock of the databases, wherever it is read."""

    def set_clock(milliseconds):
        told = literal_column(f"CAST({int(milliseconds)} AS BIGINT)", BigInteger())
        for reader in (clock, lease, queue):
            monkeypatch.setattr(reader, "CLOCK", told)

    set_clock(START)
    return set_clock


@pytest.fixture
def slots(database, at):  # noqa: ARG001 - the clock stands still from the beginning
    """The schedule, known since START."""
    watched = Slots(database, RunKind.SYNC)
    assert watched.queue_due(TEXT, hourly) is None
    return watched


def test_a_new_schedule_queues_nothing_for_the_past(slots, database):
    """P21: what nobody had asked for was not missed."""
    assert slots.queue_due(TEXT, hourly) is None
    assert Runs(database).history(count=9) == []


def test_a_slot_queues_one_run(slots, database, at):
    """P21: when its time has come, and not again."""
    at(START + HOUR - 1)
    early = slots.queue_due(TEXT, hourly)
    at(START + HOUR + 5000)
    due, again = slots.queue_due(TEXT, hourly), slots.queue_due(TEXT, hourly)
    run = Runs(database).find(due.queued)

    assert (early, again, due.missed, due.is_late, due.late_seconds) == (None, None, 0, False, 5)
    assert (run.cause, run.kind, run.state, run.result) == (
        *("schedule", "sync", "queued"),
        {"slot": "2026-09-21T15:00:00.000Z"},
    )


@pytest.mark.usefixtures("slots")
def test_replicas_queue_one_run_a_slot(open_store, at):
    """P20, P21: four replicas look at the same time; one queues the run."""
    at(START + HOUR)
    stores, together, found = [open_store() for _ in range(4)], threading.Barrier(4), []

    def look(store):
        together.wait(30)
        found.append(Slots(store, RunKind.SYNC).queue_due(TEXT, hourly))

    threads = [threading.Thread(target=look, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [due.queued for due in found if due] == [1]
    assert len(Runs(stores[0]).history(count=9)) == 1


def test_a_machine_that_slept_catches_up_with_one_run_and_tells_what_it_missed(slots, database, at):
    """P21: the last slot is made up for; the others are one line of the history, however many they are."""
    at(START + 5 * HOUR + 90_000)
    due = slots.queue_due(TEXT, hourly)
    queue = Runs(database)
    late, missed = queue.find(due.queued), queue.find(due.record)

    assert (due.missed, due.late_seconds, due.is_late) == (4, 90, True)
    assert late.result == {"slot": "2026-09-21T19:00:00.000Z", "late_seconds": 90}
    assert (missed.state, missed.outcome, missed.cause, missed.result["missed"]) == ("ended", "failed", "schedule", 4)
    assert missed.result["cause"] == (
        "4 syncs from 2026-09-21T15:00:00.000Z to 2026-09-21T18:00:00.000Z were missed."
        " Nothing looked after the schedule: serve was down, or the machine slept."
    )


def test_a_year_of_slots_is_caught_up_in_bounded_steps(slots, database, at):
    """P21: a long absence costs no memory; each look takes its part."""
    at(START + (MOST + 3) * HOUR)
    first = slots.queue_due(TEXT, hourly)
    Runs(database).cancel(first.queued)
    second = slots.queue_due(TEXT, hourly)

    assert (first.missed, second.missed, slots.queue_due(TEXT, hourly)) == (MOST - 1, 2, None)


def test_a_slot_that_comes_while_a_run_is_under_way_is_missed(slots, database, at):
    """P21: runs do not pile up, and the history says which run was in the way."""
    at(START + HOUR)
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        due = slots.queue_due(TEXT, hourly)
        run.end(RunOutcome.UNCHANGED, {"run": run.id})
    record = Runs(database).find(due.record)

    assert (due.queued, due.missed, due.why) == (None, 1, f"Run {run.id} was still under way.")
    assert record.result["cause"] == f"The sync of 2026-09-21T15:00:00.000Z was missed. {due.why}"


def test_a_run_that_died_is_in_nobodys_way(slots, database, at):
    """P20, P21: an expired lease is no reason to miss a slot."""
    queue = Runs(database)
    died = queue.request(RunKind.SYNC, cause=Cause.API)
    queue.claim({RunKind.SYNC})
    with database.writing() as connection:
        connection.execute(update(leases).values(expires_at=1))
    at(START + HOUR)

    assert slots.queue_due(TEXT, hourly).queued == died.id + 1
    assert queue.find(died.id).outcome == "failed"


def test_another_schedule_begins_anew(slots, at):
    """P21: its slots count from the moment it is there; those of the old one are forgotten."""
    at(START + 3 * HOUR)

    assert slots.queue_due("every 60m", hourly) is None
    at(START + 4 * HOUR)
    assert slots.queue_due("every 60m", hourly).missed == 0


def test_without_a_schedule_nothing_is_missed(slots, database, at):
    """P21: what was switched off was not wanted."""
    slots.forget()
    at(START + 3 * HOUR)

    assert slots.queue_due(TEXT, hourly) is None
    with database.reading() as connection:
        assert connection.scalars(select(runs.c.id)).all() == []


def test_rotations_have_slots_and_a_lease_of_their_own(database, at):
    """P37, P21: a sync in the queue is in no rotation's way; another rotation is, and the history says so."""
    rotations, queue = Slots(database, RunKind.ROTATE), Runs(database)
    assert rotations.queue_due(TEXT, hourly) is None
    queue.request(RunKind.SYNC, cause=Cause.API)
    at(START + HOUR)
    due = rotations.queue_due(TEXT, hourly)
    at(START + 2 * HOUR)
    missed = rotations.queue_due(TEXT, hourly)

    assert (queue.find(due.queued).kind, due.missed) == ("rotate", 0)
    assert (missed.queued, missed.why) == (None, f"Run {due.queued} was still under way.")
    assert queue.find(missed.record).result["cause"].startswith("The rotation of 2026-09-21T16:00:00.000Z was missed.")


def test_a_first_sync_is_queued_once_and_only_where_nothing_is_published(database):
    """P21: over all replicas; a store that was published from waits for its slot, and a rotation for its own."""
    assert Slots(database, RunKind.ROTATE).queue_first() is None
    first = Slots(database, RunKind.SYNC).queue_first()

    assert (first is not None, Slots(database, RunKind.SYNC).queue_first()) == (True, None)
    Runs(database).cancel(first)
    publish_directory(database, Directory())
    assert Slots(database, RunKind.SYNC).queue_first() is None
