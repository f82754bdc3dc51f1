"""A small HTTP/1.1 server with keep-alive that answers as it is told, broken answers included."""

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

JSON = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out.

    Args:
        cut: bytes at the end that are announced but never sent.
        reset: the connection breaks instead.
        silent: nothing is sent until the server closes.
    """

    status: int
    body: bytes
    content_type: str = JSON
    error_type: str = ""
    cut: int = 0
    reset: bool = False
    silent: bool = False

    def shortened(self) -> "Answer":
        """Return this answer with its second half lost on the way."""
        return replace(self, cut=len(self.body) // 2)


class WireServer(ThreadingHTTPServer):
    """Serves `answer` on a free port of the loopback address until it is closed."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.date_offset = timedelta(0)
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for connection in tuple(self._connections):
            _hang_up(connection)
        self.server_close()

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection, then handle it on a thread of its own."""
        assert isinstance(request, socket.socket)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Forget the connection and close it."""
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the tests."""

    def date(self) -> str:
        """Return the time of the Date header."""
        return format_datetime(datetime.now(UTC) + self.date_offset, usegmt=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: WireServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answer(Request(self.command, self.path, self.headers, body))
        if answer.silent:
            self.server.closing.wait()
        if answer.silent or answer.reset:
            self._break()
            return
        self.wfile.write(self._head(answer) + answer.body[: len(answer.body) - answer.cut])
        self.close_connection = self.close_connection or bool(answer.cut)

    def log_message(self, *_: object) -> None:
        """Keep the test's output its own."""

    def _head(self, answer: Answer) -> bytes:
        lines = [
            f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Error'}",
            f"Date: {self.server.date()}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            "x-amzn-RequestId: 6b1e4f0a-0000-4000-8000-000000000000",
        ]
        if answer.error_type:
            lines.append(f"x-amzn-ErrorType: {answer.error_type}:")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _break(self) -> None:
        # Lingering for zero seconds makes the kernel send RST instead of an orderly FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
