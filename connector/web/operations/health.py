"""Health, for whoever restarts and routes: alive while it answers, ready while there is a good directory to serve.

Both are open, so they say no more than a stranger may know. Promises P04, P21.
"""

import logging

from flask import Blueprint, Response, jsonify

from connector.directory.runs import RunKind
from connector.errors import StoreError
from connector.store.runs.figures import Figures
from connector.web.services import Measures

TOLERATED_INTERVALS = 2
"""So many intervals of the schedule may pass without a success."""

_log = logging.getLogger(__name__)


def health_blueprint(measures: Measures, *, interval: float | None) -> Blueprint:
    """Return the routes of health.

    Args:
        measures: the figures of the store.
        interval: seconds between two scheduled syncs at most, None without a schedule.
    """
    health = Blueprint("health", __name__)

    @health.get("/livez")
    def livez() -> Response:
        return jsonify(alive=True)

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = find_obstacles(measures, interval)
        return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200

    return health


def find_obstacles(measures: Measures, interval: float | None) -> list[str]:
    """Say what keeps a good directory from being served."""
    try:
        figures = measures.read()
    except StoreError as fault:
        _log.warning("not ready: %s", fault)
        return ["the store does not answer"]
    if figures.generation is None:
        return ["no generation is published", *_failed_so_far(figures)]
    return _overdue(figures, interval)


def _failed_so_far(figures: Figures) -> list[str]:
    ended = [total for total in figures.runs if total.kind is RunKind.SYNC]
    if not ended:
        return []
    last = max(ended, key=lambda total: total.last_ended_at)
    return [f"no sync has succeeded yet; the last one ended as {last.outcome}"]


def _overdue(figures: Figures, interval: float | None) -> list[str]:
    success = figures.last_success(RunKind.SYNC)
    if interval is None or (success is not None and figures.now - success <= TOLERATED_INTERVALS * interval):
        return []
    return ["the last successful sync is older than two intervals of the schedule"]
