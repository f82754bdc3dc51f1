"""Search requests: the same parameters as in a query string, in a body (RFC 7644, section 3.4.3).

They are read as parameters again, so that both ways to ask are understood alike. No body asks for everything, and what
no search has is ignored, whatever it holds.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scim2_models import InvalidSyntaxException, InvalidValueException

from connector.scim.json_text import read_json
from connector.scim.query import PARAMETERS

_ZEROES = re.compile(r"\.0+$")
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def read_search_request(body: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a search request, in order; `null` is a parameter that is not given.

    Raises:
        InvalidSyntaxException: the body is no JSON object, or has a name twice.
        InvalidValueException: it says that it is another message, or a value is of no use for any parameter.
    """
    if not body.strip():
        return []
    try:
        message = read_json(body, number=_read_number)
    except ValueError as fault:
        raise InvalidSyntaxException(detail=str(fault)) from fault
    if not isinstance(message, dict):
        raise InvalidSyntaxException(detail="The body is not a JSON object.")
    return list(_parameters(message))


def _parameters(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in message.items():
        if value is None or name.lower() not in {"schemas", *PARAMETERS}:
            continue
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise InvalidValueException(detail="A parameter of a search is text, an integer or a list of texts.")
        if name.lower() != "schemas":
            yield name, ",".join(texts)
        elif texts and SEARCH_REQUEST.lower() not in {text.lower() for text in texts}:
            raise InvalidValueException(detail=f"The schema of a search is {SEARCH_REQUEST}.")


def _read_number(text: str) -> str:
    """Return a number as it is written, of any length, but for decimals that say nothing: some clients send `3.0`."""
    return _ZEROES.sub("", text)
