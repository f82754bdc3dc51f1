"""One run at a time, on the database's clock, on each database."""

import json
from contextlib import suppress

import pytest
from sqlalchemy import select, update

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.errors import AlreadyRunning, ApprovalRefused, LeaseLost, RunCancelled, StoreError, UnforeseenFault
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.publish import publish
from connector.store.reading.reader import DirectoryReader
from connector.store.runs import heartbeat
from connector.store.runs import run as running
from connector.store.runs.approvals import find_waiting
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin, end_abandoned
from connector.store.sql.clock import CLOCK
from connector.store.sql.tables import leases, runs, staged_users
from tests.store.population import POOL, Directory, people, publish_directory, result_of, stage


def let_expire(database):
    """Do to the lease what time does to that of a killed run."""
    with database.writing() as connection:
        connection.execute(update(leases).values(expires_at=1))


def outcome_of(database, run):
    """Return how a run ended."""
    with database.reading() as connection:
        return connection.execute(select(runs.c.state, runs.c.outcome).where(runs.c.id == run)).one()


def test_a_second_run_is_told_which_run_is_under_way(open_store):
    """P20: over all processes there is one run, and the second caller learns its number."""
    one, other = open_store(), open_store()

    with begin(one, RunKind.SYNC, cause=Cause.COMMAND) as run:
        with pytest.raises(AlreadyRunning, match=f"run {run.id}"), begin(other, RunKind.PLAN, cause=Cause.COMMAND):
            pass
        run.end(RunOutcome.UNCHANGED, {})

    with begin(other, RunKind.SYNC, cause=Cause.COMMAND) as after:
        assert after.id > run.id


def test_a_killed_run_is_taken_over_and_recorded_as_failed(open_store):
    """P20, P22: the next run needs no repair, finds no left-over rows, and history tells the truth."""
    database = open_store()
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as killed:
        stage(database, killed.id, Directory(people(3)))
        let_expire(database)
        with begin(open_store(), RunKind.SYNC, cause=Cause.COMMAND) as heir:
            with database.reading() as connection:
                assert connection.execute(select(staged_users)).all() == []
            assert outcome_of(database, killed.id) == ("ended", "failed")
            assert heir.lease.fence > killed.lease.fence


def test_a_holder_that_slept_through_its_expiry_cannot_publish(open_store):
    """P20: the fencing number is proved inside the publish transaction."""
    database = open_store()
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as sleeper:
        staging = stage(database, sleeper.id, Directory(people(3)))
        note_changes(database, sleeper.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        let_expire(database)
        with begin(open_store(), RunKind.SYNC, cause=Cause.COMMAND), pytest.raises(LeaseLost):
            publish(database, sleeper.id, plan, under=sleeper.lease, record=result_of)

    assert DirectoryReader(database).newest() is None


def test_a_run_that_raises_is_failed_and_frees_the_lease(database):
    """P20: an unforeseen fault blocks nobody."""
    with pytest.raises(UnforeseenFault) as told, begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        raise ZeroDivisionError("hidden detail")

    assert outcome_of(database, run.id) == ("ended", "failed")
    cause = Runs(database).find(run.id).result["cause"]
    assert cause == told.value.message
    assert f"({told.value.identifier}, ZeroDivisionError)" in cause
    assert "hidden detail" not in str(told.value)
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND):
        pass


def refuse(database, directory):
    """Leave a refused plan waiting and return its digest."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staging = stage(database, run.id, directory)
        note_changes(database, run.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        run.end(RunOutcome.REFUSED, {"digest": plan.digest, "generation": plan.base or None})
    return plan.digest


def test_a_refused_plan_keeps_its_rows_over_later_runs(database):
    """P03: what was shown can still be published after another harvest."""
    publish_directory(database, Directory(people(3)))
    digest = refuse(database, Directory(people(1)))
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        run.end(RunOutcome.INCOMPLETE, {})

    waiting = find_waiting(database, digest)
    with database.reading() as connection:
        kept = connection.scalars(select(staged_users.c.id).where(staged_users.c.run == waiting.run)).all()
    assert kept == ["u00001"]


def test_a_refused_plan_waits_no_longer_once_some_of_what_it_touches_is_published(database):
    """P03: what the plan touches must still be as it was compared with."""
    publish_directory(database, Directory(people(3)))
    digest = refuse(database, Directory(people(1)))
    publish_directory(database, Directory(people(2)))

    with pytest.raises(ApprovalRefused):
        find_waiting(database, digest)


def test_a_refused_plan_waits_for_a_day(database):
    """P03: an approval cannot be dug out later."""
    publish_directory(database, Directory(people(3)))
    digest = refuse(database, Directory(people(1)))
    with database.writing() as connection:
        connection.execute(update(runs).where(runs.c.outcome == "refused").values(ended_at="2026-01-01T00:00:00.000Z"))

    with pytest.raises(ApprovalRefused):
        find_waiting(database, digest)


def test_the_history_keeps_results(database):
    """A run's result can be read back as it was."""
    with begin(database, RunKind.PLAN, cause=Cause.COMMAND) as run:
        run.end(RunOutcome.UNCHANGED, {"run": run.id, "users": 3})

    with database.reading() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run.id)).one()
    assert (row.kind, row.cause, row.state, row.outcome) == ("plan", "command", "ended", "unchanged")
    assert json.loads(row.result) == {"run": run.id, "users": 3}
    assert row.started_at <= row.ended_at


def test_a_cancelled_run_keeps_its_lease_until_it_has_ended(database, monkeypatch):
    """P20: it may hang on a call for longer than the lease lives, and no other run may begin beside it."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run, suppress(RunCancelled):
        Runs(database).cancel(run.id)
        with suppress(RunCancelled):
            run.heed()
        monkeypatch.setattr(heartbeat, "TIME_TO_LIVE", 0)
        with database.writing() as connection:
            connection.execute(update(leases).values(expires_at=CLOCK + 1000))
        with suppress(RunCancelled):
            run.heed()
        with database.reading() as connection:
            left = connection.scalar(select(leases.c.expires_at - CLOCK).where(leases.c.name == "sync"))

        assert left > 30_000


def test_what_others_recorded_of_a_run_they_found_dead_stays(database):
    """The history does not change its mind: the run slept through its lease, and another was told that it died."""
    with begin(database, RunKind.PLAN, cause=Cause.COMMAND) as run:
        with database.writing() as connection:
            connection.execute(update(leases).values(expires_at=1))
            end_abandoned(connection)
        run.end(RunOutcome.INCOMPLETE, {"run": run.id, "outcome": "incomplete"})

    assert Runs(database).find(run.id).outcome == "failed"


def test_a_store_that_fails_when_the_lease_is_given_back_hides_no_result(database, monkeypatch, caplog):
    """P22: what was published was published, whatever happens to the disk afterwards; the lease expires by itself."""

    def full(*_):
        raise StoreError("database or disk is full")

    with begin(database, RunKind.SYNC, cause=Cause.COMMAND):
        monkeypatch.setattr(running.leases, "give_back", full)

    assert "is not wholly on record" in caplog.text
