"""Keep calls at or below a rate, so that a harvest leaves room for the applications that share the quota.

Cognito counts requests per second for the whole account and Region (quota category UserList, 30).
"""

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets one request through per interval, with no burst after a pause.

    Args:
        requests_per_second: the ceiling.
        clock: seconds that only grow.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / requests_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock()

    def wait(self) -> None:
        """Return when the next request may be sent; callers on several threads share the pace."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
