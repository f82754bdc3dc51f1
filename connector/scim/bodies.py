"""Bodies as one request wants them: with their members, and whole or cut.

The version of a resource is its weak entity tag and its `meta.version`, which must be equal (RFC 7643, section 3.1):
the time of its last change, which no two generations share, and the edition.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from connector import __version__
from connector.directory.rows import Kind, StoredRow
from connector.directory.stored_body import BASE, EDITION, MEMBERS, ShownMember, with_members
from connector.scim.encoding import encode
from connector.scim.list_response import Batch
from connector.scim.projection import Projection

ReadMembers = Callable[[str], Iterable[ShownMember]]


class Bodies:
    """Makes bodies for one public base URL."""

    def __init__(self, base: str) -> None:
        self.edition = hashlib.sha256(f"{__version__} {base}".encode()).hexdigest()[:8]
        """Stands in every tag for what changes all bodies at once: this program and its address."""
        self.places = {BASE: encode(base)[1:-1], EDITION: self.edition}
        """What is served in the places that a stored body keeps free."""

    def tag(self, stored: StoredRow) -> str:
        """Return the opaque part of the entity tag of a resource."""
        _, modified, _ = stored
        return f"{modified}-{self.edition}"

    def body(
        self, kind: Kind, stored: StoredRow, members: ReadMembers, projection: Projection | None = None
    ) -> Iterable[str]:
        """Return the body of a resource, in pieces, in which `places` may be free.

        Args:
            kind: users or groups.
            stored: the resource.
            members: reads the members of the group of an id; not called where they are not shown (P23).
            projection: what to show, None = everything.
        """
        identifier, _, body = stored
        if projection is None:
            return (body,) if kind is Kind.USERS else with_members(body, members(identifier))
        kept = projection.cut(self.fill(body))
        if kind is Kind.USERS or not projection.shows(MEMBERS):
            return (kept,)
        return with_members(kept, members(identifier), projection.parts(MEMBERS))

    def batches(
        self,
        kind: Kind,
        slices: Iterable[Sequence[StoredRow]],
        members: ReadMembers,
        projection: Projection | None = None,
    ) -> Iterator[Batch]:
        """Return the bodies of many resources; arguments as those of `body`.

        What is in memory anyway is joined at once; a group with members is a batch of its own, streamed.
        """
        streamed = kind is Kind.GROUPS and (projection is None or projection.shows(MEMBERS))
        for rows in slices:
            if streamed:
                yield from (Batch(1, self.body(kind, row, members, projection)) for row in rows)
            elif projection is None:
                yield Batch(len(rows), (",".join([body for _, _, body in rows]),))
            else:
                yield Batch(len(rows), (",".join([projection.cut(self.fill(body)) for _, _, body in rows]),))

    def fill(self, text: str) -> str:
        """Return a text as it is served."""
        for place, value in self.places.items():
            text = text.replace(place, value)
        return text
