"""How long one search may take, counting and reading together, so that no question holds up the others."""

import time
from collections.abc import Callable

SECONDS = 5.0


class TooExpensive(Exception):
    """A search takes more time or memory than one request may have."""


class Budget:
    """The time of one search, which begins now.

    Args:
        seconds: how long it may take.
        clock: seconds of any origin, never going back.
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds

    @property
    def remaining(self) -> float:
        """How many seconds are left, 0 when none are."""
        return max(0.0, self._ends - self._clock())

    def check(self) -> None:
        """Make sure that time is left.

        Raises:
            TooExpensive: it is used up.
        """
        if not self.remaining:
            raise TooExpensive(f"it takes longer than {self._seconds:g} seconds")
