"""Every fault becomes a SCIM error, and none of them a traceback (RFC 7644, section 3.12)."""

import logging
from http import HTTPStatus

from flask import Flask, Response, g, request
from scim2_models import SCIMException
from werkzeug.exceptions import HTTPException

from connector.errors import StoreError
from connector.scim.errors import error_body
from connector.store.reading.sql_filters import UnsupportedFilter
from connector.store.sql.time_limit import TooExpensive
from connector.web.access.authentication import CHALLENGES
from connector.web.access.limits import TooManyRequests
from connector.web.http.paths import allowed_methods
from connector.web.scim.responses import scim_response

RETRY_AFTER_SECONDS = "30"

_HEADERS = {
    503: {"Retry-After": RETRY_AFTER_SECONDS},
}
_CHEAPER = (
    "Add a condition on an indexed attribute (userName, externalId, emails.value, groups.value, meta.lastModified)."
)
_log = logging.getLogger(__name__)


class NothingPublished(SCIMException):
    """There is no generation yet, which must never look like an empty directory (P04)."""

    status = 503
    _default_detail = "No directory is published yet. It is there after the first full sync."


class ReadOnly(SCIMException):
    """The endpoint is only read; importers are known to take 501 for success, so writes get 405."""

    status = 405
    _default_detail = (
        "This endpoint is read-only: it answers GET, HEAD and OPTIONS, and POST where /.search ends the address."
    )


class NoAlias(SCIMException):
    """A caller is no user of the directory (RFC 7644, section 3.11)."""

    status = 501
    _default_detail = "/Me is not supported: callers are importers, not users of the directory."


def register_error_handlers(app: Flask) -> None:
    """Turn every exception into a SCIM error response."""
    app.register_error_handler(SCIMException, _answer_scim_error)
    app.register_error_handler(TooManyRequests, _answer_too_many)
    app.register_error_handler(UnsupportedFilter, _answer_unsupported_filter)
    app.register_error_handler(TooExpensive, _answer_too_expensive)
    app.register_error_handler(StoreError, _answer_store_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_unforeseen)


def _answer(status: int, detail: str, scim_type: str = "") -> Response:
    response = scim_response(error_body(status, detail, scim_type), status, _HEADERS.get(status))
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers.extend({"WWW-Authenticate": CHALLENGES})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = allowed_methods(request.path)
    return response


def _answer_scim_error(fault: SCIMException) -> Response:
    return _answer(fault.status, fault.detail, fault.scim_type)


def _answer_too_many(fault: TooManyRequests) -> Response:
    response = _answer_scim_error(fault)
    response.headers.update(fault.headers())
    return response


def _answer_unsupported_filter(fault: UnsupportedFilter) -> Response:
    return _answer(400, f"The filter cannot be answered: {fault}.", "invalidFilter")


def _answer_too_expensive(fault: TooExpensive) -> Response:
    return _answer(400, f"The search is too much for one request: {fault}. {_CHEAPER}", "tooMany")


def _answer_store_error(fault: StoreError) -> Response:
    _log.error("the store could not answer request %s: %s", g.request_id, fault)
    return _answer(503, "The directory cannot be read at the moment.")


def _answer_http_error(fault: HTTPException) -> Response:
    details = {
        400: "The request is malformed, or broke off.",
        404: "There is nothing at this address.",
        405: "This method is not supported here.",
        413: "The request is too large.",
    }
    status = fault.code or 500
    return _answer(status, details.get(status, fault.name))


def _answer_unforeseen(fault: Exception) -> Response:
    _log.error("request %s failed", g.request_id, exc_info=fault)
    return _answer(500, f"The request failed. The log has more under request id {g.request_id}.")
