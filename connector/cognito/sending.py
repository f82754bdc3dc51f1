"""Send one call until it is answered: paced, counted, tried again, within the time of the run. Promises P10, P13.

A call that is refused for its rate is sent again, more slowly, as long as there is time; one that met a passing fault,
a few times, after a random wait that grows (AWS Architecture Blog, "Exponential Backoff And Jitter").
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from connector.cognito.deadline import Deadline
from connector.cognito.errors import SourceCall, is_expired, told
from connector.cognito.meter import Meter
from connector.cognito.pace import Paces
from connector.errors import SourceThrottled, SourceUnavailable

LONGEST_WAIT = 20.0

Answer = Mapping[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How long a call, and a run, is tried; times in seconds.

    Args:
        attempts: how often a call is tried that meets a passing fault.
        backoff: the longest wait before the second attempt; it doubles with each.
        deadline: how long all calls of a run together may take.
    """

    attempts: int = 10
    connect_timeout: float = 5
    read_timeout: float = 30
    backoff: float = 0.5
    deadline: float = 21_600


class Sender:
    """Sends the calls of one run; safe on several threads.

    Args:
        renew: discards credentials that AWS calls expired, so that the next attempt gets new ones; None if it cannot.
    """

    def __init__(
        self, paces: Paces, meter: Meter, patience: RetryLimits, deadline: Deadline, renew: Callable[[], None] | None
    ) -> None:
        self._paces = paces
        self._meter = meter
        self._patience = patience
        self._deadline = deadline
        self._renew = renew

    def send(
        self, call: SourceCall, request: Callable[[], Answer], read: Callable[[Answer], Result], *, urgency: int = 0
    ) -> Result:
        """Return what was read from the answer.

        Args:
            call: what is asked of what.
            request: asks it, once.
            read: takes what is wanted from the answer; an answer that it cannot read is damaged.
            urgency: which of the calls that wait goes first.

        Raises:
            SourceError, SourceMissing: there is no answer, or it says no.
        """
        self._meter.count_call(call.operation)
        for attempt in count(1):
            turn = self._paces.of(call.operation).wait(urgency)
            try:
                return self._attempt(call, request, read)
            except SourceThrottled as error:
                self._paces.of(call.operation).slow_down(turn)
                self._wait_after(error, attempt)
            except SourceUnavailable as error:
                if attempt >= self._patience.attempts:
                    raise
                self._wait_after(error, attempt)
        raise AssertionError  # count() has no end

    def stop(self) -> None:
        """Let no more be sent."""
        self._deadline.cancel()

    def _attempt(self, call: SourceCall, request: Callable[[], Answer], read: Callable[[Answer], Result]) -> Result:
        with told(call):
            try:
                return read(request())
            except ClientError as error:
                if self._renew is None or not is_expired(error):
                    raise
                self._renew()
                return read(request())

    def _wait_after(self, error: SourceUnavailable, attempt: int) -> None:
        wait = random.uniform(0, min(LONGEST_WAIT, self._patience.backoff * 2 ** min(attempt - 1, 10)))  # noqa: S311  no secret
        if not self._deadline.allows(wait):
            raise error
        self._deadline.sleep(wait)
