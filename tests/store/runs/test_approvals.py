"""An approval that goes through the queue: given in one process, executed in another, on record in the history."""

import pytest
from sqlalchemy import delete, update

from connector.directory.runs import Cause, RunKind
from connector.directory.safeguard import Limit
from connector.errors import ApprovalRefused, NothingToDiscard
from connector.store.audit import Actor
from connector.store.runs.lease import SHARING
from connector.store.runs.queue import Runs
from connector.store.runs.run import take_up
from connector.store.sql.tables import runs, staged_changes
from connector.sync.full_sync import approve_plan
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool
from tests.sync.syncing import Connector


@pytest.fixture
def refused(database):
    """A connector with a plan that waits, and its digest."""
    with SimulatedPool(people(4), {"staff": ["p0", "p1"]}) as pool:
        connector = Connector(pool, database).limited(max_removed_users=Limit(0, 0.0))
        connector.sync()
        pool.directory.remove_user("p3")
        yield connector, connector.sync().plan.digest


def execute(connector, run):
    """Execute a queued approval as a child process does."""
    claim = Runs(connector.database).claim(SHARING)
    with take_up(connector.database, claim.lease.run, claim.lease.fence) as claimed:
        assert claimed.id == run.id
        return approve_plan(claimed, claimed.approve, connector._settings())


def test_a_queued_approval_publishes_exactly_what_was_refused(refused):
    """P03: who gave it, when, for which digest and with what effect is on record; it reads nothing again."""
    connector, digest = refused
    calls = dict(connector.pool.calls)
    queue = Runs(connector.database)
    run = queue.request(RunKind.SYNC, cause=Cause.API, approve=digest)
    result = execute(connector, run)
    record = queue.find(run.id)

    assert (result.outcome, len(connector.published()["users"])) == ("published", 3)
    assert (record.cause, record.outcome, record.result["approved"]) == ("api", "published", digest)
    assert dict(connector.pool.calls) == calls
    with pytest.raises(ApprovalRefused):
        queue.request(RunKind.SYNC, cause=Cause.API, approve=digest)


def test_an_approval_that_comes_too_late_publishes_nothing(refused):
    """P03: the day passed while it waited in the queue; the run is refused, and says why."""
    connector, digest = refused
    queue = Runs(connector.database)
    run = queue.request(RunKind.SYNC, cause=Cause.API, approve=digest)
    with connector.database.writing() as connection:
        day_before = {"ended_at": "2026-01-01T00:00:00.000Z"}
        connection.execute(update(runs).where(runs.c.outcome == "refused").values(day_before))
    result = execute(connector, run)
    record = queue.find(run.id)

    assert (result.outcome, result.exit_code, len(connector.published()["users"])) == ("refused", 3, 4)
    assert (record.result["approved"], "waits for approval" in record.result["reason"]) == (digest, True)
    assert ("approve" in record.result, connector.sync().outcome) == (False, "refused")


def test_what_is_no_longer_what_was_refused_is_not_published(refused):
    """P03: exactly that plan; of one whose kept rows lost some, nothing is published."""
    connector, digest = refused
    run = Runs(connector.database).request(RunKind.SYNC, cause=Cause.API, approve=digest)
    with connector.database.writing() as connection:
        connection.execute(delete(staged_changes).where(staged_changes.c.change == "removed"))
    result = execute(connector, run)

    assert (result.outcome, len(connector.published()["users"])) == ("refused", 4)
    assert "no longer what was refused" in " ".join(result.reasons)


def test_a_plan_that_is_being_approved_is_not_discarded(refused):
    """P03: who comes second is told who was first; the approval publishes."""
    connector, digest = refused
    queue = Runs(connector.database)
    approval = queue.request(RunKind.SYNC, cause=Cause.API, approve=digest)
    with pytest.raises(NothingToDiscard, match=f"Run {approval.id} is publishing"):
        queue.discard(2, by=Actor("ops"), reason="wrong")

    assert execute(connector, approval).outcome == "published"


def test_a_discarded_plan_is_approved_by_nobody(refused):
    """P03: whichever run was refused with it; the same found again waits again."""
    connector, digest = refused
    again = connector.sync()
    queue = Runs(connector.database)
    record = queue.discard(2, by=Actor("ops"), reason="the export was broken")

    assert again.plan.digest == digest
    assert (record.outcome, record.result["discarded"]["by"]) == ("refused", "ops")
    assert queue.find(again.run).result["discarded"]["reason"] == "the export was broken"
    with pytest.raises(ApprovalRefused):
        queue.request(RunKind.SYNC, cause=Cause.API, approve=digest)
    with pytest.raises(NothingToDiscard, match="discarded by ops"):
        queue.discard(again.run, by=Actor("bo"), reason="me too")
    assert connector.approve(connector.sync().plan.digest).outcome == "published"


def test_the_beginning_of_a_digest_names_a_plan_while_no_other_begins_like_it(refused):
    """P03: what could mean two plans means none; the whole of it is on record."""
    connector, digest = refused
    queue = Runs(connector.database)
    connector.pool.directory.remove_user("p2")
    other = connector.sync().plan.digest
    with pytest.raises(ApprovalRefused, match="2 refused plans wait"):
        queue.request(RunKind.SYNC, cause=Cause.API, approve="")
    run = queue.request(RunKind.SYNC, cause=Cause.API, approve=digest[:8].upper())

    assert other[:8] != digest[:8]
    assert execute(connector, run).as_json()["approved"] == digest


def test_a_plan_is_still_approved_after_a_publish_that_touches_none_of_it(refused):
    """P03: it goes on top of what was published since, which stays; or nobody could approve while deltas come."""
    connector, digest = refused
    connector.pool.directory.add_user(a_user("p3", email="p3@corp.local"))
    connector.pool.directory.user("p2")["Attributes"].append({"Name": "name", "Value": "Second"})
    connector.sync()
    result = connector.approve(digest)
    served = connector.published()["users"]

    assert (result.outcome, result.generation, result.plan.harvested.users, len(served)) == ("published", 3, 3, 3)
    assert any("Second" in body for body in served)


def test_a_publish_that_touches_a_waiting_plan_voids_it(refused):
    """P03: who was to be removed has changed since, so what was shown is no longer what would happen."""
    connector, digest = refused
    connector.pool.directory.add_user(a_user("p3", email="p3@corp.local", name="Third"))
    connector.sync()

    with pytest.raises(ApprovalRefused):
        connector.approve(digest)
    assert len(connector.published()["users"]) == 4


def test_a_waiting_plan_whose_user_name_was_taken_since_is_void(refused):
    """P16: no two users are served under one name, whatever is approved."""
    connector, _ = refused
    connector.pool.directory.add_user(a_user("new", sub="0" * 8))
    digest = connector.sync().plan.digest
    connector.pool.directory.remove_user("new")
    connector.pool.directory.add_user(a_user("p3", email="p3@corp.local"))
    connector.pool.directory.add_user(a_user("NEW", sub="1" * 8))
    connector.sync()

    with pytest.raises(ApprovalRefused):
        connector.approve(digest)
