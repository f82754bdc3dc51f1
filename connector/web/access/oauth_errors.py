"""How the token endpoint says what went wrong (RFC 6749, section 5.2)."""

from collections.abc import Mapping
from types import MappingProxyType

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

from connector.web.fault_answers import Dialect, FaultAnswer

_CODES = {429: "slow_down", 500: "server_error", 503: "temporarily_unavailable"}


class OAuthError(Exception):
    """A request for a token that is refused (RFC 6749, section 5.2)."""

    def __init__(
        self, error: str, description: str, status: int = 400, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers


def _form(said: FaultAnswer) -> Response:
    answer = jsonify(error=said.code or _CODES.get(said.status, "invalid_request"), error_description=said.what)
    answer.status_code = said.status
    answer.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache", **said.headers})
    return answer


def _oauth_error(fault: OAuthError) -> FaultAnswer:
    return FaultAnswer(fault.status, fault.description, code=fault.error, headers=fault.headers)


def _http_error(fault: HTTPException) -> FaultAnswer:
    return FaultAnswer(fault.code or 500, fault.name, code="invalid_request")


OAUTH = Dialect(
    _form, FaultAnswer(503, "No token can be given at the moment."), _http_error, own={OAuthError: _oauth_error}
)
