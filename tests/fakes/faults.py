"""What can go wrong at the k-th call, in the shapes in which AWS, or the network before it, shows it."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from tests.fakes.refusals import XML, Refusal
from tests.fakes.wire import Answer


class Mishap(Protocol):
    """Something that can happen to an answer: a `Fault`, or a `Refusal` of one's own."""

    def spoil(self, good: Callable[[], Answer], say_no: Callable[[Refusal], Answer]) -> Answer:
        """Return the faulty answer; `good` makes the right one, `say_no` writes an error in the service's protocol."""


@dataclass(frozen=True, slots=True)
class RefusedAfter:
    """The call had its effect, and is refused all the same, as by a trigger that fails behind it.

    Args:
        refusal: how.
    """

    refusal: Refusal

    def spoil(self, good: Callable[[], Answer], say_no: Callable[[Refusal], Answer]) -> Answer:
        """Return the refusal once the call has had its effect."""
        good()
        return say_no(self.refusal)


class Fault(Enum):
    """Each value makes the answer that the client sees out of the one it should have got."""

    THROTTLE = "throttle"
    ERROR_500 = "error-500"
    ERROR_503 = "error-503"
    FAILED_AFTER = "failed-after"
    """The call had its effect; the answer is HTTP 500 all the same."""
    UNHEARD = "unheard"
    """The connection breaks before the call has any effect."""
    RESET = "reset"
    """The call had its effect; the connection breaks before the answer."""
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    CUT_JSON = "cut-json"
    EMPTY_BODY = "empty-body"
    EMPTY_OBJECT = "empty-object"
    WRONG_JSON = "wrong-json"
    HTML = "html"
    EXPIRED_TOKEN = "expired-token"
    ACCESS_DENIED = "access-denied"
    DENIED_AS_XML = "denied-as-xml"
    WRONG_KEYS = "wrong-keys"
    POOL_MISSING = "pool-missing"
    INVALID_PARAMETER = "invalid-parameter"

    def spoil(self, good: Callable[[], Answer], say_no: Callable[[Refusal], Answer]) -> Answer:
        """Return the faulty answer; `good` makes the right one, `say_no` writes an error in the service's protocol."""
        if self in _REFUSALS or self in _BODIES:
            return say_no(_REFUSALS[self]) if self in _REFUSALS else _BODIES[self]
        answer = good()
        match self:
            case Fault.FAILED_AFTER:
                return say_no(_REFUSALS[Fault.ERROR_500])
            case Fault.RESET:
                return replace(answer, reset=True)
            case Fault.TIMEOUT:
                return replace(answer, silent=True)
        return (
            answer.shortened()
            if self is Fault.TRUNCATED
            else replace(answer, body=answer.body[: len(answer.body) // 2])
        )


_REFUSALS = {
    Fault.THROTTLE: Refusal("TooManyRequestsException", "Rate exceeded", query_code="Throttling"),
    Fault.ERROR_500: Refusal("InternalErrorException", "Something went wrong", 500),
    Fault.EXPIRED_TOKEN: Refusal("ExpiredTokenException", "The token is expired", query_code="ExpiredToken"),
    Fault.ACCESS_DENIED: Refusal("AccessDeniedException", "Not for you", query_code="AccessDenied"),
    Fault.WRONG_KEYS: Refusal("UnrecognizedClientException", "Who is it?", query_code="InvalidClientTokenId"),
    Fault.POOL_MISSING: Refusal("ResourceNotFoundException", "User pool does not exist."),
    Fault.INVALID_PARAMETER: Refusal("InvalidParameterException", "Invalid", query_code="ValidationError"),
}

_BODIES = {
    Fault.ERROR_503: Answer(503, b"<html><body>Service Unavailable</body></html>", "text/html"),
    Fault.UNHEARD: Answer(200, b"", reset=True),
    Fault.EMPTY_BODY: Answer(200, b""),
    Fault.EMPTY_OBJECT: Answer(200, b"{}"),
    Fault.WRONG_JSON: Answer(200, b'["not", "an", "object"]'),
    Fault.HTML: Answer(200, b"<html><body>Sign in to the guest network</body></html>", "text/html"),
    Fault.DENIED_AS_XML: Answer(403, b"<Response><Error><Code>AccessDenied</Code></Error></Response>", XML),
}

ANY = "*"
"""In a script, stands for the Cognito operations taken together."""


@dataclass
class Script:
    """What is to happen at which call; calls are counted from 1, by operation and all together, retries included."""

    calls: Counter[str] = field(default_factory=Counter)
    denied: set[str] = field(default_factory=set)
    throttle_share: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  for faults, not for secrets
    _faults: dict[tuple[str, int], Mishap] = field(default_factory=dict)
    _lasting: dict[str, tuple[int, Mishap]] = field(default_factory=dict)
    _hooks: dict[tuple[str, int], Callable[[], object]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, operation: str, *, call: int, fault: Mishap, times: int | None = 1) -> None:
        """Let calls of an operation, from the k-th on, meet a fault, a number of times or for ever."""
        if times is None:
            self._lasting[operation] = call, fault
            return
        for number in range(call, call + times):
            self._faults[operation, number] = fault

    def forget_faults(self) -> None:
        """Let every call from now on go well."""
        self._faults.clear()
        self._lasting.clear()

    def forget_hooks(self) -> None:
        """Let nothing more happen before a call."""
        self._hooks.clear()

    def before(self, operation: str, *, call: int, do: Callable[[], object]) -> None:
        """Do something just before the k-th call of an operation is answered."""
        self._hooks[operation, call] = do

    def next_fault(self, operation: str, *, counts_as_any: bool) -> Mishap | None:
        """Count a call, run what is to run before it, and return the fault that it meets."""
        with self._lock:
            keys = [self._count(operation)] + ([self._count(ANY)] if counts_as_any else [])
            throttled = counts_as_any and self.dice.random() < self.throttle_share
        for key in keys:
            if key in self._hooks:
                self._hooks[key]()
        planned = next((self._faults[key] for key in keys if key in self._faults), None) or self._last(keys)
        return planned or (Fault.THROTTLE if throttled else None)

    def _last(self, keys: list[tuple[str, int]]) -> Mishap | None:
        lasting = ((number, self._lasting[operation]) for operation, number in keys if operation in self._lasting)
        return next((fault for number, (first, fault) in lasting if number >= first), None)

    def _count(self, operation: str) -> tuple[str, int]:
        self.calls[operation] += 1
        return operation, self.calls[operation]
