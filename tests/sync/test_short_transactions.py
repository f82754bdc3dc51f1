"""No transaction of a run writes much but the publish, so that heartbeats, walks and tokens get their turn."""

from contextlib import closing, contextmanager

import pytest
from sqlalchemy import event, func, select, update

from connector.directory.runs import Cause, RunKind
from connector.errors import LeaseLost
from connector.store import staging
from connector.store.migrations import open_database
from connector.store.publishing import publish as publishing
from connector.store.publishing.cleanup import Retention, collect
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.publish import publish
from connector.store.runs.run import begin
from connector.store.sql import slices
from connector.store.sql.clock import CLOCK
from connector.store.sql.tables import leases, memberships, staged_memberships, staged_users, users
from connector.store.staging import CLEARED
from tests.store.population import POOL, Directory, people, publish_directory, result_of, stage, team

SLICE = 10
FOLK = 95


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch):
    """Let a hundred rows be many."""
    monkeypatch.setattr(slices, "ROWS", SLICE)
    monkeypatch.setattr(staging, "UNKNOWN", SLICE)


@contextmanager
def counting(database):
    """Give the numbers of rows that each transaction deletes, in a list that grows until the end of the block."""
    deleted, now = [], [0]

    def note(_connection, cursor, statement, *_):
        now[0] += cursor.rowcount if statement.startswith("DELETE") else 0

    def end(_connection):
        deleted.append(now[0])
        now[0] = 0

    event.listen(database.engine, "after_cursor_execute", note)
    event.listen(database.engine, "commit", end)
    yield deleted
    event.remove(database.engine, "after_cursor_execute", note)
    event.remove(database.engine, "commit", end)


def whole_pool():
    """Return a directory in which everybody is in two groups."""
    folk = people(FOLK)
    ids = [one.id for one in folk]
    return Directory(folk, [team("g1"), team("g2")], {"g1": ids, "g2": ids})


def rows(database, table):
    """Count the rows of a table."""
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_staging_is_cleared_some_rows_at_a_time(database):
    """P20: the heartbeat that keeps the lease writes between the slices."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staged = stage(database, run.id, whole_pool())
        with counting(database) as deleted:
            staged.clear()

    assert (max(deleted), sum(deleted)) == (SLICE, FOLK * 3 + 2)
    assert rows(database, staged_users) == 0


def test_what_a_killed_run_left_is_cleared_some_rows_at_a_time_under_the_lease(database):
    """P20, P22: the next run holds its lease and renews it with each slice."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        stage(database, run.id, whole_pool())
    with counting(database) as deleted, begin(database, RunKind.SYNC, cause=Cause.COMMAND):
        pass

    assert (max(deleted), sum(deleted)) == (SLICE, FOLK * 3 + 2)


def test_who_lost_the_lease_clears_nothing(database):
    """P20: the rows could be those of the run that took over."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        stage(database, run.id, whole_pool())

    def take_away(*_):
        with database.writing() as connection:
            connection.execute(update(leases).values(fence=leases.c.fence + 1))

    event.listen(database.engine, "before_cursor_execute", _once(take_away, before="SELECT DISTINCT".lower()))
    with pytest.raises(LeaseLost), begin(database, RunKind.SYNC, cause=Cause.COMMAND):
        pass

    assert rows(database, staged_users) == FOLK


def _once(do, *, before):
    done = []

    def act(_connection, _cursor, statement, *_):
        if " ".join(statement.lower().split()).startswith(before) and not done:
            done.append(statement)
            do()

    return act


def test_members_who_are_no_users_are_dropped_some_at_a_time(database):
    """P18: found by reading, and nothing else is touched."""
    directory = whole_pool()
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run, counting(database) as deleted:
        staged = stage(database, run.id, Directory(list(directory.people)[60:], directory.teams, directory.members))

    assert (max(deleted), sum(deleted)) == (2 * SLICE, 120)
    with database.reading() as connection:
        kept = connection.scalars(select(staged_memberships.c.user_id).where(staged_memberships.c.run == run.id)).all()
    assert sorted(kept) == sorted([one.id for one in people(FOLK)[60:]] * 2)
    assert staged.drop_unknown_members() == 0


def test_a_large_group_that_is_gone_is_taken_back_some_rows_at_a_time(database):
    """P12: however many members it had."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staged = stage(database, run.id, whole_pool())
        with counting(database) as deleted:
            staged.drop_group("g1")

    assert (max(deleted), sum(deleted)) == (SLICE, FOLK + 1)


def test_each_slice_is_found_by_the_key_and_not_by_looking_at_the_rest(tmp_path):
    """P23: clearing a million rows takes a hundred times as long as ten thousand, not ten thousand times."""
    with (
        closing(open_database(f"sqlite:///{tmp_path}/store.db")) as lite,
        begin(lite, RunKind.SYNC, cause=Cause.COMMAND) as run,
    ):
        staged = stage(lite, run.id, whole_pool())
        note_changes(lite, run.id)
        with plans(lite, "DELETE FROM staged_") as seen:
            staged.clear()

    first_of_a_slice = [step for step in seen if ">" not in step]
    assert len(seen) > 2 * len(first_of_a_slice)
    assert len(first_of_a_slice) == len(CLEARED)


@contextmanager
def plans(database, beginning):
    """Give what SQLite makes of each statement that begins like this, in a list that is filled at the block's end."""
    statements, found = [], []

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.startswith(beginning):
            statements.append((statement, parameters))

    event.listen(database.engine, "after_cursor_execute", note)
    yield found
    event.remove(database.engine, "after_cursor_execute", note)
    with database.reading() as connection:
        for statement, parameters in statements:
            found.append(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()[0][3])


def test_old_generations_are_collected_some_rows_at_a_time(database):
    """P14: walks begin and tokens are issued between the slices, and what is served stays."""
    publish_directory(database, whole_pool())
    newest = publish_directory(database, Directory(people(FOLK)[50:])).generation
    with counting(database) as deleted:
        kept = collect(database, Retention(0.0, 0.0))

    assert kept == newest.number
    assert max(deleted) <= SLICE
    assert (rows(database, users), rows(database, memberships)) == (45, 0)


def test_a_publish_that_took_long_ends_with_a_lease_that_is_fresh(database, monkeypatch):
    """P20: a first publish of a million users may take longer than the lease lives; nobody takes over meanwhile."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staged = stage(database, run.id, whole_pool())
        note_changes(database, run.id)
        plan = read_plan(database, staged, POOL, rejects=0)
        right = publishing.record_end

        def take_a_minute(connection, *given, **named):
            connection.execute(update(leases).values(expires_at=1))
            right(connection, *given, **named)

        monkeypatch.setattr(publishing, "record_end", take_a_minute)
        publish(database, run.id, plan, under=run.lease, record=result_of)
        with database.reading() as connection:
            left = connection.scalar(select(leases.c.expires_at - CLOCK).where(leases.c.name == "sync"))

    assert left > 0
