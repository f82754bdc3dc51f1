"""`serve` while somebody misuses connections: others are answered for as long as it lasts.

Decided by whether they are answered, with generous time; how long it takes is measured elsewhere.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from connector.store.migrations import open_database
from tests.cli.certificates import make_certificate
from tests.cli.conftest import Run
from tests.cli.test_serve import serving
from tests.store.population import Directory, person, publish_directory

SECONDS = 14
"""Longer than a header may take, so that what is ended is among it."""

PATIENCE_SECONDS = 30
USERS = 3000
REQUEST = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"


class Misuse:
    """Connections to a server that are not used as they should be, until the end of the block."""

    def __init__(self, url: str, context: ssl.SSLContext | None) -> None:
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 0)
        self._context = context
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def connect(self, *, buffer: int = 0) -> socket.socket:
        """Return a connection, with TLS where there is TLS, that takes no more than so many bytes before it is read."""
        plain = socket.socket()
        plain.settimeout(PATIENCE_SECONDS)
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.connect(self._address)
        return self._context.wrap_socket(plain, server_hostname=self._address[0]) if self._context else plain

    def begin(self, text: bytes, *, each_second: float) -> None:
        """Open connections without end, send the beginning of something on each, and no more."""

        def misuse(held: list[socket.socket]) -> None:
            while not self._ended.wait(1 / each_second):
                with suppress(OSError):
                    held.append(self.connect() if text else socket.create_connection(self._address))
                    held[-1].sendall(text)

        self._run(misuse)

    def never_read(self, text: bytes, *, connections: int) -> None:
        """Send on some connections as much as is taken, and read nothing of what is answered."""

        def misuse(held: list[socket.socket]) -> None:
            for _ in range(connections):
                with suppress(OSError):
                    held.append(self.connect(buffer=1024))
                    held[-1].setblocking(False)
            sent = dict.fromkeys(held, 0)
            while not self._ended.wait(0.05):
                for one in held:
                    with suppress(OSError):
                        sent[one] += one.send(text[sent[one] : sent[one] + 65536]) if sent[one] < len(text) else 0

        self._run(misuse)

    def ask(self, path: str, token: str = "") -> int:
        """Ask as one should, and return the status."""
        with closing(http.client.HTTPConnection(*self._address)) as connection:
            connection.sock = self.connect()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def _run(self, misuse: Callable[[list[socket.socket]], None]) -> None:
        def run() -> None:
            held: list[socket.socket] = []
            try:
                misuse(held)
            finally:
                for one in held:
                    one.close()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()


def publish(folder: Path) -> None:
    """Publish so many users that an answer with all of them fits no buffer on its way."""
    people = [person(f"00000000-0000-4000-8000-{n:012}", f"user{n}", title="x" * 500) for n in range(USERS)]
    with closing(open_database(f"sqlite:///{folder / 'cognito-scim.db'}")) as database:
        publish_directory(database, Directory(people, [], {}))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_nobody_who_misuses_connections_keeps_others_out(folder: Path, run: Run, tls: bool) -> None:  # noqa: FBT001
    """P31: silent connections, half headers, and readers that do not read, with and without a credential."""
    greedy, other = (json.loads(run("client", "create", name, "--json").out)["token"] for name in ("greedy", "other"))
    publish(folder)
    chain, key = make_certificate(folder)
    files = (
        {"COGNITO_SCIM_SERVER__TLS_CERTIFICATE": str(chain), "COGNITO_SCIM_SERVER__TLS_KEY": str(key)} if tls else {}
    )
    context = ssl.create_default_context(cafile=str(chain)) if tls else None
    large = f"GET /scim/v2/Users?count={USERS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {greedy}\r\n\r\n".encode()
    with serving(**files) as (_, url), Misuse(url, context) as misuse:
        misuse.begin(b"", each_second=8)
        misuse.begin(REQUEST[:-2] + b"X: ", each_second=2)
        misuse.never_read(REQUEST * 10_000, connections=17)
        misuse.never_read(large, connections=17)
        statuses = set()
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            statuses |= {misuse.ask("/livez"), misuse.ask("/scim/v2/Users?count=2", other)}
            time.sleep(0.3)

    assert statuses == {200}
