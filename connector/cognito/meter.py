"""Count what a run asks of AWS, and how often it was told to slow down."""

import threading
from collections import Counter
from typing import Any

from botocore.client import BaseClient

from connector.cognito.errors import is_throttled


class Meter:
    """API calls by operation, and answers that told us to slow down.

    A call that was tried three times is one call; each of its attempts may have been throttled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._throttled = 0

    @property
    def calls(self) -> dict[str, int]:
        """Calls so far by operation, for example `{"ListUsers": 3}`."""
        with self._lock:
            return dict(self._calls)

    @property
    def throttled(self) -> int:
        """Answers so far that were refused for their rate."""
        with self._lock:
            return self._throttled

    def count_call(self, operation: str) -> None:
        """Count a call, once, however often it is tried."""
        with self._lock:
            self._calls[operation] += 1

    def watch_calls(self, client: BaseClient) -> None:
        """Count what a client sends from now on, for one that tries again by itself."""
        client.meta.events.register("before-call", lambda model, **_: self.count_call(model.name))

    def watch_answers(self, client: BaseClient) -> None:
        """Count what a client is refused for its rate from now on."""
        client.meta.events.register("response-received", self._count_answer)

    def _count_answer(self, parsed_response: dict[str, Any] | None, **_: Any) -> None:
        if is_throttled(parsed_response or {}):
            with self._lock:
                self._throttled += 1
