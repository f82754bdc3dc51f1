from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from connector.cognito.deadline import Deadline
from connector.cognito.errors import SourceCall
from connector.cognito.meter import Meter
from connector.cognito.pace import Pace, Paces
from connector.cognito.sending import LONGEST_WAIT, Answer, RetryLimits, Sender
from connector.errors import HarvestIncomplete, SourceDenied, SourceThrottled, SourceUnavailable
from tests.fakes.clock import Clock

CALL = SourceCall("ListUsers", "user pool x")


def refusal(code: str) -> ClientError:
    """Return an error as botocore raises it."""
    return ClientError({"Error": {"Code": code}}, "ListUsers")


THROTTLED, DENIED, EXPIRED = (
    refusal(code) for code in ("TooManyRequestsException", "AccessDeniedException", "ExpiredTokenException")
)
UNREACHABLE = EndpointConnectionError(endpoint_url="https://aws.invalid")


class Wire:
    """Sends calls by a clock of its own; each attempt meets the next of some faults, then all goes well."""

    def __init__(self, clock: Clock, *faults: Exception, **patience: float) -> None:
        self.clock = clock
        self.faults: Iterator[Exception] = iter(faults)
        self.attempts: list[float] = []
        self.renewed = 0
        deadline = Deadline(patience.get("deadline", 3600), clock=clock.read, pause=clock.pause)
        self.pace = Pace(10, clock=clock.read, sleep=deadline.sleep)
        limits = RetryLimits(attempts=int(patience.get("attempts", 3)), backoff=patience.get("backoff", 1))
        self.meter = Meter()
        self.sender = Sender(Paces(self.pace, self.pace, self.pace), self.meter, limits, deadline, self.renew)

    def renew(self) -> None:
        """Take note that new credentials were asked for."""
        self.renewed += 1

    def ask(self) -> Answer:
        """Make one attempt."""
        self.attempts.append(self.clock.passed)
        if fault := next(self.faults, None):
            raise fault
        return {"Users": []}

    def send(self) -> str:
        """Send a call and tell what the answer held."""
        return self.sender.send(CALL, self.ask, ", ".join)


@pytest.mark.parametrize("times", [0, 1, 7, 50])
def test_throttling_is_outwaited_whatever_the_attempts(clock: Clock, times: int) -> None:
    """P10: a refusal for the rate is no failed attempt."""
    wire = Wire(clock, *[THROTTLED] * times, attempts=1)

    assert wire.send() == "Users"
    assert (len(wire.attempts), wire.meter.calls) == (times + 1, {"ListUsers": 1})


def test_every_refusal_slows_the_pace(clock: Clock) -> None:
    """P10: the next calls are further apart, those of other walks too."""
    wire = Wire(clock, THROTTLED, THROTTLED)
    wire.send()

    assert wire.pace.rate < 10 * 0.9


def test_throttling_to_the_end_is_told_as_throttling(clock: Clock) -> None:
    """P10: the cause is the quota, not the clock."""
    with pytest.raises(SourceThrottled, match="until the time ran out"):
        Wire(clock, *[THROTTLED] * 10_000, deadline=100).send()
    assert clock.passed <= 100


@pytest.mark.parametrize(("faults", "attempts"), [(2, 3), (0, 1)])
def test_a_passing_fault_is_tried_again(clock: Clock, faults: int, attempts: int) -> None:
    """P10: as often as patience allows."""
    wire = Wire(clock, *[UNREACHABLE] * faults, attempts=attempts)

    assert wire.send() == "Users"
    assert wire.pace.rate == 10


def test_a_fault_that_lasts_ends_the_run(clock: Clock) -> None:
    """P01: with the error of the last attempt."""
    wire = Wire(clock, *[UNREACHABLE] * 9, attempts=3)

    with pytest.raises(SourceUnavailable, match="no connection"):
        wire.send()
    assert len(wire.attempts) == 3


def test_a_denial_is_told_at_once(clock: Clock) -> None:
    """P01: nothing would change by asking again."""
    wire = Wire(clock, DENIED)

    with pytest.raises(SourceDenied):
        wire.send()
    assert len(wire.attempts) == 1


def test_expired_credentials_are_renewed_once_an_attempt(clock: Clock) -> None:
    """P13: and the same attempt goes on with the new ones."""
    wire = Wire(clock, EXPIRED)

    assert wire.send() == "Users"
    assert (wire.renewed, len(wire.attempts), clock.passed) == (1, 2, 0)


def test_an_answer_that_cannot_be_read_is_asked_for_again(clock: Clock) -> None:
    """P01: damage on the way may pass; what it is called is left to the reader."""
    wire, read = Wire(clock), iter([KeyError("Users"), None])

    def take(_: Answer) -> str:
        if fault := next(read):
            raise fault
        return "read"

    assert wire.sender.send(CALL, wire.ask, take) == "read"
    assert len(wire.attempts) == 2


def test_waits_grow_but_never_beyond_a_bound(clock: Clock) -> None:
    """P10: between nothing and twice the wait before, at random, up to twenty seconds."""
    wire = Wire(clock, *[UNREACHABLE] * 15, attempts=16)
    wire.send()

    waits = [later - earlier for earlier, later in zip(wire.attempts, wire.attempts[1:], strict=False)]
    assert all(wait <= min(LONGEST_WAIT, 2**number) + 0.1 for number, wait in enumerate(waits))
    assert len(set(waits)) > 5


def test_nothing_is_sent_after_the_run_was_given_up(clock: Clock) -> None:
    """P01: the first fault ends all walks."""
    wire = Wire(clock)
    wire.sender.stop()

    with pytest.raises(HarvestIncomplete):
        wire.send()
    assert wire.attempts == []
