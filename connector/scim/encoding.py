"""How values become text: compact JSON with every non-ASCII sign escaped.

Readers that take `application/scim+json` for ISO-8859-1 get the same text as everybody else.
"""

import json
from typing import Any

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def encode(value: Any) -> str:
    """Return a value as JSON."""
    return _ENCODER.encode(value)
