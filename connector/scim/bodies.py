"""Bodies as one request wants them: with their members, and whole or cut.

The version of a resource is its weak entity tag and its `meta.version`, which must be equal (RFC 7643, section 3.1):
the time of its last change, which no two generations share, and the edition.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol

from connector import __version__
from connector.directory.rows import BASE, EDITION, Kind
from connector.scim.encoding import encode
from connector.scim.envelope import Batch
from connector.scim.projection import Projection
from connector.scim.render import Member, group_body, member_list

ReadMembers = Callable[[str], Iterable[Member]]

_MEMBERS = "members"


class Stored(Protocol):
    """A version of a resource as the store keeps it."""

    @property
    def id(self) -> str:
        """The id of the resource."""

    @property
    def modified(self) -> str:
        """The time of the last change, as RFC 3339."""

    @property
    def body(self) -> str:
        """The body; that of a group is without its members."""


class Bodies:
    """Makes bodies for one public base URL."""

    def __init__(self, base: str) -> None:
        self.edition = hashlib.sha256(f"{__version__} {base}".encode()).hexdigest()[:8]
        """Stands in every tag for what changes all bodies at once: this program and its address."""
        self.places = {BASE: encode(base)[1:-1], EDITION: self.edition}
        """What is served in the places that a stored body keeps free."""

    def tag(self, stored: Stored) -> str:
        """Return the opaque part of the entity tag of a resource."""
        return f"{stored.modified}-{self.edition}"

    def body(
        self, kind: Kind, stored: Stored, members: ReadMembers, projection: Projection | None = None
    ) -> Iterable[str]:
        """Return the body of a resource, in pieces, in which `places` may be free.

        Args:
            kind: users or groups.
            stored: the resource.
            members: reads the members of the group of an id; not called where they are not shown (P23).
            projection: what to show, None = everything.
        """
        if projection is not None:
            return self._cut(kind, stored, members, projection)
        return (stored.body,) if kind is Kind.USERS else group_body(stored.body, members(stored.id))

    def batches(
        self,
        kind: Kind,
        slices: Iterable[Sequence[Stored]],
        members: ReadMembers,
        projection: Projection | None = None,
    ) -> Iterator[Batch]:
        """Return the bodies of many resources; arguments as those of `body`.

        What is in memory anyway is joined at once; a group with members is a batch of its own, streamed.
        """
        streamed = kind is Kind.GROUPS and (projection is None or projection.shows(_MEMBERS))
        for some in slices:
            if streamed:
                yield from (Batch(1, self.body(kind, stored, members, projection)) for stored in some)
            elif projection is None:
                yield Batch(len(some), (",".join([stored.body for stored in some]),))
            else:
                yield Batch(len(some), (",".join([projection.cut(self.fill(stored.body)) for stored in some]),))

    def fill(self, text: str) -> str:
        """Return a text as it is served."""
        for place, value in self.places.items():
            text = text.replace(place, value)
        return text

    def _cut(self, kind: Kind, stored: Stored, members: ReadMembers, projection: Projection) -> Iterable[str]:
        kept = projection.cut(self.fill(stored.body))
        if kind is Kind.USERS or not projection.shows(_MEMBERS):
            return (kept,)
        return _with_members(kept, members(stored.id), projection)


def _with_members(kept: str, members: Iterable[Member], projection: Projection) -> Iterator[str]:
    return chain((kept[:-1],), member_list(members, projection.parts(_MEMBERS)), ("}",))
