"""Entity tags: a caller who has the current state is told so, before any row is read (RFC 7644, section 3.14).

All are weak: compressed or not, a body is the same, and the text of equal resources may differ from release to release.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from flask import Response, request
from scim2_models import PreconditionFailedException

from connector.directory.rows import Kind
from connector.scim.query import ListRequest
from connector.store.generations import Generation
from connector.web.scim.responses import VARY

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def list_tag(asked: Mapping[Kind, ListRequest], generation: Generation, edition: str) -> str:
    """Return the tag of a list: what was asked, as it was understood, of which generation.

    Args:
        asked: the request, for each kind of resources.
        generation: the state that is read; its time tells it from one of a restored store.
        edition: what changes all answers at once.
    """
    state = f"{asked!r} {generation.number} {generation.published_at} {edition}"
    return f"l{generation.number}-{hashlib.sha256(state.encode()).hexdigest()[:32]}"


def document_tag(document: str) -> str:
    """Return the tag of a document that is what it is."""
    return f"d-{hashlib.sha256(document.encode()).hexdigest()[:32]}"


def is_current(tag: str) -> bool:
    """Tell whether the caller has the state with this tag; only reads are conditional (RFC 9110, section 13.1).

    Tags are compared weakly, for none of ours is strong.

    Raises:
        PreconditionFailedException: the caller wants another state and no other (If-Match).
    """
    if request.method not in {"GET", "HEAD"}:
        return False
    if request.if_match and not request.if_match.contains_weak(tag):
        raise PreconditionFailedException(detail="The resource has another version than the one that If-Match names.")
    return request.if_none_match.contains_weak(tag)


def not_modified(tag: str, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """Answer that nothing changed, with the headers that the answer itself would have (RFC 9110, section 15.4.5)."""
    response = Response(status=304, headers={"Vary": VARY, **headers})
    response.set_etag(tag, weak=True)
    del response.headers["Content-Type"]
    return response
