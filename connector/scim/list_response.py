"""List responses, streamed (RFC 7644, section 3.4.2), and the public base URL put into what is served.

The number of rows is known before the first byte leaves. A list that turns out shorter ends in an error, never in a
short page that an importer would take for the end of the directory (P34).
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.errors import StoreError
from connector.scim.encoding import encode

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_BLOCK_CHARACTERS = 1 << 16


class Batch(NamedTuple):
    """Some rows of a list: how many, and their bodies with commas between them, in pieces."""

    rows: int
    pieces: Iterable[str]


def list_response(
    batches: Iterable[Batch], *, total: int, start: int | None, rows: int, next_cursor: str | None = None
) -> Iterator[str]:
    """Return a list response in pieces.

    Args:
        batches: the rows.
        total: how many resources match in the whole generation.
        start: 1-based index of the first row; None in a walk by cursor (RFC 9865, section 2).
        rows: how many rows there are.
        next_cursor: leads to the next page of a walk by cursor; None = there is none.

    Raises:
        StoreError: `batches` hold more or fewer than `rows`.
    """
    paging = {"startIndex": start, "itemsPerPage": rows, "nextCursor": next_cursor}
    shown = {name: value for name, value in paging.items() if value is not None}
    opening = encode({"schemas": [_LIST], "totalResults": total, **shown})
    yield f'{opening[:-1]},"Resources":['
    given = 0
    for batch in batches:
        if given:
            yield ","
        yield from batch.pieces
        given += batch.rows
    if given != rows:
        raise StoreError(f"A list of {rows} resources came out as {given}.", remedy="Ask for the page again.")
    yield "]}"


def public_blocks(pieces: Iterable[str], places: Mapping[str, str]) -> Generator[bytes, None, None]:
    """Join pieces into blocks fit for sending, with what is served in the places that are free."""
    values = [(place.encode(), value.encode()) for place, value in places.items()]
    block: list[str] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece)
        if size >= _BLOCK_CHARACTERS:
            yield _fill(block, values)
            block.clear()
            size = 0
    yield _fill(block, values)


def _fill(block: list[str], values: Iterable[tuple[bytes, bytes]]) -> bytes:
    text = "".join(block).encode()
    for place, value in values:
        text = text.replace(place, value)
    return text
