"""One keep-alive HTTP client on the loopback address, as thin as it can be, and the clock around it."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sample:
    """Every measured value of one quantity, in seconds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and when its first and last byte were there, in seconds from the request."""

    body: bytes
    first: float
    whole: float


class Client:
    """A connection that is kept.

    Args:
        url: the base URL.
        token: the bearer token; empty = none is sent.
    """

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._headers = f"Host: {parts.netloc}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", buffering=1 << 16)

    def get(self, target: str) -> Answer:
        """Read one resource or page.

        Raises:
            SystemExit: it is not answered with 200.
        """
        started = time.perf_counter()
        self._socket.sendall(f"GET {self._path}{target} HTTP/1.1\r\n{self._headers}\r\n".encode())
        status = self._file.readline()
        first = time.perf_counter() - started
        length = self._read_length()
        body = self._file.read(length) if length is not None else b"".join(self._chunks())
        if status.split()[1:2] != [b"200"]:
            raise SystemExit(f"{target}: {status!r} {body[:300]!r}")
        return Answer(body, first, time.perf_counter() - started)

    def _read_length(self) -> int | None:
        length = None
        while (line := self._file.readline()) != b"\r\n":
            if not line:
                raise SystemExit("the server hung up")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return length

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._file.readline(), 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()


def sample(name: str, client: Client, targets: Iterable[str], times: int, *, within: float = 20.0) -> Sample:
    """Time requests one after the other, going through the targets again and again; the first two do not count.

    Args:
        name: what is measured.
        client: who asks.
        targets: what is asked for.
        times: how often, at most.
        within: seconds after which no further request is sent.
    """
    until = time.perf_counter() + within
    taken = []
    for target in islice(cycle(targets), times + 2):
        taken.append(client.get(target).whole)
        if time.perf_counter() > until and len(taken) > 2:
            break
    return Sample(name, tuple(taken[2:]))


def rate(connect: Callable[[], Client], target: str, *, clients: int, within: float) -> float:
    """Return how many requests a second are answered to some clients at once; the last ones are waited for."""
    done = [0] * clients
    took = [0.0] * clients
    ready = threading.Barrier(clients, timeout=120)

    def ask(number: int) -> None:
        client = connect()
        client.get(target)
        ready.wait()
        started = time.perf_counter()
        while took[number] < within:
            client.get(target)
            done[number] += 1
            took[number] = time.perf_counter() - started

    with ThreadPoolExecutor(clients) as pool:
        for asked in [pool.submit(ask, number) for number in range(clients)]:
            asked.result()
    return sum(done) / max(took)
