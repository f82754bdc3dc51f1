"""SCIM responses: the content type a caller can read, and bodies that are whole before they leave (RFC 7644, 3.1)."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from tempfile import TemporaryFile

from flask import Response, request
from werkzeug.wsgi import wrap_file

from connector.web.http.compression import GZIP, WORTHWHILE_BYTES, accepts_gzip, compress

SCIM_JSON = "application/scim+json; charset=utf-8"
JSON = "application/json"
VARY = "Accept-Encoding, Accept"

MEMORY_BYTES = 1 << 20
"""A longer body waits in a file, without a name, until it is read."""


def scim_response(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a small body."""
    return complete_response(iter([body.encode()]), status, headers)


def complete_response(blocks: Iterator[bytes], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a body of any size, in bounded memory.

    Nothing leaves before the body is complete, and its length is told: a fault becomes an error response, and what
    breaks off later is no answer. No importer can take either for a short page (P34).
    """
    held = _take(blocks, WORTHWHILE_BYTES)
    packed = accepts_gzip(request) and sum(map(len, held)) >= WORTHWHILE_BYTES
    body = compress(chain(held, blocks)) if packed else chain(held, blocks)
    held = _take(body, MEMORY_BYTES)
    if sum(map(len, held)) < MEMORY_BYTES:
        response = Response(b"".join(held), status, headers, content_type=_content_type())
    else:
        response = _from_file(chain(held, body), status, headers)
    response.headers["Vary"] = VARY
    if packed:
        response.headers["Content-Encoding"] = GZIP
    return response


def _take(blocks: Iterator[bytes], least: int) -> list[bytes]:
    """Return the first blocks, of at least this many bytes together, or all."""
    held: list[bytes] = []
    size = 0
    while size < least and (block := next(blocks, None)) is not None:
        held.append(block)
        size += len(block)
    return held


def _from_file(blocks: Iterable[bytes], status: int, headers: Mapping[str, str] | None) -> Response:
    file = TemporaryFile()  # noqa: SIM115 - closed by the response that streams it
    try:
        file.writelines(blocks)
        length = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    response = Response(
        wrap_file(request.environ, file), status, headers, content_type=_content_type(), direct_passthrough=True
    )
    response.content_length = length
    return response


def _content_type() -> str:
    """Return plain JSON for callers that accept nothing else; some read errors only as that."""
    accepted = {value.partition(";")[0].strip().lower() for value in request.accept_mimetypes.values()}
    return JSON if accepted == {JSON} else SCIM_JSON
