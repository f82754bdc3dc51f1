"""Quotas as Cognito has them: a bucket of tokens for each category, refilled evenly (Cognito quotas)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.refusals import Refusal

TOO_MANY = Refusal("TooManyRequestsException", "Rate exceeded", query_code="Throttling")
_CATEGORIES = {"ListUsers": "lists", "ListUsersInGroup": "lists", "AdminListGroupsForUser": "users"}


@dataclass
class Bucket:
    """Lets through a number of requests a second, and a few more after a pause.

    Args:
        rate: requests per second.
        burst: the most tokens that a pause fills in.
        clock: seconds that only grow.
    """

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._tokens, self._filled = self.burst, self.clock()

    def admits(self) -> bool:
        """Take a token if there is one."""
        with self._lock:
            now = self.clock()
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass
class Quotas:
    """A bucket for each category.

    Args:
        buckets: `lists` for ListUsers with ListUsersInGroup, `users` for AdminListGroupsForUser; for every other
            operation the one of its name. What has no bucket has no quota.
        halve_after: after so many admitted lists of users, their quota is halved, and nobody is told.
    """

    buckets: dict[str, Bucket] = field(default_factory=dict)
    halve_after: int | None = None
    _admitted: int = 0

    def refusal(self, operation: str) -> Refusal | None:
        """Return why a request is refused, if it is."""
        bucket = self.buckets.get(_CATEGORIES.get(operation, operation))
        if bucket is None:
            return None
        if not bucket.admits():
            return TOO_MANY
        if _CATEGORIES.get(operation) == "lists":
            self._admitted += 1
            if self._admitted == self.halve_after:
                bucket.rate /= 2
        return None


def cognito_quotas(rate: float, *, burst_seconds: float, halve_after: int | None = None) -> Quotas:
    """Return the quotas of an account.

    Args:
        rate: of the lists of users, 30 on AWS; the others are in proportion.
        burst_seconds: how long a pause is made up for.
        halve_after: see `Quotas`.
    """
    rates = {"lists": rate, "ListGroups": rate / 6, "GetGroup": rate / 6, "users": rate * 5 / 3}
    buckets = {name: Bucket(each, max(1.0, each * burst_seconds)) for name, each in rates.items()}
    return Quotas(buckets, halve_after)
