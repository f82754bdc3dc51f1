"""Which generation a page is read from, and from which row on: as pinned, or as the cursor says (P14)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flask import g
from scim2_models import ExpiredCursorException, InvalidValueException

from connector.directory.rows import Kind
from connector.scim.cursor import Cursor, read_cursor, write_cursor
from connector.scim.query import ListRequest
from connector.store.generations import Generation
from connector.store.imports import Page
from connector.store.reading.pins import Standing, Walk, WalkExpired
from connector.web.scim.errors import NothingPublished
from connector.web.services import DirectoryReader, Walks

Asked = Mapping[Kind, ListRequest]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins.

    Args:
        asked: the request, beginning at the right row.
        generation: the state to read.
        standing: where the walk by index stands that the page belongs to, None for one by cursor.
        query: digest of what is asked, but for the page.
    """

    asked: Asked
    generation: Generation
    standing: Standing | None
    query: str

    @property
    def start(self) -> int:
        """1-based index of the first row."""
        return _first(self.asked).start

    def next_cursor(self, *, rows: int, total: int) -> str | None:
        """Return the cursor of the next page; None at the end, and where none was asked for."""
        if self.standing is not None or not rows or self.start + rows > total:
            return None
        return write_cursor(Cursor(self.generation.number, self.start + rows), self.query)


class Pager:
    """Finds the place of each page, and remembers what later pages depend on.

    Args:
        reader: the published directory.
        walks: the walks under way.
        note_import: is told of each page of a walk over everything.
    """

    def __init__(
        self, reader: DirectoryReader, walks: Walks, note_import: Callable[[Page], None] = lambda _: None
    ) -> None:
        self._reader = reader
        self._walks = walks
        self._note_import = note_import

    def find(self, asked: Asked) -> Place:
        """Return where the page begins.

        Raises:
            NothingPublished: there is no generation yet.
            InvalidValueException, ExpiredCursorException: the walk cannot go on; it has to begin again.
            InvalidCursorException: the cursor is not one of ours.
        """
        whole = {kind: replace(part, start=1, count=None, cursor=None) for kind, part in asked.items()}
        query = hashlib.sha256(repr(whole).encode()).hexdigest()
        cursor = _first(asked).cursor
        return self._by_index(asked, query) if cursor is None else self._by_cursor(asked, query, cursor)

    def note(self, place: Place, *, rows: int, total: int) -> None:
        """Remember that the page was read."""
        if place.standing is not None:
            self._walks.note_page(place.standing, rows=rows, total=total)
        if len(place.asked) == 1 and _first(place.asked).where is None:
            kind, number = next(iter(place.asked)), place.generation.number
            self._note_import(Page(str(g.client.id), kind, number, place.start, rows, total))

    def _by_index(self, asked: Asked, query: str) -> Place:
        first = _first(asked)
        filtered = any(part.where is not None for part in asked.values())
        walk = Walk(str(g.client.id), next(iter(asked)), f"{query}-{first.count}", filtered=filtered)
        try:
            standing = self._walks.stand(walk, start=first.start)
        except WalkExpired as expired:
            raise InvalidValueException(detail=str(expired)) from expired
        if standing is None:
            raise NothingPublished
        return Place(asked, standing.generation, standing, query)

    def _by_cursor(self, asked: Asked, query: str, text: str) -> Place:
        if not text:
            first_page = {kind: replace(part, start=1) for kind, part in asked.items()}
            newest = self._reader.newest()
            if newest is None:
                raise NothingPublished
            return Place(first_page, newest, None, query)
        cursor = read_cursor(text, query)
        generation = self._reader.generation(cursor.generation)
        if generation is None:
            raise ExpiredCursorException(detail="The generation this cursor reads is gone; begin again without one.")
        return Place({kind: replace(part, start=cursor.start) for kind, part in asked.items()}, generation, None, query)


def _first(asked: Asked) -> ListRequest:
    return next(iter(asked.values()))
