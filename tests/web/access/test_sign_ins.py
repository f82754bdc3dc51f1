"""Sign-ins on record: each caller once an hour, failures counted, and nobody fills log, store or memory with them."""

import threading
from typing import cast

import pytest
from flask import Flask, g

from connector.store.audit import AuditTrail, Counted, Event
from connector.web.access.sign_ins import MOST_ADDRESSES, OTHER, WINDOW_SECONDS, CallerActivity
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS
from tests.web.fakes import TOKEN, FakeAuditTrail, FakeClients, FakeClock, sample_reader, services_of

IMPORTER = FakeClients().known[TOKEN]
REFUSED = MOST_ADDRESSES[Event.SIGN_IN_REFUSED]


class Door:
    """Lets somebody in or not, as a request from an address would."""

    def __init__(self, trail: FakeAuditTrail) -> None:
        self.clock = FakeClock()
        self.trail = trail
        self.sign_ins = CallerActivity(cast("AuditTrail", trail), self.clock)
        self._app = Flask("door")

    def accept(self, address: str = "192.0.2.1") -> None:
        """Let the importer in."""
        with self._app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            g.request_id = f"from {address}"
            self.sign_ins.accept(IMPORTER)

    def refuse(self, address: str = "192.0.2.1") -> None:
        """Let a stranger not in."""
        with self._app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            g.request_id = f"from {address}"
            self.sign_ins.refuse()

    def written(self) -> list[Counted]:
        """Return what the trail has, once all is written."""
        self.sign_ins.write()
        return self.trail.events


@pytest.fixture(autouse=True)
def _no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write when a test says so."""
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)


@pytest.fixture
def door() -> Door:
    """A door whose clock stands still."""
    return Door(FakeAuditTrail())


def test_a_client_is_logged_once_an_hour_and_each_request_counted(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """P38: with name, address and the id of the first request."""
    caplog.set_level("INFO", "connector.audit")
    for _ in range(1000):
        door.accept()
    lines = list(caplog.messages)
    (event,) = door.written()
    door.clock.now += WINDOW_SECONDS
    door.accept()

    assert lines == ['sign-in-accepted client=idp via=http address=192.0.2.1 request="from 192.0.2.1" count=1']
    assert (event.count, event.client_id, event.actor.request) == (1000, IMPORTER.id, "from 192.0.2.1")
    assert caplog.messages == lines * 2


def test_failures_are_logged_at_each_power_of_ten(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """P38: an operator learns of the first at once and of a flood by its size, not line by line."""
    for _ in range(1234):
        door.refuse()

    assert [message.rpartition("=")[2] for message in caplog.messages] == ["1", "10", "100", "1000"]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert [event.count for event in door.written()] == [1234]


def test_addresses_without_end_are_counted_together(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """P38: whoever has a network of addresses fills neither the log nor the table."""
    for number in range(10 * REFUSED):
        door.refuse(f"10.0.{number // 256}.{number % 256}")
    events = door.written()

    assert len(events) == REFUSED + 1
    assert sum(event.count for event in events) == 10 * REFUSED
    assert [event.count for event in events if event.actor.address == OTHER] == [9 * REFUSED]
    assert len(caplog.messages) < REFUSED + 5


def test_a_flood_does_not_hide_who_was_let_in(door: Door) -> None:
    """P38: those who are let in have room of their own."""
    for number in range(2 * REFUSED):
        door.refuse(f"10.0.{number // 256}.{number % 256}")
    door.accept("192.0.2.9")

    assert [event.actor.address for event in door.written() if event.event is Event.SIGN_IN_ACCEPTED] == ["192.0.2.9"]


def test_what_the_store_does_not_take_is_written_later(door: Door) -> None:
    """P38: nothing is lost while the store is away, and nothing counted twice."""
    door.trail.broken = True
    door.refuse()
    door.clock.now += 7
    door.written()
    door.refuse()
    door.refuse("192.0.2.2")
    door.trail.broken = False
    door.clock.now += 1

    assert [(event.count, event.first, event.last) for event in door.written()] == [(2, 8000, 1000), (1, 1000, 1000)]
    assert len(door.written()) == 2


def test_requests_are_noted_by_what_they_bring(caplog: pytest.LogCaptureFixture) -> None:
    """P38, P27: with the name of the client and without anything that was tried; health is nobody's sign-in."""
    caplog.set_level("INFO", "connector.audit")
    trail = FakeAuditTrail()
    http = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, audit=trail)).test_client()
    for path, header in (
        ("/scim/v2/Users", {"Authorization": f"Bearer {TOKEN}"}),
        ("/scim/v2/Users", {"Authorization": "Bearer ccs_wrong"}),
        ("/scim/v2/Users", {}),
        ("/livez", {"Authorization": "Bearer ccs_wrong"}),
    ):
        http.get(path, headers=header)

    assert [message.split()[:2] for message in caplog.messages] == [
        ["sign-in-accepted", "client=idp"],
        ["sign-in-refused", "via=http"],
    ]
    assert "ccs_wrong" not in caplog.text
