"""What goes wrong at the SCIM endpoint, and how it is said there (RFC 7644, section 3.12)."""

from http import HTTPStatus

from flask import Response, request
from scim2_models import SCIMException
from werkzeug.exceptions import HTTPException

from connector.scim.error_body import error_body
from connector.store.reading.sql_filters import UnsupportedFilter
from connector.store.sql.time_limit import TooExpensive
from connector.web.access.authentication import CHALLENGES
from connector.web.fault_answers import Dialect, FaultAnswer
from connector.web.http.tolerant_paths import allowed_methods
from connector.web.scim.responses import scim_response

_CHEAPER = (
    "Add a condition on an indexed attribute (userName, externalId, emails.value, groups.value, meta.lastModified)."
)


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


def _form(said: FaultAnswer) -> Response:
    response = scim_response(error_body(said.status, said.what, said.code), said.status, said.headers)
    if said.status == HTTPStatus.UNAUTHORIZED:
        response.headers.extend({"WWW-Authenticate": CHALLENGES})
    if said.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = allowed_methods(request.path)
    return response


def _http_error(fault: HTTPException) -> FaultAnswer:
    details = {
        400: "The request is malformed, or broke off.",
        404: "There is nothing at this address.",
        405: "This method is not supported here.",
        413: "The request is too large.",
    }
    status = fault.code or 500
    return FaultAnswer(status, details.get(status, fault.name))


def _unsupported_filter(fault: UnsupportedFilter) -> FaultAnswer:
    return FaultAnswer(400, f"The filter cannot be answered: {fault}.", code="invalidFilter")


def _too_expensive(fault: TooExpensive) -> FaultAnswer:
    return FaultAnswer(400, f"The search is too much for one request: {fault}. {_CHEAPER}", code="tooMany")


SCIM = Dialect(
    _form,
    FaultAnswer(503, "The directory cannot be read at the moment."),
    _http_error,
    own={UnsupportedFilter: _unsupported_filter, TooExpensive: _too_expensive},
)
