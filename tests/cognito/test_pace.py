import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cognito.pace import RECOVERY, SLOWER, SLOWEST, Pace
from tests.fakes.clock import Clock


def paced(requests_per_second: float, clock: Clock) -> Pace:
    """Return a pace in that time."""
    return Pace(requests_per_second, clock=clock.read, sleep=clock.sleep)


def moments(pace: Pace, clock: Clock, requests: int) -> list[float]:
    """Return when each of some requests was let through."""
    times = []
    for _ in range(requests):
        pace.wait()
        times.append(clock.passed)
    return times


def test_requests_keep_their_distance(clock: Clock) -> None:
    """P10: twenty a second is one every twentieth of a second."""
    assert moments(paced(20, clock), clock, 5) == [0.0, 0.05, 0.1, 0.15, 0.2]


def test_a_pause_earns_no_burst(clock: Clock) -> None:
    """P10: what was not used is not saved up; the quota of others begins where ours ends."""
    pace = paced(10, clock)
    pace.wait()

    clock.now += 60

    assert moments(pace, clock, 3) == [60.0, 60.1, 60.2]


def test_threads_share_one_pace(clock: Clock) -> None:
    """P10: ten threads together are exactly as fast as one."""
    pace = paced(10, clock)
    turns: list[float] = []
    threads = [threading.Thread(target=lambda: turns.extend(pace.wait() for _ in range(20))) for _ in range(10)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [round(turn - 100, 6) for turn in sorted(turns)] == [round(number / 10, 6) for number in range(200)]
    assert clock.passed == 19.9


def test_a_busy_machine_loses_no_turn_of_those_who_wait(clock: Clock) -> None:
    """P10: whoever came before their turn keeps it, and so do those behind; the mean rate is the ceiling."""
    pace = paced(10, clock)
    clock.late = 0.05

    assert [round(pace.wait() - 100, 6) for _ in range(5)] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_machine_that_stood_still_makes_up_for_a_few_turns_only(clock: Clock) -> None:
    """P10: those who waited meanwhile are not all let through at once."""
    pace = paced(10, clock)
    pace.wait()
    in_line = [pace._take_turn(clock.now) for _ in range(3)]

    clock.now += 60
    late = [pace._take_turn(100.0) for _ in range(5)]

    assert [round(turn - 100, 6) for turn in in_line] == [0.1, 0.2, 0.3]
    assert [round(turn - 100, 6) for turn in late] == [59.8, 59.9, 60.0, 60.1, 60.2]


class Line:
    """Some who wait one behind the other, let in by hand: time stands still until `move`."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self._arrived = threading.Semaphore(0)
        self._moves = threading.Semaphore(0)
        self.pace = Pace(1, clock=lambda: 0.0, sleep=self._sleep)

    def _sleep(self, _: float) -> None:
        self._arrived.release()
        self._moves.acquire()

    def join(self, urgency: int) -> threading.Thread:
        """Put somebody into the line, behind all others."""

        def pass_door() -> None:
            self.pace.wait(urgency)
            self.order.append(urgency)

        thread = threading.Thread(target=pass_door)
        thread.start()
        return thread

    def stand(self, number: int) -> None:
        """Wait until so many stand in the line, beside whoever is at the door."""
        while len(self.pace._door._waiting) < number:
            threading.Event().wait(0.001)

    def move(self, times: int) -> None:
        """Let so many through."""
        for _ in range(times):
            self._arrived.acquire()
            self._moves.release()


def test_the_most_urgent_goes_first_and_equals_in_order() -> None:
    """The longest walk decides when a harvest ends, so it never waits behind short ones."""
    line = Line()
    threads = [line.join(9)]
    line._arrived.acquire()
    for place, urgency in enumerate((1, 5, 1, 7)):
        threads.append(line.join(urgency))
        line.stand(place + 1)
    line._arrived.release()

    line.move(5)
    for thread in threads:
        thread.join()

    assert line.order == [9, 7, 5, 1, 1]


def test_a_wait_that_is_broken_off_leaves_the_door_open(clock: Clock) -> None:
    """P10: a run given up frees everybody who waits."""

    def refuse(_: float) -> None:
        raise TimeoutError

    pace = Pace(10, clock=clock.read, sleep=refuse)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            pace.wait()


def test_a_refusal_slows_the_rate_by_its_share(clock: Clock) -> None:
    """P10: throttling costs time; the distance grows."""
    pace = paced(10, clock)

    pace.slow_down(pace.wait())

    assert pace.rate == pytest.approx(10 * SLOWER)


def test_refusals_of_requests_sent_before_the_last_one_count_once(clock: Clock) -> None:
    """P10: ten requests on their way, refused for the same reason, say the same thing once."""
    pace = paced(10, clock)
    turns = [pace.wait() for _ in range(10)]

    for turn in reversed(turns):
        pace.slow_down(turn)
    assert pace.rate == pytest.approx(10 * SLOWER)

    pace.slow_down(pace.wait())
    assert pace.rate == pytest.approx(10 * SLOWER**2, rel=1e-2)


def test_the_rate_recovers_to_the_ceiling_and_no_further(clock: Clock) -> None:
    """P10: additively, in proportion to the time since."""
    pace = paced(10, clock)
    pace.slow_down(pace.wait())

    clock.now += RECOVERY * (1 - SLOWER) / 2
    pace.wait()
    assert pace.rate == pytest.approx(10 * (1 + SLOWER) / 2, rel=1e-2)

    clock.now += RECOVERY
    pace.wait()
    assert pace.rate == 10


def test_the_rate_never_falls_to_nothing(clock: Clock) -> None:
    """P10: a quota that others use up is tried again now and then."""
    pace = paced(10, clock)

    for _ in range(100):
        pace.slow_down(clock.now)

    assert pace.rate == pytest.approx(10 * SLOWEST)


@given(
    st.floats(0.5, 100),
    st.lists(st.tuples(st.floats(0, 5), st.booleans()), min_size=2, max_size=40),
)
def test_requests_are_never_closer_than_the_ceiling_allows(rate: float, story: list[tuple[float, bool]]) -> None:
    """P10: whatever the pauses and refusals, in any order."""
    clock = Clock()
    pace = paced(rate, clock)
    turns = []
    for pause, refused in story:
        clock.now += pause
        turns.append(pace.wait())
        if refused:
            pace.slow_down(turns[-1])

    assert all(later - earlier >= (1 - 1e-9) / rate for earlier, later in pairwise(turns))


@pytest.mark.parametrize("quota", [10, 15, 25])
@pytest.mark.parametrize("burst", [1, 15])
def test_a_smaller_quota_is_found_and_used(clock: Clock, quota: float, burst: float) -> None:
    """P10: a ceiling of 30 over a quota that is smaller, with or without a burst, wastes less than a tenth of it."""
    pace = paced(30, clock)
    tokens, filled, answered, refused = burst, clock.now, 0, 0
    while clock.passed < 600:
        turn = pace.wait()
        tokens, filled = min(burst, tokens + (turn - filled) * quota), turn
        if tokens >= 1:
            tokens, answered = tokens - 1, answered + 1
        else:
            refused += 1
            pace.slow_down(turn)

    assert answered >= 600 * quota / 1.1
    assert refused <= answered / 20
