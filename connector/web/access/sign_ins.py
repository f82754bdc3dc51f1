"""Who signs in, and who fails to: counted here, and written into the audit trail by a thread of its own.

A request never waits for it, since a publish may hold the right to write for long. Nobody fills log, store or memory:
what one client does from one address is a row and a few lines an hour, and beyond a number of addresses the rest is
counted together. What a killed process had not yet written is in the log alone.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import g, request

from connector.errors import StoreError
from connector.store.audit import Actor, AuditTrail, Counted, Event, log_counted
from connector.store.clients import Client
from connector.web.access.limits import LONGEST_ADDRESS, network_of

WINDOW_SECONDS = 3600
WRITE_AFTER_SECONDS = 5
MOST_ADDRESSES = {Event.SIGN_IN_ACCEPTED: 1000, Event.SIGN_IN_REFUSED: 100, Event.TOKEN_ISSUED: 1000}
"""How many pairs of a client and an address are counted apart in an hour."""
OTHER = "other"
"""The address under which the rest is counted."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Who:
    """What is counted apart."""

    event: Event
    client: str
    address: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Tally:
    """How often something was done, when first and when last, in seconds of the clock."""

    request: str
    client_id: int | None
    count: int
    first: float
    last: float

    def plus(self, later: "_Tally") -> "_Tally":
        return replace(self, count=self.count + later.count, last=later.last)


def actor_of_request(via: str) -> Actor:
    """Return the client of the request under way, for what it asks to be done.

    Args:
        via: the door it came through: `api` or `console`.
    """
    return Actor(g.client.name, via, (request.remote_addr or "")[:LONGEST_ADDRESS], g.request_id)


class CallerActivity:
    """What callers of this process did.

    Args:
        trail: where it is written to.
        clock: seconds of any origin, never going back.
    """

    def __init__(self, trail: AuditTrail, clock: Callable[[], float] = time.monotonic) -> None:
        self._trail = trail
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._totals: dict[_Who, int] = {}
        self._unwritten: dict[_Who, _Tally] = {}
        self._work = threading.Event()
        self._writer: threading.Thread | None = None

    def accept(self, client: Client) -> None:
        """Note that a client was let in."""
        self._note(Event.SIGN_IN_ACCEPTED, client)

    def refuse(self, client: Client | None = None, detail: str = "") -> None:
        """Note that somebody was not let in.

        Args:
            client: whose credentials they would be, where that is known.
            detail: what is wrong with them.
        """
        self._note(Event.SIGN_IN_REFUSED, client, detail)

    def issue(self, client: Client) -> None:
        """Note that a client got an access token."""
        self._note(Event.TOKEN_ISSUED, client)

    def write(self) -> None:
        """Write what is still to be written; what the store does not take is kept for the next time."""
        with self._lock:
            taken, self._unwritten = self._unwritten, {}
        if not taken:
            return
        now = self._clock()
        try:
            self._trail.count([_counted(who, tally, now) for who, tally in taken.items()])
        except StoreError as fault:
            _log.warning("the audit trail is written later: %s", fault)
            with self._lock:
                for who, later in self._unwritten.items():
                    taken[who] = taken[who].plus(later) if who in taken else later
                self._unwritten = taken

    def _note(self, event: Event, client: Client | None, detail: str = "") -> None:
        now = self._clock()
        who = _Who(event, client.name if client else "", network_of(request.remote_addr), detail)
        client_id = client.id if client and event is Event.SIGN_IN_ACCEPTED else None
        once = _Tally(g.request_id, client_id, 1, now, now)
        with self._lock:
            who = self._tell_apart(who, now)
            total = self._totals[who] = self._totals.get(who, 0) + 1
            self._unwritten[who] = self._unwritten[who].plus(once) if who in self._unwritten else once
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_from_time_to_time, name="audit", daemon=True)
                self._writer.start()
        self._work.set()
        if total == 1 or (event is not Event.SIGN_IN_ACCEPTED and _is_power_of_ten(total)):
            log_counted(event, _actor(who, once), total, detail)

    def _tell_apart(self, who: _Who, now: float) -> _Who:
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window = window
            self._totals.clear()
        known = sum(other.event is who.event for other in self._totals) if who not in self._totals else 0
        return replace(who, address=OTHER) if known >= MOST_ADDRESSES[who.event] else who

    def _write_from_time_to_time(self) -> None:
        atexit.register(self.write)
        while self._work.wait():
            time.sleep(WRITE_AFTER_SECONDS)
            self._work.clear()
            self.write()


def _counted(who: _Who, tally: _Tally, now: float) -> Counted:
    first, last = (round((now - then) * 1000) for then in (tally.first, tally.last))
    return Counted(who.event, _actor(who, tally), tally.count, first, last, who.detail, tally.client_id)


def _actor(who: _Who, tally: _Tally) -> Actor:
    return Actor(who.client, "http", who.address, tally.request)


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"
