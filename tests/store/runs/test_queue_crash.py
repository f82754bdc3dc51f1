"""A process that is killed at any statement of its dealings with the queue leaves nothing to repair."""

import os
from itertools import count
from multiprocessing import get_context

import pytest
from sqlalchemy import event, select, update

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.migrations import open_database
from connector.store.runs.due import Slots
from connector.store.runs.lease import SHARING
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin, take_up
from connector.store.sql.tables import leases, runs, schedules

KILLED = 137
HOUR = 3_600_000
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.store.runs.test_queue_crash"])


def hourly(after):
    """Yield every full hour after a time."""
    return (hour * HOUR for hour in count(after // HOUR + 1))


def claim(database):
    """Claim the run that waits."""
    Runs(database).claim(SHARING)


def claim_and_end(database):
    """Execute the run that waits, as a child process does, up to its end and the return of its lease."""
    claimed = Runs(database).claim(SHARING)
    with take_up(database, claimed.lease.run, claimed.lease.fence) as run:
        run.tell({"phase": "users"})
        run.heed()
        run.end(RunOutcome.UNCHANGED, {"run": run.id})


def cancel(database):
    """Cancel the run that waits."""
    queue = Runs(database)
    queue.cancel(queue.history(count=1)[0].id)


def request(database):
    """Ask for a check."""
    Runs(database).request(RunKind.CHECK, cause=Cause.API)


def look_at_schedule(database):
    """Queue what is due; a run is in the way, so that is a line of the history."""
    Slots(database, RunKind.SYNC).queue_due("hourly", hourly)


def do_until_killed(url, deed, statement):
    """Do something with the store in a process of its own, which dies before a statement; return its exit code."""
    child = _processes.Process(target=_do, args=(url, deed, statement))
    child.start()
    child.join(60)
    return child.exitcode


def _do(url, deed, statement):
    database = open_database(url)
    seen = count()

    def kill(*_):
        if next(seen) == statement:
            os._exit(KILLED)

    event.listen(database.engine, "before_cursor_execute", kill)
    deed(database)
    os._exit(0)


def survey(database):
    """Return the runs that are under way or wait, and the leases that are held."""
    with database.reading() as connection:
        open_runs = connection.execute(select(runs.c.id, runs.c.state).where(runs.c.state != "ended")).all()
        held = connection.scalars(select(leases.c.run).where(leases.c.expires_at > 0)).all()
    return dict(open_runs), set(held)


@pytest.mark.parametrize("deed", [claim, claim_and_end, cancel, request, look_at_schedule])
def test_killed_at_any_statement_the_queue_goes_on(deed, database, store_url):
    """P20, P22: a run is queued, under a lease, or ended; never two of these, and never none."""
    queue = Runs(database)
    statement, exit_code = 0, KILLED
    while exit_code == KILLED:
        with database.writing() as connection:
            for table in (runs, schedules):
                connection.execute(table.delete())
            connection.execute(schedules.insert().values(kind="sync", schedule="hourly", handled=1_790_000_000_000))
        waiting = queue.request(RunKind.SYNC, cause=Cause.API)
        exit_code = do_until_killed(store_url, deed, statement)
        open_runs, held = survey(database)
        assert {run for run, state in open_runs.items() if state == "running"} == held
        with database.writing() as connection:
            connection.execute(update(leases).where(leases.c.expires_at > 0).values(expires_at=1))
        with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as after:
            after.end(RunOutcome.UNCHANGED, {"run": after.id})
        claimed = queue.claim(SHARING)
        assert (claimed is None) == (open_runs.get(waiting.id) != "queued")
        if claimed:
            queue.abandon(claimed.lease, "Tidied up.")
        statement += 1

    assert exit_code == 0
    assert statement > 3
    assert survey(database)[1] == set()
