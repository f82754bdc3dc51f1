"""Every fault becomes an answer, and none of them a traceback.

What each kind of fault means is said here, once. SCIM, the API, the token endpoint and the console each bring a
dialect: the form of their answers, and the words that are theirs.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, g
from scim2_models import SCIMException
from werkzeug.exceptions import HTTPException

from connector.errors import StoreError
from connector.web.access.limits import TooManyRequests

RETRY_AFTER_SECONDS = "30"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """What the answer to a fault says.

    Args:
        status: of HTTP.
        what: what happened.
        advice: more about it, and what to do, where a dialect has room for both.
        code: the word by which a program knows it (`scimType`, OAuth's `error`), empty where there is none.
        headers: more headers of the answer.
        members: more members of its document.
    """

    status: int
    what: str
    advice: str = ""
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)


Meaning = Callable[[Any], FaultAnswer]


def _name_of(fault: HTTPException) -> FaultAnswer:
    return FaultAnswer(fault.code or 500, f"{fault.name}.")


def _failed(request_id: str) -> FaultAnswer:
    return FaultAnswer(500, f"The request failed. The log has more under request id {request_id}.")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one surface says what went wrong.

    Args:
        form: makes the response.
        unavailable: what it says while the store cannot be read.
        http_error: what it says of what Flask refuses.
        unforeseen: what it says of anything else, by the id of the request.
        own: what the exceptions mean that only it meets, or understands in its own way.
    """

    form: Callable[[FaultAnswer], Response]
    unavailable: FaultAnswer = FaultAnswer(503, "The store cannot be read at the moment.")
    http_error: Callable[[HTTPException], FaultAnswer] = _name_of
    unforeseen: Callable[[str], FaultAnswer] = _failed
    own: Mapping[type[Exception], Meaning] = field(default_factory=dict)


def answer_faults(surface: Flask | Blueprint, dialect: Dialect) -> None:
    """Answer every exception of a surface's routes in its dialect."""

    def unavailable(fault: StoreError) -> FaultAnswer:
        _log.error("the store could not answer request %s: %s", g.request_id, fault)
        return dialect.unavailable

    def unforeseen(fault: Exception) -> FaultAnswer:
        _log.error("request %s failed", g.request_id, exc_info=fault)
        return dialect.unforeseen(g.request_id)

    meanings: dict[type[Exception], Meaning] = {
        SCIMException: refused,
        TooManyRequests: refused,
        StoreError: unavailable,
        HTTPException: dialect.http_error,
        Exception: unforeseen,
        **dialect.own,
    }
    for kind, meaning in meanings.items():
        surface.register_error_handler(kind, partial(_answer, dialect.form, meaning))


def refused(fault: SCIMException) -> FaultAnswer:
    """Say what a SCIM exception says; authentication and limits raise them for everybody."""
    return FaultAnswer(fault.status, str(fault.detail), code=fault.scim_type)


def _answer(form: Callable[[FaultAnswer], Response], meaning: Meaning, fault: Exception) -> Response:
    said = meaning(fault)
    if isinstance(fault, TooManyRequests):
        said = replace(said, headers=fault.headers())
    elif said.status == HTTPStatus.SERVICE_UNAVAILABLE:
        said = replace(said, headers={"Retry-After": RETRY_AFTER_SECONDS})
    return form(said)
