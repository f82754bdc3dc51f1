"""Count what a run asks of AWS, where botocore sees it: nothing that is sent escapes the count."""

import threading
from collections import Counter
from typing import Any

from botocore.client import BaseClient

from connector.cognito.faults import is_throttled


class Meter:
    """API calls by operation, and answers that told us to slow down.

    A call that botocore tried three times is one call; each of its attempts may have been throttled.
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

    def watch(self, client: BaseClient) -> None:
        """Count what a client sends from now on."""
        client.meta.events.register("before-call", self._count_call)
        client.meta.events.register("response-received", self._count_answer)

    def _count_call(self, model: Any, **_: Any) -> None:
        with self._lock:
            self._calls[model.name] += 1

    def _count_answer(self, parsed_response: dict[str, Any] | None, **_: Any) -> None:
        if is_throttled(parsed_response or {}):
            with self._lock:
                self._throttled += 1
