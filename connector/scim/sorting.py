"""Orders: the attribute that a list is sorted by, checked against the schemas (RFC 7644, section 3.4.2.3)."""

from pydantic import ValidationError
from scim2_models import Error, InvalidPathException
from scim2_models.path import AttrPath

from connector.directory.rows import Kind
from connector.scim.binding import compared
from connector.scim.schemas import search_model

MAX_LENGTH = 512


def parse_order(text: str, *kinds: Kind) -> AttrPath:
    """Return the attribute to sort by, as the schemas spell it; `emails` stands for `emails.value`.

    An unknown one is refused: a client could not tell the order that it gets from the one it asked for.

    Raises:
        InvalidPathException: no kind has this attribute, or it has no order.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPathException(detail=f"sortBy is longer than {MAX_LENGTH} characters.")
    try:
        path: AttrPath = search_model(*kinds)(sort_by=text).sort_by.ast
    except ValidationError as fault:
        raise InvalidPathException(detail=Error.from_validation_error(fault.errors()[0]).detail) from fault
    return compared(path, *kinds)
