"""Who may come in: nobody without the credentials of a client (RFC 6750, section 2.1; RFC 7617).

Closed by default: a route is open only when it is listed here, so a forgotten one answers 401 (P28).
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from flask import Flask, Response, g, request
from scim2_models import ForbiddenException, UnauthorizedException

from connector.store.clients import Client, ClientRole, Clients, Grant
from connector.web.access.limits import RateLimits
from connector.web.access.sign_ins import CallerActivity

CONSOLE = "console"
"""The name of the console's routes, which check for themselves who asks."""
CONSOLE_DOOR = "door"
"""The bare address, from where browsers are led to the console."""
OPEN_ENDPOINTS = frozenset({"health.livez", "health.readyz", "tokens.issue"})
BASIC_CHALLENGE = 'Basic realm="cognito-scim", charset="UTF-8"'
# A header each: some clients read only the first challenge of a line.
CHALLENGES = ('Bearer realm="cognito-scim"', BASIC_CHALLENGE)

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,512}={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pair:
    """The id and secret of a client, as somebody claims."""

    client_id: str
    client_secret: str = field(repr=False)


def require_client(app: Flask, clients: Clients, limits: RateLimits, sign_ins: CallerActivity) -> None:
    """Let only known clients past, on every route that is not open."""

    @app.before_request
    def authenticate() -> None:
        if request.endpoint in OPEN_ENDPOINTS or is_for_console():
            return
        g.client = _admit(clients, limits, sign_ins, request.headers.get("Authorization", ""))
        sign_ins.accept(g.client)
        g.allowance = limits.count_request(g.client.id)

    @app.after_request
    def tell_allowance(response: Response) -> Response:
        if allowance := g.get("allowance"):
            response.headers.update(allowance.headers())
        return response


def is_browser() -> bool:
    """Tell whether whoever asks wants to show a page."""
    return "text/html" in request.headers.get("Accept", "")


def is_for_console() -> bool:
    """Tell whether a request is for the console, which asks for sessions; its front door is for browsers alone."""
    if request.endpoint == CONSOLE_DOOR:
        return is_browser()
    return (request.endpoint or "").startswith(f"{CONSOLE}.")


def require_importer() -> None:
    """Let only importers read the directory.

    Raises:
        ForbiddenException: the client has another role.
    """
    if g.client.role is not ClientRole.IMPORTER:
        raise ForbiddenException(detail="This client is not an importer.")


def _admit(clients: Clients, limits: RateLimits, sign_ins: CallerActivity, header: str) -> Client:
    """Return the client that sent a header; to send none is no failure, since many ask first for the challenge.

    The credential is looked at first: whoever has a valid one is let in, however many others failed from its address.
    """
    if header:
        if client := find_client(clients, header):
            return client
        sign_ins.refuse()
        limits.count_failure(request.remote_addr)
    raise UnauthorizedException(detail="A valid bearer token, access token, or client id and secret is required.")


def find_client(clients: Clients, header: str) -> Client | None:
    """Return the client that an Authorization header speaks for."""
    if token := read_token(header):
        return clients.authenticate(token)
    if pair := read_pair(header):
        client = clients.verify(pair.client_id, pair.client_secret)
        return client if client and client.grant is Grant.BASIC else None
    return None


def read_token(header: str) -> str:
    """Return the token of an Authorization header, empty for anything that is none, whatever its bytes (P29)."""
    scheme, _, token = header.partition(" ")
    token = token.strip(" ")
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else ""


def read_pair(header: str) -> Pair | None:
    """Return id and secret of an Authorization header, None for anything else.

    Each may be percent-encoded (RFC 6749, section 2.3.1) or not: what this program makes holds no percent sign.
    """
    scheme, _, encoded = header.partition(" ")
    encoded = encoded.strip(" ")
    if scheme.lower() != "basic" or not _TOKEN.fullmatch(encoded):
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, client_secret = text.partition(":")
    return Pair(unquote(client_id), unquote(client_secret)) if colon else None
