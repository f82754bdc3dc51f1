"""Paths as importers write them: doubled and trailing slashes, collections in lower case.

The base URL is often typed with a slash at its end, to which importers add another. What follows the collection's name
is an id and stays as it is.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from connector.scim.base_url import PREFIX

_SEGMENTS = PREFIX.split("/")[1:]
_NAMES = ("Users", "Groups", "ServiceProviderConfig", "ResourceTypes", "Schemas", "Me", "Bulk")
_COLLECTIONS = {name.lower(): name for name in _NAMES}

_SEARCHES = frozenset(f"{PREFIX}{kind}/.search" for kind in ("", "/Users", "/Groups"))
BULK = f"{PREFIX}/Bulk"
"""Where writes would come together (RFC 7644, section 3.7)."""
_READ_METHODS = "GET, HEAD"


class TolerantPaths:
    """WSGI middleware that hands the canonical path to the application.

    Args:
        application: the application.
        base: the path of the public base URL; proxies that do not take it away leave it in front.
    """

    def __init__(self, application: WSGIApplication, base: str = "") -> None:
        self._application = application
        self._base = canonical_path(base)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on under its canonical path."""
        path = canonical_path(environ.get("PATH_INFO", ""))
        if self._base != "/" and f"{path}/".startswith(f"{self._base}/"):
            path = canonical_path(path.removeprefix(self._base))
        return self._application({**environ, "PATH_INFO": path}, start_response)


def canonical_path(path: str) -> str:
    """Return a path without empty segments and with the collection's name as the RFC spells it."""
    segments = [segment for segment in path.split("/") if segment]
    if segments[:2] == _SEGMENTS and len(segments) > len(_SEGMENTS):
        collection = segments[len(_SEGMENTS)]
        segments[len(_SEGMENTS)] = _COLLECTIONS.get(collection.lower(), collection)
    return "/" + "/".join(segments)


def is_known(path: str) -> bool:
    """Tell whether a canonical path is one that does not answer a read."""
    return path in _SEARCHES or path == BULK


def allowed_methods(path: str) -> str:
    """Return the methods that a canonical path answers, for the header `Allow`."""
    if path in _SEARCHES:
        return "POST, OPTIONS"
    if path == BULK:
        return ""
    return f"{_READ_METHODS}, OPTIONS" if path.split("/")[1:3] == _SEGMENTS else _READ_METHODS
