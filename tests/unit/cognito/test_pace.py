import threading

from connector.cognito.pace import Pace


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self._lock = threading.Lock()

    def read(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now += seconds


def moments(pace: Pace, clock: Clock, requests: int) -> list[float]:
    """Return when each of some requests was let through."""
    times = []
    for _ in range(requests):
        pace.wait()
        times.append(round(clock.now - 100, 6))
    return times


def test_requests_keep_their_distance() -> None:
    """P10: twenty a second is one every fiftieth of a second."""
    clock = Clock()
    pace = Pace(20, clock=clock.read, sleep=clock.sleep)

    assert moments(pace, clock, 5) == [0.0, 0.05, 0.1, 0.15, 0.2]


def test_a_pause_earns_no_burst() -> None:
    """P10: what was not used is not saved up; the quota of others begins where ours ends."""
    clock = Clock()
    pace = Pace(10, clock=clock.read, sleep=clock.sleep)
    pace.wait()

    clock.now += 60

    assert moments(pace, clock, 3) == [60.0, 60.1, 60.2]


def test_threads_share_one_pace() -> None:
    """P10: ten threads together are not faster than one."""
    waits: list[float] = []
    pace = Pace(10, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(10)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [round(wait, 6) for wait in sorted(waits)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
