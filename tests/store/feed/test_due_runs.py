"""The runs that the change feed needs are queued once, and no faster than is good for anybody, on each database."""

import pytest
from sqlalchemy import update

from connector.directory.hints import Hint
from connector.directory.runs import RunKind, RunOutcome
from connector.store.feed.due_runs import queue_due
from connector.store.feed.marks import FeedTimes, Marks
from connector.store.runs.queue import Runs
from connector.store.runs.run import take_up
from connector.store.sql.tables import runs

AT_ONCE = FeedTimes(debounce=0, settle=1000)
ANN = Hint(users=("ann",))


@pytest.fixture
def marks(database):
    """The marks of an empty store."""
    return Marks(database)


def execute(database, outcome=RunOutcome.UNCHANGED):
    """Execute the queued run as a child process does."""
    claim = Runs(database).claim((RunKind.SYNC, RunKind.DELTA))
    with take_up(database, claim.lease.run, claim.lease.fence) as run:
        run.end(outcome, {"run": run.id})


def pass_minutes(database):
    """Let all runs have been queued a year ago."""
    with database.writing() as connection:
        connection.execute(update(runs).values(queued_at="2025-01-01T00:00:00.000Z"))


def test_a_delta_is_queued_when_a_mark_is_due_and_once(database, marks):
    """P40: many replicas look, one run comes of it."""
    assert queue_due(database, AT_ONCE) is None
    marks.add([ANN])

    assert queue_due(database, AT_ONCE) == (RunKind.DELTA, 1)
    assert queue_due(database, AT_ONCE) is None

    execute(database)
    assert queue_due(database, AT_ONCE) is None
    pass_minutes(database)
    assert queue_due(database, AT_ONCE) == (RunKind.DELTA, 2)


def test_a_full_sync_that_was_asked_for_goes_first_and_not_without_end(database, marks):
    """P40: forged events can ask for a full sync from time to time, and deltas go on meanwhile."""
    marks.add([ANN, Hint(full_sync=("The schema was changed.",))])

    assert queue_due(database, AT_ONCE) == (RunKind.SYNC, 1)
    execute(database, RunOutcome.FAILED)
    assert queue_due(database, AT_ONCE) == (RunKind.DELTA, 2)
    execute(database)
    assert queue_due(database, AT_ONCE) is None
    pass_minutes(database)
    assert queue_due(database, AT_ONCE) == (RunKind.SYNC, 3)
