"""Which runs stay in the history, on each database: none that anybody looks at goes, and no other stays."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.directory.safeguard import Limit
from connector.directory.times import from_milliseconds
from connector.errors import NoSuchRun
from connector.store.runs.approvals import find_waiting
from connector.store.runs.figures import Measures
from connector.store.runs.history import NEWEST_RUNS, find_first_of_newest, forget_runs
from connector.store.runs.lease import SHARING
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import AccountRecord, RotatedAccounts
from connector.store.runs.run import begin
from connector.store.sql.clock import read_clock
from connector.store.sql.tables import generations, rotated_accounts, runs
from tests.fakes.population import people as pool_people
from tests.fakes.simulated_pool import SimulatedPool
from tests.store.population import Directory, people, publish_directory
from tests.sync.syncing import Connector

DAY = 24 * 3600
MONTH = 30 * DAY


def now(database):
    """Return the database's time in milliseconds."""
    with database.reading() as connection:
        return read_clock(connection)


def fill(database, count, *, days=100.0, kind="check", outcome="passed"):
    """Put so many runs into the history that ended so many days ago; return their numbers."""
    ended = from_milliseconds(now(database) - int(days * DAY * 1000))
    row = {"kind": kind, "cause": "schedule", "state": "ended", "outcome": outcome, "result": "{}"}
    row |= {"queued_at": ended, "started_at": ended, "ended_at": ended, "cancelling": False}
    with database.writing() as connection:
        return list(connection.scalars(insert(runs).returning(runs.c.id), [row] * count))


def kept(database):
    """Return the numbers of the runs in the history."""
    with database.reading() as connection:
        return set(connection.scalars(select(runs.c.id)))


def test_an_old_run_goes_and_a_young_one_stays(database):
    """The age is that of the end, in seconds on the database's clock."""
    old, young = fill(database, 3, days=30.1), fill(database, 3, days=29.9)

    assert forget_runs(database, older_than=MONTH, newest=1) == 3
    assert kept(database) == set(young)
    assert forget_runs(database, older_than=MONTH, newest=1) == 0
    assert max(old) < min(young)


def test_an_empty_history_has_nothing_to_remove(database):
    """Nor has one of fewer runs than always stay."""
    assert forget_runs(database, older_than=0) == 0
    fill(database, 9)

    assert (forget_runs(database, older_than=0, newest=9), len(kept(database))) == (0, 9)


def test_the_newest_runs_stay_however_old_they_are(database):
    """Who comes back after a year still finds what the last runs did."""
    made = fill(database, NEWEST_RUNS + 5)

    assert forget_runs(database, older_than=0) == 5
    assert sorted(kept(database)) == made[5:]


def test_the_newest_of_each_kind_and_outcome_stays(database):
    """When a sync last published, and why one was last refused, is found however much happened since."""
    last = [
        fill(database, 2, kind=kind, outcome=outcome)[-1]
        for kind, outcome in (("sync", "published"), ("sync", "refused"), ("check", "refused"), ("plan", "refused"))
    ]
    newest = fill(database, 5)[-1]
    forget_runs(database, older_than=MONTH, newest=1)

    assert kept(database) == {*last, newest}


def test_what_is_queued_or_under_way_stays(database):
    """P21: a run ends before it is forgotten, whenever it was asked for."""
    queue = Runs(database)
    waiting, claimed = queue.request(RunKind.SYNC, cause=Cause.API).id, queue.request(RunKind.CHECK, cause=Cause.API).id
    queue.claim(frozenset({RunKind.CHECK}))
    with database.writing() as connection:
        connection.execute(update(runs).values(queued_at=from_milliseconds(0)))
    fill(database, 3)
    forget_runs(database, older_than=0, newest=1)

    assert {waiting, claimed} < kept(database)
    assert queue.claim(SHARING).lease.run == waiting


def test_a_run_that_something_else_names_stays(database):
    """`rotate status` and the generations that are kept name runs, which can be looked up."""
    published = publish_directory(database, Directory(people(2)))
    rotated, later = fill(database, 2, kind="rotate", outcome="rotated")
    RotatedAccounts(database).note(AccountRecord("one", "vault", "rotated"), run=rotated)
    RotatedAccounts(database).note(AccountRecord("other", "vault", "failed"), run=None)
    *_, newest = fill(database, 3, kind="sync", outcome="published")
    with database.writing() as connection:
        connection.execute(update(runs).values(ended_at=from_milliseconds(0)))
        publisher = connection.scalar(select(generations.c.run))
    forget_runs(database, older_than=MONTH, newest=1)

    assert (published.generation.number, kept(database)) == (1, {publisher, rotated, later, newest})


def test_a_refused_plan_stays_while_it_can_be_approved(database):
    """P03: also where the configuration keeps the past for less than a day."""
    with SimulatedPool(pool_people(4)) as pool:
        connector = Connector(pool, database).limited(max_removed_users=Limit(0))
        connector.sync()
        pool.directory.remove_user("p0")
        digest = connector.sync().plan.digest
        pool.directory.remove_user("p1")
        later = connector.sync().plan.digest
        fill(database, 3, days=0.9)
        forget_runs(database, older_than=0, newest=1)

        assert find_waiting(database, digest).run < find_waiting(database, later).run
        assert connector.approve(digest).outcome == "published"


def test_a_sync_removes_the_runs_that_nobody_looks_at(database):
    """A history is bounded by what is done already, at the end of each sync, and changes no figure."""
    with SimulatedPool(pool_people(3)) as pool:
        connector = Connector(pool, database)
        connector.sync()
        made = fill(database, NEWEST_RUNS + 10)
        before = Measures(database, walk_timeout=0).read().runs
        assert connector.sync().outcome == "unchanged"
    after = Measures(database, walk_timeout=0).read().runs

    assert kept(database) == {1, *made[11:], made[-1] + 1}
    assert [(total.kind, total.outcome, total.runs) for total in after] == [
        *((total.kind, total.outcome, total.runs) for total in before),
        ("sync", "unchanged", 1),
    ]


def test_a_run_that_was_removed_is_told_from_one_that_never_was(database):
    """Who follows an old log to its run learns that it is gone, and not that it never happened."""
    fill(database, NEWEST_RUNS + 3)
    forget_runs(database, older_than=MONTH)
    queue = Runs(database)

    for look in (queue.find, queue.cancel):
        with pytest.raises(NoSuchRun, match=r"^Run 3 is no longer kept in the history\."):
            look(3)
        with pytest.raises(NoSuchRun, match=rf"^There is no run {NEWEST_RUNS + 4}\."):
            look(NEWEST_RUNS + 4)
    assert queue.find(4).outcome == "passed"


def test_numbers_are_never_used_again(database):
    """A number means one run, for ever."""
    last = fill(database, 3)[-1]
    with database.writing() as connection:
        connection.execute(delete(runs))

    assert Runs(database).request(RunKind.CHECK, cause=Cause.API).id == last + 1


def test_a_process_that_slept_until_its_run_was_forgotten_ends_in_peace(database):
    """P20: the run was ended for it and counted once, so there is nothing left to record."""
    with begin(database, RunKind.CHECK, cause=Cause.COMMAND) as run:
        with database.writing() as connection:
            connection.execute(delete(runs))
        run.end(RunOutcome.PASSED, {"calls": {"ListUsers": 1}})

    figures = Measures(database, walk_timeout=0).read()
    assert (kept(database), figures.runs, figures.calls) == (set(), (), {})


@dataclass(frozen=True)
class Past:
    """A run, and what names it."""

    kind: str
    outcome: str | None
    days: int
    published: bool
    rotated: bool


pasts = st.lists(
    st.builds(
        Past,
        kind=st.sampled_from(["check", "sync", "rotate"]),
        outcome=st.sampled_from(["passed", "failed", "refused", None]),
        days=st.integers(2, 60).filter(lambda days: days != 30),
        published=st.integers(0, 7).map(lambda one: one == 0),
        rotated=st.integers(0, 7).map(lambda one: one == 0),
    ),
    max_size=12,
)


def make(database, past):
    """Make a store of such runs, which have the numbers after the one that is returned."""
    moment = now(database)
    with database.writing() as connection:
        for table in (generations, rotated_accounts, runs):
            connection.execute(delete(table))
        first = None
        for number, one in enumerate(past):
            ended = from_milliseconds(moment - one.days * DAY * 1000)
            values = {"kind": one.kind, "cause": "api", "queued_at": ended, "cancelling": False}
            if one.outcome:
                values |= {"state": "ended", "outcome": one.outcome, "result": json.dumps({}), "ended_at": ended}
            made = connection.scalar(insert(runs).values({"state": "queued"} | values).returning(runs.c.id))
            first = made if first is None else first
            if one.published:
                _publish(connection, number, made)
            if one.rotated:
                account = {"account": str(number), "vault": "", "outcome": "rotated", "run": made, "scheduled": True}
                connection.execute(insert(rotated_accounts).values(account))
    return first


def _publish(connection, number, run):
    source = {"account": "", "region": "", "pool_id": "", "chosen_groups": "[]"}
    sizes = {"users": 0, "groups": 0, "memberships": 0}
    connection.execute(insert(generations).values(number=number, published_at=str(number), run=run, **source, **sizes))


@given(past=pasts, newest=st.integers(1, 6))
@settings(max_examples=40)
def test_nothing_that_anybody_looks_at_is_removed_and_nothing_else_stays(open_store, past, newest):
    """The rule as a whole, against a list in memory; what is kept is told as before."""
    database = open_store()
    first = make(database, past)
    queue = Runs(database)
    before = {run.id: run for run in queue.history(count=99)}
    with database.reading() as connection:
        assert find_first_of_newest(connection, newest) == (first + len(past) - newest if len(past) >= newest else None)

    removed = forget_runs(database, older_than=MONTH, newest=newest)

    last = {(one.kind, one.outcome): number for number, one in enumerate(past)}
    stays = {
        first + number
        for number, one in enumerate(past)
        if one.outcome is None
        or one.days < 30
        or one.published
        or one.rotated
        or number >= len(past) - newest
        or last[one.kind, one.outcome] == number
    }
    assert {run.id: run for run in queue.history(count=99)} == {number: before[number] for number in stays}
    assert removed == len(past) - len(stays)
    database.close()
