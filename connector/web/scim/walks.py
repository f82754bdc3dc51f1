"""Which generation a page is read from, and from which row on: as pinned, or as the cursor says (P14)."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flask import g, request
from scim2_models import ExpiredCursorException, InvalidValueException

from connector.directory.rows import Kind
from connector.scim.cursor import Cursor, read_cursor, write_cursor
from connector.scim.query import HIGHEST, ListRequest
from connector.store.generations import Generation
from connector.store.imports import ServedPage
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.walk_rules import BY_CURSOR, PinnedPage, Walk, WalkExpired
from connector.web.scim.scim_faults import NothingPublished

Asked = Mapping[Kind, ListRequest]

_log = logging.getLogger(__name__)
_LONGEST_ADDRESS = 45
"""Characters, of IPv6 with IPv4 in it; behind a proxy it is what somebody wrote into a header."""


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page begins.

    Args:
        asked: the request, beginning at the right row.
        generation: the state to read.
        pinned: the page as the walk's pin knows it, None for a request that wants no rows.
        query: digest of what is asked, but for the page.
    """

    asked: Asked
    generation: Generation
    pinned: PinnedPage | None
    query: str

    @property
    def start(self) -> int:
        """1-based index of the first row."""
        return _first(self.asked).start

    @property
    def is_by_cursor(self) -> bool:
        """Whether the page is one of a walk by cursor."""
        return _first(self.asked).cursor is not None

    def next_cursor(self, *, rows: int, total: int) -> str | None:
        """Return the cursor of the next page; None at the end, and where none was asked for."""
        if not self.is_by_cursor or self.start + rows > total:
            return None
        return write_cursor(Cursor(self.generation.number, self.start + rows), self.query)


class Pager:
    """Finds the place of each page, and notes what later pages depend on.

    Args:
        reader: the published directory.
        pins: which generation each walk reads.
        note_import: is told of each page of a walk over everything.
    """

    def __init__(
        self, reader: DirectoryReader, pins: Pins, note_import: Callable[[ServedPage], None] = lambda _: None
    ) -> None:
        self._reader = reader
        self._pins = pins
        self._note_import = note_import

    def find(self, asked: Asked) -> PageStart:
        """Return where the page begins.

        Raises:
            NothingPublished: there is no generation yet.
            InvalidValueException, ExpiredCursorException: the walk cannot go on; it has to begin again.
            InvalidCursorException: the cursor is not one of ours.
        """
        whole = {kind: replace(part, start=1, count=None, cursor=None) for kind, part in asked.items()}
        query = hashlib.sha256(repr(whole).encode()).hexdigest()
        cursor = _first(asked).cursor
        if cursor is not None:
            return self._by_cursor(asked, query, cursor)
        if _first(asked).count == 0:
            newest = self._reader.newest()
            if newest is None:
                raise NothingPublished
            return PageStart(asked, newest, None, query)
        try:
            page = self._pins.find(_walk(asked, query), start=_first(asked).start)
        except WalkExpired as expired:
            raise InvalidValueException(detail=str(expired)) from expired
        if page is None:
            raise NothingPublished
        return PageStart(asked, page.generation, page, query)

    def note(self, place: PageStart, *, rows: int, total: int) -> None:
        """Note that the page was read."""
        page = place.pinned
        if page is None or _first(place.asked).count == 0:
            return
        if page.other_address:
            _log.warning(
                "client %r reads one walk from %s and from %s: if these are two importers, make a client for each, or "
                "each gets pages of the other's generation",
                g.client.name,
                page.other_address,
                page.walk.address,
            )
        self._pins.note(page, rows=rows, total=total)
        if len(place.asked) == 1 and not page.walk.filtered:
            self._note_import(
                ServedPage(page.walk.client, page.walk.kind, page.generation.number, place.start, rows, total)
            )

    def _by_cursor(self, asked: Asked, query: str, text: str) -> PageStart:
        cursor = read_cursor(text, query) if text else None
        try:
            if cursor is None:
                page = self._pins.find(_walk(asked, query), start=1)
            else:
                page = self._pins.resume(_walk(asked, query), start=cursor.start, generation=cursor.generation)
        except WalkExpired as expired:
            raise ExpiredCursorException(detail=str(expired)) from expired
        if page is None:
            raise NothingPublished
        at_start = {kind: replace(part, start=page.start) for kind, part in asked.items()}
        return PageStart(at_start, page.generation, page, query)


def _walk(asked: Asked, query: str) -> Walk:
    first = _first(asked)
    count = HIGHEST if first.count is None else first.count
    return Walk(
        client=str(g.client.id),
        kind=next(iter(asked)),
        query=query,
        count=count if first.cursor is None else BY_CURSOR,
        filtered=any(part.where is not None for part in asked.values()),
        address=(request.remote_addr or "")[:_LONGEST_ADDRESS],
    )


def _first(asked: Asked) -> ListRequest:
    return next(iter(asked.values()))
