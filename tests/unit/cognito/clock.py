"""Time that passes only while somebody sleeps, for tests of what waits."""

import threading


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
