"""Health, for whoever restarts and routes: alive while it answers, ready while there is a directory to serve (P04)."""

import logging

from flask import Blueprint, Response, jsonify

from connector.errors import StoreError
from connector.web.services import DirectoryReader

_log = logging.getLogger(__name__)


def health_blueprint(reader: DirectoryReader) -> Blueprint:
    """Return the routes of health; they tell no more than a stranger may know."""
    health = Blueprint("health", __name__)

    @health.get("/livez")
    def livez() -> Response:
        return jsonify(status="alive")

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = find_obstacles(reader)
        if reasons:
            return jsonify(status="not ready", reasons=reasons), 503
        return jsonify(status="ready"), 200

    return health


def find_obstacles(reader: DirectoryReader) -> list[str]:
    """Say what keeps the directory from being served."""
    try:
        published = reader.newest()
    except StoreError as fault:
        _log.warning("not ready: %s", fault)
        return ["the store does not answer"]
    return [] if published else ["no generation is published"]
