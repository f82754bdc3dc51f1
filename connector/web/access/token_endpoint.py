"""`/oauth2/token`: access tokens for clients that sign in with OAuth 2.0 (RFC 6749, sections 4.3 and 4.4).

It reads what importers really send: a body whatever its content type, that may begin with an ampersand, encode nothing
and leave grant_type out (ConnId). Everything that is made here for clients needs no encoding.
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

from flask import Blueprint, Response, g, jsonify, request

from connector.scim.base_url import TOKEN_PATH
from connector.store.clients import Client, Clients, Grant
from connector.web.access.authentication import BASIC_CHALLENGE, Pair, read_pair
from connector.web.access.limits import RateLimits
from connector.web.access.oauth_errors import OAUTH, OAuthError
from connector.web.access.sign_ins import CallerActivity
from connector.web.fault_answers import answer_faults
from connector.web.http.request_bodies import read_body

LIFETIME_SECONDS = 3600
LARGEST_BODY_BYTES = 16 * 1024

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MOST_PARAMETERS = 32
_GRANTS = {"client_credentials": Grant.CLIENT_CREDENTIALS, "password": Grant.PASSWORD}
_SCOPE = re.compile(r"[!#-\[\]-~]+", re.ASCII)


def token_blueprint(clients: Clients, limits: RateLimits, sign_ins: CallerActivity) -> Blueprint:
    """Return the route, which checks credentials itself, and its errors, which are OAuth's and not SCIM's."""
    tokens = Blueprint("tokens", __name__)
    endpoint = TokenEndpoint(clients, limits, sign_ins)
    tokens.add_url_rule(TOKEN_PATH, endpoint="issue", view_func=endpoint.issue, methods=_METHODS)
    answer_faults(tokens, OAUTH)
    return tokens


class TokenEndpoint:
    """Gives access tokens."""

    def __init__(self, clients: Clients, limits: RateLimits, sign_ins: CallerActivity) -> None:
        self._clients = clients
        self._limits = limits
        self._sign_ins = sign_ins

    def issue(self) -> Response:
        """Answer with a new access token."""
        if request.method != "POST":
            raise OAuthError(
                "invalid_request", "Tokens are asked for with POST.", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"}
            )
        form = read_form(read_body())
        client = self._authenticate(form)
        g.allowance = self._limits.count_request(client.id)
        self._check_grant(client, form)
        scope = read_scope(form)
        token = self._clients.issue_token(client, seconds=LIFETIME_SECONDS)
        self._sign_ins.issue(client)
        answer = jsonify({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS, **scope})
        answer.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache"})
        return answer

    def _authenticate(self, form: dict[str, str]) -> Client:
        pair = read_client(request.headers.get("Authorization", ""), form)
        if pair:
            if client := self._clients.verify(pair.client_id, pair.client_secret):
                return client
            self._sign_ins.refuse()
            self._limits.count_failure(request.remote_addr)
        challenge = {"WWW-Authenticate": BASIC_CHALLENGE}
        raise OAuthError(
            "invalid_client", "A valid client id and secret are required.", HTTPStatus.UNAUTHORIZED, challenge
        )

    def _check_grant(self, client: Client, form: dict[str, str]) -> None:
        grant = read_grant(form)
        if client.grant is not grant:
            raise OAuthError("unauthorized_client", f"This client was made for the grant {client.grant}.")
        if grant is not Grant.PASSWORD:
            return
        if not {"username", "password"} <= form.keys():
            raise OAuthError("invalid_request", "The grant password needs username and password.")
        if not self._clients.verify_user(client, form["username"], form["password"]):
            self._sign_ins.refuse(client, "wrong user name or password")
            self._limits.count_failure(request.remote_addr)
            raise OAuthError("invalid_grant", "The user name or the password is wrong.")


def read_form(body: bytes) -> dict[str, str]:
    """Return the parameters of a body, without the empty ones, which count as left out (RFC 6749, section 3.2).

    Raises:
        OAuthError: they are too long or too many, or one other than scope came twice.
    """
    if len(body) > LARGEST_BODY_BYTES:
        raise OAuthError("invalid_request", "The request is too large.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise OAuthError("invalid_request", "The request has too many parameters.") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form and name != "scope":
            raise OAuthError("invalid_request", "A parameter came twice.")
        form[name] = f"{form[name]} {value}" if name in form else value
    return form


def read_client(header: str, form: dict[str, str]) -> Pair | None:
    """Return the id and secret that a client gives in the header or in the body (RFC 6749, section 2.3.1).

    Raises:
        OAuthError: it gives both, and they differ.
    """
    in_header = read_pair(header)
    in_body = Pair(form.get("client_id", ""), form["client_secret"]) if "client_secret" in form else None
    if in_header and in_body and in_header != in_body:
        raise OAuthError("invalid_request", "The header and the body name different clients.")
    return in_header or in_body


def read_grant(form: dict[str, str]) -> Grant:
    """Return the grant that is asked for; where it is left out, the other parameters tell.

    Raises:
        OAuthError: it is none of those that there are.
    """
    told = "password" if {"username", "password"} <= form.keys() else "client_credentials"
    grant = _GRANTS.get(form.get("grant_type", told))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "The grants are client_credentials and password.")
    return grant


def read_scope(form: dict[str, str]) -> dict[str, str]:
    """Return the scopes that are asked for, which are all granted: what a client may do is its role.

    Raises:
        OAuthError: they are not written as scopes (RFC 6749, section 3.3).
    """
    scopes = [scope for scope in form.get("scope", "").split(" ") if scope]
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise OAuthError("invalid_scope", "Scopes are words of printable ASCII with spaces between them.")
    return {"scope": " ".join(scopes)} if scopes else {}
