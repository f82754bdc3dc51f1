"""Entity tags: a caller who has the current state is told so, before any row is read (RFC 7644, section 3.14).

All are weak: compressed or not, a body is the same, and the text of equal resources may differ from release to release.
"""

import hashlib
from collections.abc import Mapping

from flask import Response, request

from connector.directory.rows import Kind
from connector.scim.query import ListRequest
from connector.store.generations import Generation
from connector.web.scim.responses import VARY


def list_tag(asked: Mapping[Kind, ListRequest], generation: Generation, edition: str) -> str:
    """Return the tag of a list: what was asked, as it was understood, of which generation.

    Args:
        asked: the request, for each kind of resources.
        generation: the state that is read; its time tells it from one of a restored store.
        edition: what changes all answers at once.
    """
    state = f"{asked!r} {generation.number} {generation.published_at} {edition}"
    return f"l{generation.number}-{hashlib.sha256(state.encode()).hexdigest()[:32]}"


def is_current(tag: str) -> bool:
    """Tell whether the caller has the state with this tag; only reads are conditional (RFC 9110, section 13.1.2)."""
    return request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(tag)


def not_modified(tag: str) -> Response:
    """Answer that nothing changed."""
    response = Response(status=304, headers={"Vary": VARY})
    response.set_etag(tag, weak=True)
    del response.headers["Content-Type"]
    return response
