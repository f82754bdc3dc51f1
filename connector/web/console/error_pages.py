"""How the console says what went wrong: a page that says what happened and what to do."""

from functools import partial

from flask import Response, g
from werkzeug.exceptions import HTTPException

from connector.errors import ConnectorError
from connector.store.sql.time_limit import TooExpensive
from connector.web.access.limits import TooManyRequests
from connector.web.console.access import PageRefused
from connector.web.console.rendering import Renderer
from connector.web.fault_answers import Dialect, FaultAnswer

_SAYINGS = {
    400: ("The request could not be understood.", "Go back and try again."),
    404: ("There is nothing at this address.", "What was here may be past its time, or the address has a slip in it."),
    405: ("This page does not take that.", "Go back and use its buttons."),
    413: ("The form is too large.", "Enter less at once."),
}


def error_pages(renderer: Renderer) -> Dialect:
    """Return how faults are said in pages."""
    return Dialect(
        partial(_form, renderer),
        FaultAnswer(503, "The store cannot be read at the moment.", "Importers cannot read either. Try again soon."),
        _http_error,
        _unforeseen,
        {
            PageRefused: lambda fault: FaultAnswer(fault.status, fault.what, fault.detail),
            TooManyRequests: _too_many,
            TooExpensive: _too_expensive,
            ConnectorError: lambda fault: FaultAnswer(409, fault.message, fault.remedy),
        },
    )


def _form(renderer: Renderer, said: FaultAnswer) -> Response:
    page = renderer.page(
        "error.html",
        status=said.status,
        code=said.status,
        what=said.what,
        detail=said.advice,
        request_id=g.request_id,
    )
    page.headers.update(said.headers)
    return page


def _too_many(fault: TooManyRequests) -> FaultAnswer:
    return FaultAnswer(429, str(fault.detail), f"Wait {fault.wait} seconds, then try again.")


def _too_expensive(fault: TooExpensive) -> FaultAnswer:
    advice = f"It was ended because {fault}. Search for less at once."
    return FaultAnswer(400, "This search is too much for one request.", advice)


def _http_error(fault: HTTPException) -> FaultAnswer:
    code = fault.code or 500
    return FaultAnswer(code, *_SAYINGS.get(code, (f"{fault.name}.", "")))


def _unforeseen(request_id: str) -> FaultAnswer:
    return FaultAnswer(500, "Something unforeseen went wrong.", f"The log has more under request id {request_id}.")
