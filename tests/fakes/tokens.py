"""Paging tokens as opaque as Cognito's: signed, and good only for the request that they continue."""

import base64
import hashlib
import hmac
import json

_KEY = b"tests only"


def make_token(scope: str, mark: int, depth: int) -> str:
    """Return the token that continues after a mark.

    Args:
        scope: the operation and its parameters, which must come back unchanged.
        mark: the last item shown.
        depth: how many pages have been shown.
    """
    payload = json.dumps({"@n": "PaginationContinuationDTO", "nextKey": mark, "paginationDepth": depth}).encode()
    return base64.b64encode(_sign(scope, payload) + payload).decode()


def read_token(scope: str, token: str) -> tuple[int, int] | None:
    """Return mark and depth, or None for a token that was not given for this request."""
    try:
        whole = base64.b64decode(token, validate=True)
    except ValueError:
        return None
    signature, payload = whole[:32], whole[32:]
    if not hmac.compare_digest(signature, _sign(scope, payload)):
        return None
    content = json.loads(payload)
    return content["nextKey"], content["paginationDepth"]


def _sign(scope: str, payload: bytes) -> bytes:
    return hmac.digest(_KEY, scope.encode() + b"\0" + payload, hashlib.sha256)
