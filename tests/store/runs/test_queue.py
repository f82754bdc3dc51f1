"""The queue of runs and their history, on each database."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import select, update

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.errors import (
    AlreadyRunning,
    ApprovalRefused,
    ConfigError,
    LeaseLost,
    NoSuchRun,
    RunCancelled,
    RunEnded,
)
from connector.store.runs.lease import SHARING
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin, take_up
from connector.store.sql.tables import leases, runs

CHECKS = frozenset({"check"})


@pytest.fixture
def queue(database):
    """The queue of an empty store."""
    return Runs(database)


def let_expire(database):
    """Do to every lease that is held what time does to that of a killed run."""
    with database.writing() as connection:
        connection.execute(update(leases).where(leases.c.expires_at > 0).values(expires_at=1))


def test_a_run_is_read_in_the_shape_of_the_contract(queue):
    """The contract: a run has these members, whatever has become of it."""
    queued = queue.request(RunKind.SYNC, cause=Cause.API)

    assert queue.find(queued.id) == queued
    assert {**queued.as_json(), "queued_at": None} == {
        "id": 1,
        "kind": "sync",
        "cause": "api",
        "state": "queued",
        "outcome": None,
        "progress": None,
        "result": None,
        "queued_at": None,
        "started_at": None,
        "ended_at": None,
        "asked_by": None,
    }


def test_a_run_that_never_was_is_told_from_none(queue):
    """What to say is known here, so no caller makes it up."""
    with pytest.raises(NoSuchRun, match=r"^There is no run 1\."):
        queue.find(1)


def test_a_second_request_names_the_run_that_waits_or_is_under_way(queue):
    """P20: "already running, run 12", for the caller to look at; a check never waits behind it."""
    first = queue.request(RunKind.SYNC, cause=Cause.SCHEDULE)
    with pytest.raises(AlreadyRunning) as waiting:
        queue.request(RunKind.PLAN, cause=Cause.API)
    claim = queue.claim(SHARING)
    with pytest.raises(AlreadyRunning) as under_way:
        queue.request(RunKind.SYNC, cause=Cause.API)
    check = queue.request(RunKind.CHECK, cause=Cause.API)

    assert (waiting.value.run, under_way.value.run, claim.lease.run) == (first.id, first.id, first.id)
    assert queue.claim(CHECKS).lease.run == check.id


def test_a_check_that_waits_is_the_one_that_is_asked_for(queue):
    """Each check is refused twice by STS on purpose, for an auditor to read: twelve in a row are one."""
    asked = {queue.request(RunKind.CHECK, cause=Cause.API).id for _ in range(12)}
    queue.claim(CHECKS)
    later = {queue.request(RunKind.CHECK, cause=Cause.API).id for _ in range(12)}

    assert (len(asked), len(later), asked & later) == (1, 1, set())


def test_requests_at_the_same_time_queue_one_run(open_store):
    """P20: two replicas are asked at once; one of them queues."""
    stores, together, made = [open_store() for _ in range(4)], threading.Barrier(4), []

    def ask(store):
        together.wait(30)
        with suppress(AlreadyRunning):
            made.append(Runs(store).request(RunKind.SYNC, cause=Cause.API).id)

    threads = [threading.Thread(target=ask, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(made) == 1


def test_a_queued_run_is_claimed_once(open_store):
    """P20: many executors look at once; one gets the run."""
    stores, together, claims = [open_store() for _ in range(4)], threading.Barrier(4), []
    Runs(stores[0]).request(RunKind.CHECK, cause=Cause.API)

    def look(store):
        together.wait(30)
        claims.append(Runs(store).claim(CHECKS))

    threads = [threading.Thread(target=look, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(claim is None for claim in claims) == [False, True, True, True]


def test_a_queued_run_waits_until_the_lease_is_free(queue, database):
    """P20: a run that a command executes goes on; what was queued meanwhile is not lost."""
    waiting = queue.request(RunKind.SYNC, cause=Cause.SCHEDULE)
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        assert queue.claim(SHARING) is None
        run.end(RunOutcome.UNCHANGED, {"run": run.id})

    assert queue.claim(SHARING).lease.run == waiting.id


def test_a_claimed_run_goes_on_in_another_process(queue, open_store):
    """P20: who has the fencing number of the claim has the run; nobody else does."""
    queued = queue.request(RunKind.SYNC, cause=Cause.API)
    claim = queue.claim(SHARING)
    other = open_store()
    with pytest.raises(LeaseLost), take_up(other, queued.id, claim.lease.fence + 1):
        pass
    with pytest.raises(LeaseLost), take_up(other, 99, claim.lease.fence):
        pass
    with take_up(other, queued.id, claim.lease.fence) as run:
        assert (run.kind, run.approve, queue.find(run.id).state) == ("sync", None, "running")
        run.end(RunOutcome.UNCHANGED, {"run": run.id})

    assert queue.find(queued.id).outcome == "unchanged"


@pytest.mark.parametrize("kind", [RunKind.SYNC, RunKind.CHECK])
def test_a_claimed_run_whose_process_died_is_taken_over(kind, queue, open_store):
    """P20: any replica ends it as failed once its lease has expired, and goes on with the queue."""
    died = queue.request(kind, cause=Cause.API)
    queue.claim({kind})
    let_expire(open_store())
    after = Runs(open_store()).request(kind, cause=Cause.API)

    assert (queue.find(died.id).outcome, queue.find(died.id).state) == ("failed", "ended")
    assert queue.claim({kind}).lease.run == after.id


def test_who_claimed_ends_only_what_is_still_theirs(queue, database):
    """P20: a stale executor cannot end the run of its heir, nor one that has ended."""
    first = queue.request(RunKind.SYNC, cause=Cause.API)
    stale = queue.claim(SHARING)
    let_expire(database)
    second = queue.request(RunKind.SYNC, cause=Cause.API)
    heir = queue.claim(SHARING)
    queue.abandon(stale.lease, "It stumbled.")
    under_way = queue.find(second.id).state
    queue.abandon(heir.lease, "It stumbled.")
    queue.abandon(heir.lease, "It stumbled again.")

    assert (queue.find(first.id).result["cause"], under_way) == (
        "It stopped without a word, and its lease expired.",
        "running",
    )
    assert queue.find(second.id).result == {"run": second.id, "outcome": "failed", "cause": "It stumbled."}


def test_a_run_that_waits_is_cancelled_at_once(queue):
    """A cancelled run ends as failed, and says why."""
    queued = queue.request(RunKind.SYNC, cause=Cause.API)
    cancelled = queue.cancel(queued.id)

    assert (cancelled.state, cancelled.outcome) == ("ended", "failed")
    assert cancelled.result["cause"] == "It was cancelled before it began."
    assert (queue.claim(SHARING), queue.find(queued.id)) == (None, cancelled)


def test_a_run_under_way_is_asked_to_end(queue, database):
    """Whoever has the store can ask; the run hears of it and goes no further."""
    asked = []

    def work():
        with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
            run.tell({"phase": "users", "users": 3})
            run.heed()
            asked.append(queue.cancel(run.id))
            run.heed()

    with pytest.raises(RunCancelled, match="It was cancelled"):
        work()
    (asked,) = asked
    run = queue.find(asked.id)

    assert (asked.state, asked.progress) == ("running", {"phase": "cancelling", "users": 3})
    assert run.result == {"run": run.id, "outcome": "failed", "cause": "It was cancelled."}


def test_only_a_run_that_lives_can_be_cancelled(queue, database):
    """The errors say what is wrong; that of a run whose process died is that it has ended."""
    with pytest.raises(NoSuchRun, match="There is no run 7"):
        queue.cancel(7)
    died = queue.request(RunKind.CHECK, cause=Cause.API)
    queue.claim(CHECKS)
    let_expire(database)
    with pytest.raises(RunEnded, match="Run 1 has ended already"):
        queue.cancel(died.id)


def test_the_history_is_read_newest_first_and_in_parts(queue):
    """However long it is, a reader goes through it page by page."""
    made = []
    for _ in range(5):
        made.append(queue.request(RunKind.CHECK, cause=Cause.API).id)
        queue.claim(CHECKS)
    first = queue.history(count=2)
    second = queue.history(count=2, before=first[-1].id)
    rest = queue.history(count=9, before=second[-1].id)

    assert [run.id for run in (*first, *second, *rest)] == made[::-1]


def test_progress_is_live_and_stays_in_the_history(queue, database):
    """The contract: a run shows its phase and its counts; another process reads them while it runs."""
    counts = {"phase": "groups", "users": 60, "groups": 2, "memberships": 9, "calls": 4}
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        run.tell(counts)
        run.heed()
        live = queue.find(run.id)
        run.end(RunOutcome.UNCHANGED, {"run": run.id})

    assert (live.state, live.progress, queue.find(run.id).progress) == ("running", counts, counts)


def test_a_run_that_lost_its_lease_goes_no_further(database):
    """P20: the life signs tell a run that another took over, before it does more."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        let_expire(database)
        with suppress(LeaseLost):  # its own beat may be the first to notice
            run.tell({"phase": "users"})
        with pytest.raises(LeaseLost):
            run.heed()


def test_only_a_sync_approves_and_only_what_waits(queue):
    """P03: a mistaken digest is refused when it is given, and queues nothing."""
    with pytest.raises(ApprovalRefused):
        queue.request(RunKind.SYNC, cause=Cause.API, approve="0" * 64)
    with pytest.raises(ConfigError):
        queue.request(RunKind.PLAN, cause=Cause.API, approve="0" * 64)

    assert queue.history(count=9) == []


def test_no_lease_is_left_behind(queue, database):
    """A check's lease goes with it, so the table stays as small as it was made."""
    queue.request(RunKind.CHECK, cause=Cause.API)
    claim = queue.claim(CHECKS)
    with take_up(database, claim.lease.run, claim.lease.fence) as run:
        run.end(RunOutcome.PASSED, {"run": run.id})

    with database.reading() as connection:
        assert connection.scalars(select(leases.c.name).order_by(leases.c.name)).all() == ["rotate", "sync"]
        assert connection.scalars(select(runs.c.state)).all() == ["ended"]
