"""SCIM responses: the content type a caller can read, and bodies sent whole or in pieces (RFC 7644, section 3.1)."""

from collections.abc import Generator, Mapping
from itertools import chain

from flask import Response, request

from connector.web.http.compression import GZIP, WORTHWHILE_BYTES, accepts_gzip, compress

SCIM_JSON = "application/scim+json; charset=utf-8"
JSON = "application/json"
VARY = "Accept-Encoding, Accept"

_HELD_BYTES = 1 << 20


def scim_response(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a small body."""
    return _respond([body.encode()], status, headers)


def streamed_response(blocks: Generator[bytes, None, None]) -> Response:
    """Answer with a body of any size, in constant memory.

    Nothing leaves before the body is complete or its first MiB is there, so that most faults still become an error
    response. One that comes later breaks the connection: no importer can take that for a short page (P34).
    """
    held = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _HELD_BYTES:
            response = _respond(held, rest=blocks)
            response.call_on_close(blocks.close)
            return response
    return _respond(held)


def _respond(
    held: list[bytes],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    rest: Generator[bytes, None, None] | None = None,
) -> Response:
    packed = accepts_gzip(request) and sum(map(len, held)) >= WORTHWHILE_BYTES
    blocks = chain(held, rest or ())
    body = compress(blocks) if packed else blocks
    response = Response(b"".join(body) if rest is None else body, status, headers, content_type=_content_type())
    response.headers["Vary"] = VARY
    if packed:
        response.headers["Content-Encoding"] = GZIP
    return response


def _content_type() -> str:
    """Return plain JSON for callers that accept nothing else; some read errors only as that."""
    accepted = {value.partition(";")[0].strip().lower() for value in request.accept_mimetypes.values()}
    return JSON if accepted == {JSON} else SCIM_JSON
