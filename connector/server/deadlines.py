"""A worker of gunicorn in which a request has to arrive in time: a silent client costs a thread for seconds only.

gunicorn's own thread worker waits for the rest of a request for as long as the client likes.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

ARRIVAL_SECONDS = 10.0
"""So long a request may take to arrive, in all: handshake, header and body."""

GRACE_SECONDS = 1.0
"""What it gets at least once a thread is there for it, however long it waited: a handshake cannot begin earlier."""


class Connection(Protocol):
    """What is known here of a connection of gunicorn."""

    sock: socket.socket


class Deadlines:
    """Until when the request that each connection is sending has to be there.

    Args:
        clock: gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queued: dict[Connection, float] = {}
        self._pending: dict[Connection, float] = {}
        self._ended: set[Connection] = set()
        # Without it a connection could be ended just after its request arrived, and the next one be lost.
        self._lock = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Start the time of a request, which waits for a thread."""
        with self._lock:
            self._queued[connection] = self._clock() + ARRIVAL_SECONDS

    def watch(self, connection: Connection) -> None:
        """Wait for a request, for which a thread is there now."""
        with self._lock:
            self._pending[connection] = max(self._queued.pop(connection), self._clock() + GRACE_SECONDS)

    def resume(self, connection: Connection, deadline: float) -> None:
        """Wait for more of a request, until its deadline."""
        with self._lock:
            self._pending[connection] = deadline

    def lift(self, connection: Connection) -> float:
        """Stop watching a connection, for nothing is waited for, and return its deadline; it may be over."""
        with self._lock:
            return self._pending.pop(connection, self._clock())

    def enforce(self) -> None:
        """End what is waited for in vain: who reads from the connection finds its end, whatever comes later."""
        with self._lock:
            now = self._clock()
            for connection in [late for late, deadline in self._pending.items() if deadline <= now]:
                del self._pending[connection]
                self._ended.add(connection)
                _end_reading(connection.sock)

    def forget(self, connection: Connection) -> bool:
        """Tell whether a connection was ended, once: what still comes on it is the rest of what came too late."""
        with self._lock:
            ended = connection in self._ended
            self._ended.discard(connection)
            return ended


def _end_reading(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client has gone by itself
        # The method of the plain socket, because that of TLS would take the encryption from a thread that uses it.
        socket.socket.shutdown(sock, socket.SHUT_RD)


class _PunctualReader:
    """Reads a body under the deadline of its request; between reads the application may take its time."""

    def __init__(self, reader: Any, connection: Connection, deadlines: Deadlines, deadline: float) -> None:
        self._reader = reader
        self._connection = connection
        self._deadlines = deadlines
        self._deadline = deadline
        self._is_answered = False

    def release(self) -> None:
        """Watch no longer: gunicorn reads what is left of an answered request when the next one is awaited."""
        self._is_answered = True

    def read(self, size: int) -> bytes:
        """Return the next part of the body, at most so many bytes."""
        if self._is_answered:
            return bytes(self._reader.read(size))
        self._deadlines.resume(self._connection, self._deadline)
        try:
            return bytes(self._reader.read(size))
        finally:
            self._deadlines.lift(self._connection)


class PunctualWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Thread worker whose requests arrive in time or not at all; answers and idle connections are as they were."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._deadlines = Deadlines()

    def enqueue_req(self, conn: Any) -> None:
        """Queue a connection for a thread; the time in the queue counts, so that silent ones do not add up."""
        self._deadlines.begin(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve a connection in a thread, from its first byte to its answer."""
        self._deadlines.watch(conn)
        try:
            goes_on = super().handle(conn)
        finally:
            self._deadlines.lift(conn)
            ended = self._deadlines.forget(conn)
        return False if ended else goes_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose header is there."""
        deadline = self._deadlines.lift(conn)
        reader = req.body.reader = _PunctualReader(req.body.reader, conn, self._deadlines, deadline)
        try:
            return super().handle_request(req, conn)
        finally:
            reader.release()

    def notify(self) -> None:
        """Say that the worker lives, which gunicorn asks for every second; so are deadlines enforced."""
        super().notify()
        self._deadlines.enforce()
