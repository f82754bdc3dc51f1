"""Health, for whoever restarts and routes: alive while it answers, ready while it can do its work.

Both are open, so they say no more than a stranger may know, and the store is asked at most once in a second. Promises
P04, P21.
"""

import logging
import math
import threading
from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from connector.directory.runs import RunKind
from connector.errors import StoreError
from connector.store.runs.figures import Figures, Measures

TOLERATED_INTERVALS = 2
"""At most this many intervals of the schedule may pass without a success."""

GOOD_FOR_SECONDS = 1.0

_log = logging.getLogger(__name__)


def health_blueprint(measures: Measures, *, interval: float | None, clock: Callable[[], float]) -> Blueprint:
    """Return the routes of health.

    Args:
        measures: the figures of the store.
        interval: seconds between two scheduled syncs at most, None without a schedule.
        clock: seconds of any origin, never going back.
    """
    health = Blueprint("health", __name__)
    obstacles = _Remembered(lambda: find_obstacles(measures, interval), clock)

    @health.get("/livez")
    def livez() -> Response:
        return jsonify(alive=True)

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = obstacles.read()
        return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200

    return health


class _Remembered:
    """An answer that is good for a second, found by one thread while others wait for it."""

    def __init__(self, find: Callable[[], list[str]], clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self._found: list[str] = []
        self._until = -math.inf

    def read(self) -> list[str]:
        with self._lock:
            if self._clock() >= self._until:
                self._found = self._find()
                self._until = self._clock() + GOOD_FOR_SECONDS
            return self._found


def find_obstacles(measures: Measures, interval: float | None) -> list[str]:
    """Say what keeps a good directory from being served."""
    try:
        figures = measures.read()
    except StoreError as fault:
        _log.warning("not ready: %s", fault)
        return ["the store does not answer"]
    published = _overdue(figures, interval) if figures.generation else _failed_so_far(figures)
    return [*_unwritable(measures), *published]


def _unwritable(measures: Measures) -> list[str]:
    """Ask whether walks, tokens and runs can be recorded."""
    try:
        measures.prove_writable()
    except StoreError as fault:
        _log.warning("not ready: %s", fault)
        return ["the store takes no changes"]
    return []


def _failed_so_far(figures: Figures) -> list[str]:
    none = "no generation is published"
    ended = [total for total in figures.runs if total.kind is RunKind.SYNC]
    if not ended:
        return [none]
    last = max(ended, key=lambda total: total.last_ended_at)
    return [none, f"no sync has succeeded yet; the last one ended as {last.outcome}"]


def _overdue(figures: Figures, interval: float | None) -> list[str]:
    success = figures.last_success(RunKind.SYNC)
    if interval is None or (success is not None and figures.now - success <= TOLERATED_INTERVALS * interval):
        return []
    return ["the last successful sync is older than two intervals of the schedule"]
