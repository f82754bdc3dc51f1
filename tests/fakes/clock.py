"""Time that passes only while somebody sleeps, for tests of what waits."""

import threading
from functools import partial

import pytest

from connector.cognito.deadline import Deadline


class Clock:
    """Seconds that begin at 100; every sleep returns at once and takes as long as it was told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.late = 0.0
        self._lock = threading.Lock()

    @property
    def passed(self) -> float:
        """Seconds since the beginning, to the microsecond."""
        return round(self.now - 100, 6)

    def read(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and a little more when the machine is busy."""
        with self._lock:
            self.now += seconds + (self.late if seconds else 0)

    def pause(self, seconds: float) -> bool:
        """Let time pass, as a wait that nobody broke off."""
        self.sleep(seconds)
        return False

    def rule(self, patch: pytest.MonkeyPatch) -> None:
        """Let the deadlines of runs, and the waits before another attempt, go by this clock."""
        patch.setattr("connector.cognito.session.Deadline", partial(Deadline, clock=self.read, pause=self.pause))
