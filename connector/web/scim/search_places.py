"""How many searches of one client are under way, so that its questions keep nobody else waiting."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from connector.web.access.limits import TooManyRequests

AT_ONCE = 2
PATIENCE_SECONDS = 0.5
"""How long another one waits: for lookups by index, which take milliseconds, that is long."""


class SearchPlaces:
    """Gives each client a few places to search in.

    Args:
        at_once: how many searches of one client are under way at once.
        patience: seconds that another one waits.
    """

    def __init__(self, *, at_once: int = AT_ONCE, patience: float = PATIENCE_SECONDS) -> None:
        self._at_once = at_once
        self._patience = patience
        self._taken: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def place(self, client: int) -> Iterator[None]:
        """Wait for a place, and have it for the length of a block.

        Raises:
            TooManyRequests: none came free in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._taken[client] < self._at_once, self._patience):
                raise TooManyRequests(f"This client has {self._at_once} searches under way.", wait=1)
            self._taken[client] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= Counter({client: 1})
                self._changed.notify_all()
