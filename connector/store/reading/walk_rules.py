"""The rules of a walk: which generation a page is read from, and when a pin is dropped (P14).

Index paging carries no state, and one credential is one importer: that is all there is to tell walks apart by.

- `count=0` asks for the total; it reads the newest generation and has no pin.
- A first page takes the newest generation and begins its walk anew, except while that walk is under way: it got further
  less than a minute ago and has not read its last row. Then it joins. So no probe, no poll of first pages and no
  importer that never reads to the end keeps itself from the newest generation.
- The first page over all groups takes, once, the generation of the client's last walk over all users that read its last
  row, so that no membership names a user it was not shown.
- A later page reads its walk's pin while the pin is live. With another count it belongs to the walk whose last page it
  is, or else to the client's walk over that query. Where two walks would answer differently, it is refused.
- A pin is live while its last page is younger than `sync.walk_timeout` and its first younger than 24 times that.
- A client holds at most `MOST_PINS` pins. Room is made of what is past its greatest age, then of filtered searches,
  then of whole walks; the finished ones first, the one left alone for longest first. What is dropped leaves a mark: for
  the greatest age, a later page without a pin is refused. Without mark or pin it takes the newest generation.
- A live pin keeps its generation; when a generation goes, a pin outlives it until its own time is past, so that a late
  page is refused and not read from another generation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connector.directory.rows import Kind
from connector.store.generations import Generation

MOST_PINS = 100
LIFETIMES = 24
"""A walk may take so many times `sync.walk_timeout`, from its first page to its last."""
UNDER_WAY = 60_000
"""Milliseconds since it got further for which a walk counts as under way."""
LAG = 5_000
"""Milliseconds by which what is noted of a walk may lag, so that a page seldom costs a write."""
BY_CURSOR = -1
"""The count of a walk by cursor, whose pin only keeps the generation that its cursors name."""


class WalkExpired(ValueError):
    """The generation that this walk began with can no longer be told, or is no longer kept for it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Who walks over what.

    Args:
        client: id of the client.
        kind: users or groups.
        query: digest of everything the client asks for but its page.
        count: how many rows a page has, a large number for all; `BY_CURSOR` for a walk by cursor.
        filtered: whether it asks for some resources only.
        address: where the client asks from.
    """

    client: str
    kind: Kind
    query: str
    count: int
    filtered: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """What is noted of a walk, and its generation if that is kept.

    Ages are in milliseconds; `progress_age` is None while only the first page was read.
    """

    kept: Generation | None
    count: int
    generation: int
    begun_at: int
    first_age: int
    last_age: int
    progress_age: int | None
    reached: int
    total: int
    address: str

    @property
    def is_finished(self) -> bool:
        """Whether the last row was read."""
        return self.reached >= self.total

    def ends_with(self, start: int, count: int) -> bool:
        """Tell whether a page is the last one of this walk, asked for no longer than it is."""
        return count < self.count and (start - 1) % self.count == 0 and start + count - 1 == self.total

    def has_come_to(self, start: int) -> bool:
        """Tell whether a page may be the next: of a walk that read its first page only, the second one is."""
        return self.progress_age is not None or start == 1 + self.count


@dataclass(frozen=True, slots=True)
class ImporterState:
    """What is noted of a client; ages are in milliseconds, None for what never was.

    Args:
        users: the generation of the last walk over all users that read its last row; None once groups used it up.
        users_age: when that was.
        walks_dropped_age: when the pin of a whole walk was last dropped for room.
        searches_dropped_age: when that of a filtered search was.
    """

    users: Generation | None = None
    users_age: int | None = None
    walks_dropped_age: int | None = None
    searches_dropped_age: int | None = None


@dataclass(frozen=True, slots=True)
class PinnedPage:
    """A page and the generation it is read from.

    Args:
        walk: the walk it belongs to.
        start: number of its first row, counted from 1.
        generation: what it is read from.
        pin: the pin that says so; None where the page begins a walk.
        replaces: whether a walk that begins takes the place of an earlier one.
        importer: what is noted of the client.
    """

    walk: Walk
    start: int
    generation: Generation
    pin: Pin | None
    replaces: bool
    importer: ImporterState

    @property
    def other_address(self) -> str:
        """Where else this walk is read from, empty if nowhere else or if that is noted already."""
        known = self.pin.address if self.pin else ""
        return known if known and known != self.walk.address else ""

    def last_row(self, rows: int) -> int:
        """Return the number of the page's last row, 0 for an empty page."""
        return self.start + rows - 1 if rows else 0

    def reads_end(self, rows: int, total: int) -> bool:
        """Tell whether the page holds the last row; of nothing, the first page is the end."""
        return self.last_row(rows) >= total if total else self.start <= 1

    def needs_pin(self, rows: int, total: int) -> bool:
        """Tell whether a later page may be asked for, after the page that begins a walk.

        Importers that go by the length of a page ask once more after one that is full.
        """
        if self.walk.count == BY_CURSOR:
            return self.last_row(rows) < total
        return self.start > 1 or rows < total or rows >= self.walk.count


class WalkRules:
    """Chooses generations.

    Args:
        timeout: milliseconds after its last page for which a walk stays pinned.
    """

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self.greatest_age = LIFETIMES * timeout

    def choose(
        self, walk: Walk, start: int, newest: Generation, importer: ImporterState, pins: Sequence[Pin]
    ) -> PinnedPage:
        """Return the page with the generation that it is read from.

        Args:
            walk: the walk, as the page asks for it.
            start: number of the first row of the page.
            newest: the newest generation.
            importer: what is noted of the client.
            pins: its pins over this query, whatever their count.

        Raises:
            WalkExpired: the page is a later one, and its generation cannot be told or is gone.
        """
        own = next((pin for pin in pins if pin.count == walk.count), None)
        if start > 1:
            pin = self._pin_of_later_page(walk, start, own, importer, [pin for pin in pins if pin.count != BY_CURSOR])
            return PinnedPage(walk, start, pin.kept if pin and pin.kept else newest, pin, own is not None, importer)
        if own and own.kept and self._is_under_way(own):
            return PinnedPage(walk, start, own.kept, own, replaces=False, importer=importer)
        begun_with = self._users_generation(walk, importer) or newest
        return PinnedPage(walk, start, begun_with, None, own is not None, importer)

    def is_fresh(self, age: int | None, lifetime: int) -> bool:
        """Tell whether something was, and is younger than a time."""
        return age is not None and age < lifetime

    def _is_live(self, pin: Pin) -> bool:
        return pin.kept is not None and pin.last_age < self.timeout and pin.first_age < self.greatest_age

    def _is_under_way(self, pin: Pin) -> bool:
        is_moving = pin.count != BY_CURSOR and self.is_fresh(pin.progress_age, UNDER_WAY + LAG)
        return is_moving and not pin.is_finished and self._is_live(pin)

    def _was_abandoned(self, pin: Pin) -> bool:
        """Tell whether somebody may still come back to a walk that is no longer live."""
        is_open = pin.progress_age is not None and not pin.is_finished
        return is_open and not self._is_live(pin) and pin.last_age < self.greatest_age

    def _users_generation(self, walk: Walk, importer: ImporterState) -> Generation | None:
        if walk.kind is not Kind.GROUPS or walk.filtered or not self.is_fresh(importer.users_age, self.timeout):
            return None
        return importer.users

    def _pin_of_later_page(
        self, walk: Walk, start: int, own: Pin | None, importer: ImporterState, pins: Sequence[Pin]
    ) -> Pin | None:
        """Return the one live pin that a later page can belong to, None where nothing tells of any walk."""
        dropped = importer.searches_dropped_age if walk.filtered else importer.walks_dropped_age
        if own is None and self.is_fresh(dropped, self.greatest_age):
            raise WalkExpired(
                "The walk that this page belongs to was given up for others; begin again at startIndex 1."
            )
        if not pins:
            return None
        claims = [pin for pin in pins if pin is own or pin.ends_with(start, walk.count)] or list(pins)
        live = _agreeing([pin for pin in claims if self._is_live(pin)], lambda pin: pin.has_come_to(start))
        if not live or (own and self._was_abandoned(own)):
            raise WalkExpired("The generation that this walk began with is gone; begin again at startIndex 1.")
        if len({pin.generation for pin in live}) > 1:
            raise WalkExpired("Two walks of this client could go on here; begin again at startIndex 1.")
        return min(live, key=lambda pin: (pin is not own, pin.last_age))


def _agreeing(pins: list[Pin], likelier: Callable[[Pin], bool]) -> list[Pin]:
    """Return pins of one generation as they are, and of several only those that are likelier, if there are any."""
    if len({pin.generation for pin in pins}) <= 1:
        return pins
    return [pin for pin in pins if likelier(pin)] or pins
