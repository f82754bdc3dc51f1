"""SCIM error bodies (RFC 7644, section 3.12)."""

from connector.scim.encoding import encode

_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def error_body(status: int, detail: str, scim_type: str = "") -> str:
    """Return an error as JSON; the status is a string there."""
    kind = {"scimType": scim_type} if scim_type else {}
    return encode({"schemas": [_ERROR], "status": str(status), **kind, "detail": detail})
