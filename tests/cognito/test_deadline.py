import threading

import pytest

from connector.cognito.deadline import Deadline
from connector.errors import HarvestIncomplete
from tests.fakes.clock import Clock


def test_nobody_waits_beyond_the_end(clock: Clock) -> None:
    """P10: a wait that would be longer ends with the run, which is incomplete."""
    deadline = Deadline(10, clock=clock.read, pause=clock.pause)
    deadline.sleep(9)

    with pytest.raises(HarvestIncomplete, match=r"10 seconds .*sync\.deadline") as caught:
        deadline.sleep(5)

    assert clock.passed == 10
    assert (caught.value.exit_code, caught.value.retryable) == (75, True)


def test_the_end_itself_is_too_late(clock: Clock) -> None:
    """P10: what would begin at the end does not."""
    deadline = Deadline(10, clock=clock.read, pause=clock.pause)

    allowed = []
    for clock.now in (100.0, 109.9, 110.0, 111.0):
        allowed.append(deadline.allows(0))

    assert allowed == [True, True, False, False]


def test_whoever_waits_is_woken_when_the_run_is_given_up() -> None:
    """P01: a fault elsewhere ends a long wait at once."""
    deadline = Deadline(3600)
    faults: list[HarvestIncomplete] = []

    def wait() -> None:
        try:
            deadline.sleep(3000)
        except HarvestIncomplete as fault:
            faults.append(fault)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline.cancel()
    thread.join()

    assert "given up" in faults[0].message
    with pytest.raises(HarvestIncomplete, match="given up"):
        deadline.check()
