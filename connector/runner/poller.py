"""Reads the queue of the change feed beside serving: store what the messages say, then delete them (P40).

A message that nobody understands is counted and deleted like any other, so that none comes again and again. One that
was stored and not deleted comes again, which costs a read. Of many replicas one reads at a time.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from connector.cognito.change_queue import ChangeQueue
from connector.directory.change_events import Reading, Watched, read_message
from connector.errors import ConnectorError, StoreError
from connector.store.feed.marks import Marks
from connector.store.feed.reading_turn import ReadingTurn

REST_SECONDS = 5.0
"""How long a replica waits whose turn it is not."""

FAULT_REST_SECONDS = 60.0
"""How long to rest after a fault."""

STATE_SECONDS = 60.0
"""How often SQS is asked how much waits."""

STOP_SECONDS = 2.0
"""How long a stop waits; a long poll may end later, and what it brings comes again."""

OpenQueue = Callable[[], tuple[ChangeQueue, Watched]]
"""Opens the queue, and says which pool's changes are wanted; asks AWS."""

_log = logging.getLogger(__name__)


class Poller:
    """Reads the queue in a thread of its own.

    Args:
        open_queue: is asked anew after each fault, so that new credentials are found.
        marks: keeps who may have changed.
        turn: of this replica.
    """

    def __init__(self, open_queue: OpenQueue, marks: Marks, turn: ReadingTurn) -> None:
        self._open_queue = open_queue
        self._marks = marks
        self._turn = turn
        self._opened: tuple[ChangeQueue, Watched] | None = None
        self._looked = float("-inf")
        self._fault = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="feed-poller", daemon=True)

    def start(self) -> None:
        """Read from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more, and let another replica read at once."""
        self._stopped.set()
        self._thread.join(STOP_SECONDS)
        with suppress(StoreError):
            self._turn.give_back()

    def look(self) -> float:
        """Read what waits, if it is this replica's turn, and return how many seconds to rest."""
        try:
            if not self._turn.take():
                return REST_SECONDS
            self._read()
        except ConnectorError as fault:
            return self._rest(f"{fault} {fault.remedy}")
        except Exception as fault:  # noqa: BLE001 - whatever it was, the next messages shall be read
            return self._rest(type(fault).__name__)
        self._fault = ""
        return 0.0

    def _rest(self, fault: str) -> float:
        """Log a fault when it begins, not each minute that it lasts, and return how many seconds to rest."""
        if fault != self._fault:
            _log.warning("the change feed cannot be read: %s", fault)
        self._fault, self._opened = fault, None
        return FAULT_REST_SECONDS

    def _read(self) -> None:
        self._opened = self._opened or self._open_queue()
        queue, watched = self._opened
        if time.monotonic() - self._looked >= STATE_SECONDS:
            state = queue.state()
            self._turn.note_reading(queue.url, retention=state.retention, backlog=state.backlog)
            self._looked = time.monotonic()
        received = queue.receive()
        if not received or self._stopped.is_set():
            return
        read = [read_message(message.body, watched) for message in received]
        self._marks.add(message.hint for message in read)
        queue.delete(received)
        counts = Counter(message.reading for message in read)
        _log.debug("%d messages of the change feed: %s", len(read), dict(counts))
        if counts[Reading.NONSENSE]:
            _log.warning(
                "messages of the change feed that nobody understands were deleted: %d", counts[Reading.NONSENSE]
            )

    def _work(self) -> None:
        rest = 0.0
        while not self._stopped.wait(rest):
            rest = self.look()
