"""Keep calls at or below a rate that bends to what AWS allows, so that there is room for whoever shares the quota.

Cognito counts requests per second for the whole account and Region (quota category UserList, 30), and at most 5 of each
operation on groups for a pool. Additive increase, multiplicative decrease (Chiu and Jain, 1989). Promise P10.
"""

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

SLOWER = 0.9
"""What is left of the rate after a refusal: small steps, for refused calls cost nothing and follow each other fast."""

RECOVERY = 300.0
"""Seconds in which a rate would grow from nothing to its ceiling."""

CATCH_UP = 2
"""At most this many turns that a busy machine missed are taken late; earlier ones are lost."""

SLOWEST = 1 / 64
"""The share of the ceiling below which a rate does not fall."""


class Pace:
    """Lets requests through one by one, evenly spaced, the most urgent of those that wait first.

    A pause earns no burst.

    Args:
        requests_per_second: the ceiling.
        clock: seconds that only grow.
        sleep: waits for a number of seconds; what it raises ends the wait.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ceiling = requests_per_second
        self._clock = clock
        self._sleep = sleep
        self._door = _Door()
        self._lock = threading.Lock()
        self._rate = requests_per_second
        self._next = self._grown = self._slowed = clock()

    @property
    def rate(self) -> float:
        """Requests per second at present."""
        return self._rate

    def wait(self, urgency: int = 0) -> float:
        """Return when a request may be sent, with the moment of its turn.

        Args:
            urgency: who waits with a higher one goes first.
        """
        arrived = self._clock()
        with self._door.passed(urgency):
            turn = self._take_turn(arrived)
            self._sleep(max(0.0, turn - self._clock()))
        return turn

    def slow_down(self, turn: float) -> None:
        """Take note that AWS refused the request of this turn for its rate.

        One that was sent before the last slow-down tells nothing about the rate since.
        """
        with self._lock:
            if turn >= self._slowed:
                self._slowed = self._grown = self._clock()
                self._rate = max(self._ceiling * SLOWEST, self._rate * SLOWER)

    def _take_turn(self, arrived: float) -> float:
        with self._lock:
            turn = max(arrived, self._next, self._clock() - CATCH_UP / self._rate)
            grown = max(0.0, turn - self._grown) * self._ceiling / RECOVERY
            self._rate = min(self._ceiling, self._rate + grown)
            self._grown = max(self._grown, turn)
            self._next = turn + 1 / self._rate
            return turn


@dataclass(frozen=True, slots=True)
class Paces:
    """The paces of one pool, by what Cognito counts together."""

    users: Pace
    groups: Pace
    one_user: Pace

    def of(self, operation: str) -> Pace:
        """Return the pace of an operation."""
        if operation in {"AdminListGroupsForUser", "AdminGetUser"}:
            return self.one_user
        return self.groups if operation in {"ListGroups", "GetGroup"} else self.users


class _Door:
    """Lets one in at a time: the most urgent, and of equals who came first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = count()
        self._taken = False

    @contextmanager
    def passed(self, urgency: int) -> Iterator[None]:
        """Hold the door for the length of a block."""
        self._enter(urgency)
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()

    def _enter(self, urgency: int) -> None:
        with self._changed:
            ticket = (-urgency, next(self._tickets))
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: not self._taken and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._taken = True
