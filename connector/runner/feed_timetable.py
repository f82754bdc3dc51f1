"""Looks every second whether the change feed needs a run, and queues it; the executors execute it like any other."""

import logging
import threading
from collections.abc import Callable

from connector.directory.runs import RunKind
from connector.errors import StoreError

LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)

QueueDue = Callable[[], tuple[RunKind, int] | None]
"""Queues what is due; see `connector.store.feed.due_runs`."""


class FeedTimetable:
    """Queues the runs of the change feed.

    Args:
        queue_due: the store's side of it.
    """

    def __init__(self, queue_due: QueueDue) -> None:
        self._queue_due = queue_due
        self._fault = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="feed-timetable", daemon=True)

    def start(self) -> None:
        """Look from now on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """Queue what is due; a store that is away is asked again at the next look, and complained of once."""
        try:
            queued = self._queue_due()
        except StoreError as fault:
            if str(fault) != self._fault:
                _log.warning("the change feed could not be looked after: %s", fault)
            self._fault = str(fault)
            return
        self._fault = ""
        if queued and queued[0] is RunKind.SYNC:
            _log.info("the change feed asks for a full sync, queued as run %s", queued[1])

    def _work(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self.look()
