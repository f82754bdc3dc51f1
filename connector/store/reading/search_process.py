"""Searches that Python decides, in a process of their own that makes way for everything else.

In this process a search would take the interpreter from every page that is answered beside it.
"""

import multiprocessing
import os
import signal
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from connector.errors import StoreError
from connector.store.reading.matches import Matches, Positions, Search
from connector.store.sql.time_limit import TooExpensive

START_SECONDS = 60.0
"""How long the process may take to start, once."""

_EXTRA_SECONDS = 5.0
_NICENESS = 10
_REMEDY = "Ask again; if it happens again, look at the memory that the server may use."


class SearchProcess:
    """Finds what matches in another process, which starts with the first search.

    Args:
        make: makes what searches there; it has to be a function of a module, with arguments that can be pickled.
    """

    def __init__(self, make: Callable[[], Matches]) -> None:
        self._make = make
        self._executor: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def find(self, search: Search, seconds: float) -> Positions:
        """Return the positions of all matches, in the order asked for.

        Args:
            search: what is searched for.
            seconds: how long it may take, once the process is there.

        Raises:
            UnsupportedFilter, TooExpensive, StoreError: as in this process; StoreError also when the other one ended.
        """
        try:
            found = self._started().submit(_find, search, seconds).result(seconds + _EXTRA_SECONDS)
        except BrokenProcessPool:
            self.close()
            raise StoreError("The process that searches ended before it had the answer.", remedy=_REMEDY) from None
        except TimeoutError:
            self.close()
            raise TooExpensive("it takes longer than it may") from None
        if isinstance(found, tuple):
            message, remedy = found
            raise StoreError(message, remedy=remedy)
        return array("q", found)

    def close(self) -> None:
        """End the process; the next search starts another."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._make,)
                )
                self._executor.submit(_is_there).result(START_SECONDS)
            return self._executor


_matches: Matches | None = None


def _begin(make: Callable[[], Matches]) -> None:
    """Make this process one that searches, yields to all others, and ends with its parent."""
    global _matches  # noqa: PLW0603 - what a process of a pool has is its modules
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _matches = make()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


def _is_there() -> bool:
    return _matches is not None


def _find(search: Search, seconds: float) -> bytes | tuple[str, str]:
    assert _matches is not None
    try:
        return array("q", _matches.decide(search, seconds)).tobytes()
    except StoreError as fault:  # its remedy would be lost on the way
        return fault.message, fault.remedy
