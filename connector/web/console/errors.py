"""Every fault becomes a page that says what happened and what to do, and none of them a traceback."""

import logging

from flask import Blueprint, Response, g
from werkzeug.exceptions import HTTPException

from connector.errors import ConnectorError, StoreError
from connector.store.sql.time_limit import TooExpensive
from connector.web.access.limits import TooManyRequests
from connector.web.console.access import PageRefused
from connector.web.console.rendering import Renderer

_SAYINGS = {
    400: ("The request could not be understood.", "Go back and try again."),
    404: ("There is nothing at this address.", "What was here may be past its time, or the address has a slip in it."),
    405: ("This page does not take that.", "Go back and use its buttons."),
    413: ("The form is too large.", "Enter less at once."),
}
_log = logging.getLogger(__name__)


def register_error_pages(blueprint: Blueprint, renderer: Renderer) -> None:
    """Answer every exception of a blueprint's routes with a page."""

    def answer(status: int, what: str, detail: str = "") -> Response:
        return renderer.page(
            "error.html", status=status, code=status, what=what, detail=detail, request_id=g.request_id
        )

    @blueprint.errorhandler(PageRefused)
    def refused(fault: PageRefused) -> Response:
        return answer(fault.status, fault.what, fault.detail)

    @blueprint.errorhandler(TooManyRequests)
    def too_many(fault: TooManyRequests) -> Response:
        response = answer(429, str(fault.detail), f"Wait {fault.wait} seconds, then try again.")
        response.headers.update(fault.headers())
        return response

    @blueprint.errorhandler(TooExpensive)
    def too_expensive(fault: TooExpensive) -> Response:
        return answer(
            400, "This search is too much for one request.", f"It was ended because {fault}. Search for less at once."
        )

    @blueprint.errorhandler(StoreError)
    def store_error(fault: StoreError) -> Response:
        _log.error("the store could not answer request %s: %s", g.request_id, fault)
        response = answer(
            503, "The store cannot be read at the moment.", "Importers cannot read either. Try again soon."
        )
        response.headers["Retry-After"] = "30"
        return response

    @blueprint.errorhandler(ConnectorError)
    def connector_error(fault: ConnectorError) -> Response:
        return answer(409, fault.message, fault.remedy)

    @blueprint.errorhandler(HTTPException)
    def http_error(fault: HTTPException) -> Response:
        code = fault.code or 500
        return answer(code, *_SAYINGS.get(code, (f"{fault.name}.", "")))

    @blueprint.errorhandler(Exception)
    def unforeseen(fault: Exception) -> Response:
        _log.error("request %s failed", g.request_id, exc_info=fault)
        return answer(500, "Something unforeseen went wrong.", f"The log has more under request id {g.request_id}.")
