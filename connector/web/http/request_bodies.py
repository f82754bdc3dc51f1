"""Bodies of requests, read whole or not at all: what is cut off or malformed is never taken for what was sent."""

from flask import abort, request
from werkzeug.exceptions import HTTPException

MAX_CONTENT_BYTES = 64 * 1024
READ_BYTES = MAX_CONTENT_BYTES + 1
"""How much of a body is read at most: one byte more than is allowed shows that it is too large."""


def read_body() -> bytes:
    """Return the body of the request.

    Raises:
        HTTPException: it is too large (413), or it is malformed, or ended before its end (400).
    """
    body = _receive()
    if len(body) > MAX_CONTENT_BYTES:
        abort(413)
    # A server hands out what it got before the client was gone or too slow.
    if len(body) < (request.content_length or 0):
        abort(400)
    return body


def _receive() -> bytes:
    try:
        return request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001 - each server has faults of its own for a body that is not well chunked
        abort(400)
