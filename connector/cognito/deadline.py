"""The end of a run's time. Whoever waits for AWS waits here, so that nobody waits beyond it, or for a run given up."""

import threading
import time
from collections.abc import Callable

from connector.errors import HarvestIncomplete


class Deadline:
    """A moment after which nothing more is asked; all threads of a run share it.

    Args:
        seconds: from now until then.
        clock: seconds that only grow.
        pause: waits for a number of seconds, and returns early with True once `cancel` was called.
    """

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._cancelled = threading.Event()
        self._pause = pause or self._cancelled.wait

    def allows(self, seconds: float) -> bool:
        """Say whether a wait of this length ends in time."""
        return self._clock() + seconds < self._end

    def check(self) -> None:
        """Return if there is time left.

        Raises:
            HarvestIncomplete: the time is over, or the run was given up.
        """
        if self._cancelled.is_set():
            raise HarvestIncomplete("The walk was given up, because another one of the run failed.")
        if not self.allows(0):
            raise HarvestIncomplete(
                f"The pool was not read within the {self._seconds:,.0f} seconds that a run may take.",
                remedy="Raise sync.deadline, or cognito.requests_per_second if the account's quota has room.",
            )

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the end.

        Raises:
            HarvestIncomplete: as `check`.
        """
        self.check()
        if seconds > 0:
            self._pause(max(0.0, min(seconds, self._end - self._clock())))
            self.check()

    def cancel(self) -> None:
        """Let everybody who waits, or is about to, stop."""
        self._cancelled.set()
