"""The audit trail in the store: each act in its own row, what callers repeat in one row an hour."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connector.directory.runs import Cause, RunKind
from connector.errors import ConfigError, NoSuchClient
from connector.store.audit import Actor, AuditTrail, Counted, Event, forget_events
from connector.store.clients import Clients
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin
from connector.store.sql.clock import CLOCK
from connector.store.sql.database import Database
from connector.store.sql.tables import audit_events

OPERATOR = Actor("root", "command")
DAY = 24 * 60 * 60
HOUR = 60 * 60 * 1000


def signed_in(client: str = "okta", address: str = "192.0.2.1", **more: int) -> Counted:
    """Return that a client was let in, just now unless told otherwise."""
    at = {"count": 1, "first": 0, "last": 0} | more
    return Counted(Event.SIGN_IN_ACCEPTED, Actor(client, "http", address, "r1"), **at)  # type: ignore[arg-type]


def test_making_and_revoking_a_client_says_by_whom(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """P38: a row and a line each, written with what they tell of; no secret in either."""
    caplog.set_level(logging.INFO, "connector.audit")
    clients = Clients(database)
    made = clients.create("okta", by=OPERATOR)
    clients.revoke("okta", by=OPERATOR)

    revoked, created = AuditTrail(database).newest(count=10)

    assert [(one.event, one.subject, one.actor) for one in (created, revoked)] == [
        ("client-created", "okta", OPERATOR),
        ("client-revoked", "okta", OPERATOR),
    ]
    assert caplog.messages == [
        'client-created client=root via=command subject=okta detail="importer, bearer"',
        "client-revoked client=root via=command subject=okta",
    ]
    assert made.token[4:] not in f"{created} {revoked} {caplog.text}"


def test_a_run_says_who_asked_for_it_and_who_ended_it(database: Database) -> None:
    """P38: with address and request, in the history and in the trail."""
    operator = Actor("ops", "api", "192.0.2.1", "r1")
    queue = Runs(database)
    queued = queue.request(RunKind.SYNC, cause=Cause.API, by=operator)
    queue.cancel(queued.id, by=replace(operator, client="boss"))
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND, by=OPERATOR, approve="0" * 64) as run:
        assert queue.find(run.id).asked_by == "root"

    approved, cancelled, requested = AuditTrail(database).newest(count=10)

    assert queued.asked_by == "ops"
    assert [(one.event, one.actor.client, one.subject, one.detail) for one in (requested, cancelled, approved)] == [
        ("run-requested", "ops", "run 1", "sync"),
        ("run-cancelled", "boss", "run 1", ""),
        ("plan-approved", "root", "run 2", f"plan {'0' * 64}"),
    ]
    assert requested.actor == operator


def test_what_was_refused_is_not_on_record_as_done(database: Database) -> None:
    """P38: the row is part of the transaction."""
    clients = Clients(database)
    for refused in (lambda: clients.revoke("nobody", by=OPERATOR), lambda: clients.create(" ", by=OPERATOR)):
        with pytest.raises((ConfigError, NoSuchClient)):
            refused()

    assert AuditTrail(database).newest(count=10) == []


def test_what_is_repeated_is_one_row_an_hour(open_store: Callable[[], Database]) -> None:
    """P38: over all replicas; the count adds up, the times span them."""
    here, elsewhere = open_store(), open_store()
    AuditTrail(here).count([signed_in(count=3, first=4000, last=2000), signed_in(address="192.0.2.2")])
    AuditTrail(elsewhere).count([signed_in(count=2)])

    events = AuditTrail(here).newest(count=10)

    assert {(one.actor.address, one.count) for one in events} == {("192.0.2.1", 5), ("192.0.2.2", 1)}
    assert all(one.first_at <= one.last_at for one in events)


def test_the_next_hour_has_a_row_of_its_own(database: Database) -> None:
    """P38: so that a caller of every day is seen each hour."""
    trail = AuditTrail(database)
    trail.count([signed_in(first=HOUR, last=HOUR)])
    trail.count([signed_in()])

    assert [one.count for one in trail.newest(count=10)] == [1, 1]


def test_a_client_shows_when_it_was_last_used(database: Database) -> None:
    """P38: the latest time that any replica saw, never an earlier one that is written later."""
    clients, trail = Clients(database), AuditTrail(database)
    for name in ("okta", "oci"):
        clients.create(name)
    okta = clients.list()[0].id
    one = signed_in()
    trail.count([Counted(one.event, one.actor, 1, 1000, 1000, client_id=okta)])
    first = clients.list()[0].last_used_at
    trail.count([Counted(one.event, one.actor, 1, HOUR, HOUR, client_id=okta)])

    assert first is not None
    assert [client.last_used_at for client in clients.list()] == [first, None]


def test_old_events_are_forgotten_and_the_newest_stay(database: Database) -> None:
    """P23: as the history of runs; who looks once a year still finds the last ones."""
    clients = Clients(database)
    for number in range(5):
        clients.create(f"client {number}")
    with database.writing() as connection:
        connection.execute(
            update(audit_events).where(audit_events.c.subject != "client 4").values(last_at=CLOCK - 2 * DAY * 1000)
        )

    kept = forget_events(database, older_than=3 * DAY, newest=2)
    forgotten = forget_events(database, older_than=DAY, newest=2)

    assert (kept, forgotten) == (0, 3)
    with database.reading() as connection:
        assert sorted(connection.scalars(select(audit_events.c.subject))) == ["client 3", "client 4"]
