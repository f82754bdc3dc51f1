"""Who may come in: nobody without the token of a client (RFC 6750, section 2.1).

Closed by default: a route is open only when it is listed here, so a forgotten one answers 401 (P28).
"""

import re

from flask import Flask, g, request
from scim2_models import ForbiddenException, UnauthorizedException

from connector.web.services import Clients

IMPORTER = "importer"
OPEN_ENDPOINTS = frozenset({"health.livez", "health.readyz"})

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,512}={0,2}", re.ASCII)


def require_client(app: Flask, clients: Clients) -> None:
    """Let only known clients past, on every route that is not open."""

    @app.before_request
    def authenticate() -> None:
        if request.endpoint in OPEN_ENDPOINTS:
            return
        token = read_token(request.headers.get("Authorization", ""))
        client = clients.authenticate(token) if token else None
        if client is None:
            raise UnauthorizedException(detail="A valid bearer token is required.")
        g.client = client


def require_importer() -> None:
    """Let only importers read the directory.

    Raises:
        ForbiddenException: the client has another role.
    """
    if g.client.role != IMPORTER:
        raise ForbiddenException(detail="This client is not an importer.")


def read_token(header: str) -> str:
    """Return the token of an Authorization header, empty for anything that is none, whatever its bytes (P29)."""
    scheme, _, token = header.partition(" ")
    token = token.strip(" ")
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else ""
