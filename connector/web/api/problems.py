"""Errors of the API: problem documents with fixed words, and none of them a traceback (RFC 9457)."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, g
from scim2_models import SCIMException
from werkzeug.exceptions import HTTPException

from connector.errors import StoreError
from connector.web.access.authentication import CHALLENGES
from connector.web.access.limits import TooManyRequests

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = "30"

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that is refused.

    Args:
        status: of the answer.
        detail: what is wrong, and what to do.
        headers: more headers of the answer.
        more: members beside those of every problem, such as the `field` that is wrong.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] = _NO_HEADERS, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.more = more


def register_problem_handlers(blueprint: Blueprint) -> None:
    """Answer every exception of a blueprint's routes with a problem document."""
    blueprint.register_error_handler(Problem, _answer_problem)
    blueprint.register_error_handler(TooManyRequests, _answer_too_many)
    blueprint.register_error_handler(SCIMException, _answer_refused)
    blueprint.register_error_handler(StoreError, _answer_store_error)
    blueprint.register_error_handler(HTTPException, _answer_http_error)
    blueprint.register_error_handler(Exception, _answer_unforeseen)


def _answer(status: int, detail: str, headers: Mapping[str, str] = _NO_HEADERS, **more: Any) -> Response:
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    response = Response(json.dumps(document | {"request": g.request_id}), status, headers, content_type=PROBLEM_JSON)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers.extend({"WWW-Authenticate": CHALLENGES})
    return response


def _answer_problem(fault: Problem) -> Response:
    return _answer(fault.status, fault.detail, fault.headers, **fault.more)


def _answer_too_many(fault: TooManyRequests) -> Response:
    return _answer(fault.status, str(fault.detail), fault.headers())


def _answer_refused(fault: SCIMException) -> Response:
    """Answer what authentication refuses, which speaks SCIM to everybody."""
    return _answer(fault.status, str(fault.detail))


def _answer_store_error(fault: StoreError) -> Response:
    _log.error("the store could not answer request %s: %s", g.request_id, fault)
    return _answer(503, "The store cannot be read at the moment.", {"Retry-After": RETRY_AFTER_SECONDS})


def _answer_http_error(fault: HTTPException) -> Response:
    status = fault.code or 500
    return _answer(status, f"{fault.name}.")


def _answer_unforeseen(fault: Exception) -> Response:
    _log.error("request %s failed", g.request_id, exc_info=fault)
    return _answer(500, f"The request failed. The log has more under request id {g.request_id}.")
