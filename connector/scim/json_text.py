"""JSON that somebody sends: in UTF-8, and with no name twice in an object.

What a name means that comes twice is up to each reader (RFC 8259, section 4): a proxy before this one may have
understood the other value.
"""

import json
from collections.abc import Callable
from typing import Any

_LONGEST_NAME = 100


class NameTwice(ValueError):
    """An object gives a name two values, of which none is taken.

    Args:
        name: the caller's text, of which no more than the beginning is kept.
    """

    def __init__(self, name: str) -> None:
        self.name = name[:_LONGEST_NAME]
        super().__init__(f"The name {self.name!a} comes twice in an object of the body.")


def read_json(body: bytes, *, number: Callable[[str], Any] | None = None) -> Any:
    """Return what a body says.

    Args:
        body: the JSON text.
        number: makes a value of a number as it is written, instead of an int or a float.

    Raises:
        NameTwice: an object of it, however deep, has a name twice.
        ValueError: it is no JSON in UTF-8, or nested too deep.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=_read_object, parse_int=number, parse_float=number, parse_constant=number
    )
    try:
        return decoder.decode(body.decode("utf-8-sig"))
    except NameTwice:
        raise
    except (ValueError, RecursionError):
        raise ValueError("The body is not JSON in UTF-8.") from None


def _read_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members:
        if name in found:
            raise NameTwice(name)
        found[name] = value
    return found
