"""Hold a request to end back while something is at hand that should not be left half done (P26).

A process may still be killed outright; what it does must survive that by itself. This only spares it the need.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_REQUESTS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let SIGTERM and SIGINT have their effect only at the end of the block.

    Signals reach the main thread alone, so in any other there is nothing to hold back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hold_back(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    usual = {number: signal.signal(number, hold_back) for number in _REQUESTS}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
