"""Time that passes only when somebody sleeps, for both sides of the wire."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Counts seconds from a start; `sleep` is what moves it, and remembers."""

    def __init__(self, start: datetime = datetime(2026, 1, 31, 8, tzinfo=UTC)) -> None:
        self.start = start
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._passed = 0.0

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self._passed

    def now(self) -> datetime:
        """Return the time with its zone."""
        return self.start + timedelta(seconds=self._passed)

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        with self._lock:
            self.slept.append(seconds)
            self._passed += seconds
