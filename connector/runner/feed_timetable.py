"""Looks every second whether the change feed needs a run, and queues it; the executors execute it like any other."""

import logging
from collections.abc import Callable

from connector.directory.runs import RunKind
from connector.errors import StoreError
from connector.runner.timetable import every, make_scheduler

LOOK_SECONDS = 1
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
        self._scheduler = make_scheduler()

    def start(self) -> None:
        """Look from now on."""
        self._scheduler.add_job(self.look, every(LOOK_SECONDS))
        self._scheduler.start()

    def stop(self) -> None:
        """Look no more; a look that is under way comes to its end."""
        self._scheduler.shutdown(wait=True)

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
