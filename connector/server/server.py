"""The production server inside `serve`: granian, which receives and sends outside the interpreter, in this process.

One process, because more are had by replicas. docs/explanation/server.md says why this server, and what it withstands.
"""

import asyncio
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from connector.server.address import BACKLOG, Exposure
from connector.server.front import ARRIVAL_SECONDS, WRITING_SECONDS, Front

GRACE_SECONDS = 10
MOST_CONNECTIONS = 8192
_OTHER_FILES = 256
_HEADER_BYTES = 64 * 1024
_LOGGING = {
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
"""What granian has to tell goes to the logs of the command, which redact and escape it."""
_log = logging.getLogger(__name__)

Beside = Callable[[Callable[[], bool]], Callable[[], None]]
"""Starts what is done beside serving, given what tells whether the server goes on; returns what ends it."""


def serve(
    load: Callable[[], WSGIApplication],
    beside: Beside,
    listener: socket.socket,
    exposure: Exposure,
    ready: Callable[[], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way get ten seconds to end.

    Args:
        load: makes the application.
        beside: starts what is done beside serving, once the application is there.
        listener: the bound socket, which is handed over for good.
        exposure: threads and certificate.
        ready: called once connections are taken.

    Raises:
        ConnectorError: the application did not start.
    """
    asyncio.run(_serve(load, beside, listener, exposure, ready))


async def _serve(
    load: Callable[[], WSGIApplication],
    beside: Beside,
    listener: socket.socket,
    exposure: Exposure,
    ready: Callable[[], None],
) -> None:
    front = Front(load(), threads=exposure.threads, base=urlsplit(exposure.public_base_url).path)
    server = _Granian(front, listener, exposure)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    end_beside = beside(lambda: not ended.is_set())
    try:
        serving = asyncio.create_task(server.serve())
        ready()
        await asyncio.wait({serving, asyncio.create_task(ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
        server.stop()  # type: ignore[no-untyped-call]
        done, _ = await asyncio.wait({serving}, timeout=GRACE_SECONDS)
        for task in done:
            task.result()
    finally:
        ended.set()
        front.close()
        await asyncio.to_thread(end_beside)


class _Granian(Server):
    def __init__(self, front: Front, listener: socket.socket, exposure: Exposure) -> None:
        self._listener = listener
        super().__init__(
            front,
            interface=Interfaces.ASGINL,
            # Which HTTP it is, granian would find out without a time limit.
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            # Above it nobody is let in; the rest of the files are the store's.
            backpressure=_room_for_connections(),
            http1_settings=HTTP1Settings(
                header_read_timeout=int(ARRIVAL_SECONDS * 1000), max_buffer_size=_HEADER_BYTES
            ),
            log_level=LogLevels.error,
            log_dictconfig=_LOGGING,
            ssl_cert=Path(exposure.tls_certificate) if exposure.tls_certificate else None,
            ssl_key=Path(exposure.tls_key) if exposure.tls_certificate else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )

    def _init_shared_socket(self) -> None:
        """Serve on the socket that is bound already, where granian would bind one of its own.

        Connections inherit its options: the kernel ends those whose client takes nothing for so long (tcp(7)).
        """
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(WRITING_SECONDS * 1000))
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        backlog = (BACKLOG,) if sys.platform.startswith(("linux", "freebsd")) else ()
        is_unix = False
        self._shd = SocketHolder(self._listener.detach(), is_unix, *backlog)  # type: ignore[call-arg,assignment]


def _room_for_connections() -> int:
    """Let this process open as many files as it may, and return how many of them connections may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, soft - _OTHER_FILES))
