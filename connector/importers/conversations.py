"""What each importer asks for, in its own words: the test of the connection, what it discovers, how it pages.

Taken from the importers' source, documentation and published logs; `docs/reference/importers.md` says from which, and
`tests/web/scim/test_importers.py` holds the same conversations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_SCIM = MappingProxyType({"Accept": "application/scim+json", "Content-Type": "application/scim+json"})
_OCI_ATTRIBUTES = (
    "attributes=userName,name.familyName,name.givenName,displayName,active,emails,groups,externalId,"
    "meta.lastModified,id"
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """How an importer reads a directory.

    Args:
        test: what it asks for when its connection is tested, below the base URL.
        discovery: what it asks for to learn the schema.
        page_size: the rows it asks for at once; None = everything in one answer.
        by_total: whether it pages to `totalResults`; if not, until a page comes short.
        user_query: what it asks for besides, of users.
        headers: what it sends with every request.
    """

    test: str
    discovery: tuple[str, ...] = ()
    page_size: int | None = 100
    by_total: bool = False
    user_query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: _SCIM)


CONVERSATIONS: Mapping[str, Conversation] = MappingProxyType(
    {
        "oci": Conversation(
            "/Users?count=1",
            ("/ResourceTypes", "/Schemas?startIndex=1&count=200"),
            page_size=200,
            user_query=_OCI_ATTRIBUTES,
        ),
        "okta": Conversation(
            "/Users?startIndex=1&count=2",
            by_total=True,
            headers={**_SCIM, "User-Agent": "Okta SCIM Client 1.0.0", "Accept-Charset": "utf-8"},
        ),
        "sailpoint": Conversation(
            "/Users?startIndex=1&count=1",
            ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/ResourceTypes/Group"),
            by_total=True,
        ),
        "midpoint": Conversation(
            "/Users?startIndex=1&count=1&attributes=userName",
            page_size=None,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
        ),
        "generic": Conversation(
            "/Users?startIndex=1&count=1", ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"), by_total=True
        ),
    }
)
"""By the names that the profiles have too."""
