"""How long requests take, by what a server knows of itself: route template, method, status and name of the client.

Nothing that a request says becomes a label, so there is an end to their number. It runs on every request and costs some
microseconds of it.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, Response, g, request

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; one more bucket holds whatever takes longer."""

MOST_CLIENTS = 100
"""At most this many clients are counted each on its own; later ones are counted together."""

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class RequestLabels:
    """By what requests are counted; `client` is empty if the caller was not let in."""

    route: str
    method: str
    status: str
    client: str


@dataclass(frozen=True, slots=True)
class Observed:
    """Requests of one kind: how many in each bucket, and how many seconds in all."""

    asked: RequestLabels
    buckets: tuple[int, ...]
    seconds: float


class Latencies:
    """The requests that this process answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observed: dict[tuple[str, str, str, str], tuple[list[int], list[float]]] = {}
        self._clients: set[str] = set()

    def observe(self, route: str, method: str, status: str, client: str, *, seconds: float) -> None:
        """Count a request."""
        with self._lock:
            named = client if client in self._clients else self._admit(client)
            key = (route, method if method in _METHODS else OTHER, status, named)
            known = self._observed.get(key)
            if known is None:
                known = self._observed[key] = ([0] * (len(BUCKETS) + 1), [0.0])
            buckets, total = known
            buckets[bisect_left(BUCKETS, seconds)] += 1
            total[0] += seconds

    def read(self) -> Iterator[Observed]:
        """Return what was counted so far."""
        with self._lock:
            copied = [(key, tuple(buckets), total[0]) for key, (buckets, total) in self._observed.items()]
        return (Observed(RequestLabels(*key), buckets, total) for key, buckets, total in sorted(copied))

    def _admit(self, client: str) -> str:
        if len(self._clients) >= MOST_CLIENTS:
            return OTHER
        self._clients.add(client)
        return client


def measure_requests(app: Flask, latencies: Latencies) -> None:
    """Count every request of an application, when its answer is complete."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else ""
        client = g.client.name if "client" in g else ""
        seconds = time.perf_counter() - g.began
        latencies.observe(route, request.method, str(response.status_code), client, seconds=seconds)
        return response
