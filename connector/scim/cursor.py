"""Cursors (RFC 9865): all that a later page needs, the generation, the next row and what was asked for.

They hold no secret and grant nothing: whoever makes one up is answered as if they had asked by index.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from scim2_models import InvalidCursorException

_MOST_CHARACTERS = 200
_CONTENT = re.compile(rb"(\d{1,12})\.(\d{1,12})\.([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk goes on.

    Args:
        generation: number of the generation it began with.
        start: 1-based index of the next row.
    """

    generation: int
    start: int


def write_cursor(cursor: Cursor, query: str) -> str:
    """Return a cursor as text, for use with the same query only."""
    content = f"{cursor.generation}.{cursor.start}.{query[:16]}"
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(text: str, query: str) -> Cursor:
    """Read a cursor that `write_cursor` wrote.

    Raises:
        InvalidCursorException: it is none, or belongs to another query.
    """
    content = _decode(text)
    match = _CONTENT.fullmatch(content)
    if match is None or match[3].decode() != query[:16] or not int(match[2]):
        raise InvalidCursorException(detail="This cursor is not one of ours, or belongs to another query.")
    return Cursor(int(match[1]), int(match[2]))


def _decode(text: str) -> bytes:
    if len(text) > _MOST_CHARACTERS or not text.isascii():
        return b""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
