"""Bodies as one request wants them: with their version, and whole or cut.

The version of a resource is its weak entity tag and its `meta.version`, which must be equal (RFC 7643, section 3.1). It
is put in when a body is served, so that what is stored stays as it was compared.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

from connector import __version__
from connector.directory.rows import BASE, Kind
from connector.scim.encoding import encode
from connector.scim.projection import Projection
from connector.scim.render import Member, group_body, member_list, user_body

_MEMBERS = "members"


class Stored(Protocol):
    """A version of a resource as the store keeps it."""

    @property
    def id(self) -> str:
        """The id of the resource."""

    @property
    def version(self) -> int:
        """The number of the version among all of its kind."""

    @property
    def head(self) -> str:
        """The text up to the time of the last change."""

    @property
    def modified(self) -> str:
        """The time of the last change, as RFC 3339."""


class Bodies:
    """Makes bodies for one public base URL."""

    def __init__(self, base: str) -> None:
        self._url = encode(base)[1:-1]
        self.edition = hashlib.sha256(f"{__version__} {base}".encode()).hexdigest()[:8]
        """Stands in every tag for what changes all bodies at once: this program and its address."""

    def tag(self, kind: Kind, stored: Stored) -> str:
        """Return the opaque part of the entity tag of a resource.

        The time is in it because a store that was restored from a backup gives the same numbers to other versions.
        """
        return f"{kind[0]}{stored.version}-{stored.modified}-{self.edition}"

    def body(
        self,
        kind: Kind,
        stored: Stored,
        members: Callable[[], Iterable[Member]],
        projection: Projection | None = None,
    ) -> Iterable[str]:
        """Return the body of a resource, in pieces.

        Args:
            kind: users or groups.
            stored: the resource.
            members: reads the members of a group; not called where they are not shown (P23).
            projection: what to show, None = everything.
        """
        version = f'W/"{self.tag(kind, stored)}"'
        if projection is not None:
            return self._cut(kind, stored, members, projection, version)
        return user_body(stored, version) if kind is Kind.USERS else group_body(stored, members(), version)

    def _cut(
        self,
        kind: Kind,
        stored: Stored,
        members: Callable[[], Iterable[Member]],
        projection: Projection,
        version: str,
    ) -> Iterable[str]:
        # The body of a group without its members ends as that of a user does.
        kept = projection.cut("".join(user_body(stored, version)).replace(BASE, self._url))
        if kind is Kind.USERS or not projection.shows(_MEMBERS):
            return (kept,)
        return _with_members(kept, members, projection)


def _with_members(kept: str, members: Callable[[], Iterable[Member]], projection: Projection) -> Iterator[str]:
    return chain((kept[:-1],), member_list(members(), projection.parts(_MEMBERS)), ("}",))
