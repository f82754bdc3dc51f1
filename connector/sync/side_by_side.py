"""Walks side by side: each asks for its pages on a thread of its own, one thread takes what they bring.

A bounded queue lies between, so that memory does not grow when pages come faster than they are written. Whatever the
order in which walks get on, only one thread ever changes anything.
"""

from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, Queue, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from connector.errors import RunCancelled

WALKERS = 12
"""Enough for 30 answers a second that take 150 ms, a retry here and there, and one at the door of each pace."""

WAITING = 16
"""At most this many pages wait to be taken."""

LONGEST_SILENCE_SECONDS = 1.0
"""After this long without a page, the caller is asked whether to end the walk."""

Page = TypeVar("Page")


def _fail(fault: Exception) -> NoReturn:
    raise fault


class SideBySide:
    """Use as a context manager; no thread outlives it, unless the process or the run is being ended.

    Args:
        stop: lets every walk end at its next call.
        waiting: is called while no walk brings anything, on the thread of `finish`; what it raises ends all walks.
    """

    def __init__(self, stop: Callable[[], None], waiting: Callable[[], None] = lambda: None) -> None:
        self._stop = stop
        self._waiting = waiting
        self._walkers: list[Thread] = []
        self._asked: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._brought: Queue[tuple[Callable[[], None], bool]] = Queue(WAITING)
        self._open = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if self._open:
            self._stop()
        for _ in self._walkers:
            self._asked.put(None)
        if isinstance(fault, RunCancelled) or not isinstance(fault, Exception | None):
            return  # a call may be on its way for half a minute, and whoever ends the process does not wait so long
        while self._open:
            _, ended = self._brought.get()
            self._open -= ended
        for walker in self._walkers:
            walker.join()

    def start(
        self,
        pages: Iterator[Page],
        take: Callable[[Page], None],
        *,
        failed: Callable[[Exception], None] = _fail,
    ) -> None:
        """Begin a walk as soon as a thread is free.

        Args:
            pages: asked for one by one, on that thread.
            take: is given each page, on the thread of `finish`; it may begin walks.
            failed: is given the fault with which the walk ended, if it did; on the thread of `finish`.
        """
        self._open += 1
        self._asked.put(partial(self._walk, pages, take, failed))
        if len(self._walkers) < min(self._open, WALKERS):
            self._walkers.append(Thread(target=self._work, name=f"walk-{len(self._walkers)}", daemon=True))
            self._walkers[-1].start()

    def finish(self) -> None:
        """Take what the walks bring, until all have ended.

        Raises:
            Exception: what a walk ended with, or taking a page did; the first such fault ends all walks.
        """
        while self._open:
            try:
                take, ended = self._brought.get(timeout=LONGEST_SILENCE_SECONDS)
            except Empty:
                self._waiting()
                continue
            self._open -= ended
            take()

    def _work(self) -> None:
        for walk in iter(self._asked.get, None):
            walk()

    def _walk(self, pages: Iterator[Page], take: Callable[[Page], None], failed: Callable[[Exception], None]) -> None:
        end: Callable[[], None] = _nothing
        try:
            for page in pages:
                self._brought.put((partial(take, page), False))
        except Exception as fault:  # noqa: BLE001  every fault belongs to whoever takes the pages
            end = partial(failed, fault)
        self._brought.put((end, True))


def _nothing() -> None:
    """Take nothing: the walk came to its end."""
