"""How the API says what went wrong: problem documents with fixed words (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flask import Response, g

from connector.web.access.authentication import CHALLENGES
from connector.web.fault_answers import Dialect, FaultAnswer

PROBLEM_JSON = "application/problem+json"

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


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


def _form(said: FaultAnswer) -> Response:
    phrase = HTTPStatus(said.status).phrase
    document = {"type": "about:blank", "title": phrase, "status": said.status, "detail": said.what, **said.members}
    body = json.dumps(document | {"request": g.request_id})
    response = Response(body, said.status, said.headers, content_type=PROBLEM_JSON)
    if said.status == HTTPStatus.UNAUTHORIZED:
        response.headers.extend({"WWW-Authenticate": CHALLENGES})
    return response


def _problem(fault: Problem) -> FaultAnswer:
    return FaultAnswer(fault.status, fault.detail, headers=fault.headers, members=fault.more)


PROBLEM = Dialect(_form, own={Problem: _problem})
