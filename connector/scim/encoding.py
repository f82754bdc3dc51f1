"""How values become text and text values: compact JSON with every non-ASCII sign escaped.

Readers that take `application/scim+json` for ISO-8859-1 get the same text as everybody else. Bodies that are cut go
through orjson, which makes a projected page almost twice as fast but escapes nothing; the rest is escaped after it.
"""

import codecs
import json
from json.encoder import encode_basestring_ascii
from typing import Any

import orjson

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
_ESCAPE = "connector.scim.escape"


def encode(value: Any) -> str:
    """Return a value as JSON."""
    return _ENCODER.encode(value)


encode_text = encode_basestring_ascii
"""Does the same for text, in a third of the time."""


def decode_body(text: str) -> Any:
    """Return the value of a stored body."""
    return orjson.loads(text)


def encode_body(value: Any) -> str:
    """Return a body as JSON in ASCII."""
    return orjson.dumps(value).decode().encode("ascii", _ESCAPE).decode()


def _escape(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return encode(fault.object[fault.start : fault.end])[1:-1], fault.end


codecs.register_error(_ESCAPE, _escape)
