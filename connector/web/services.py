"""What the web application needs from the house, as ports no wider than it uses them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from scim2_models.path import FilterNode

from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind
from connector.scim.base_url import scim_base_url
from connector.store.audit import Actor, Counted
from connector.store.changes.changes_reader import ChangeList
from connector.store.clients import Client
from connector.store.generations import Generation
from connector.store.reading.reader import Member, ResourcePage, Stored
from connector.store.reading.sql_filters import Sort
from connector.store.reading.walk_rules import PinnedPage, Walk
from connector.store.runs.figures import Figures
from connector.web.console.parts import ConsoleParts


class DirectoryReader(Protocol):
    """Reads the published directory; see `connector.store.reading.reader`."""

    def newest(self) -> Generation | None:
        """Return the newest generation, None before the first, or raise StoreError."""

    def generation(self, number: int) -> Generation | None:
        """Return the generation of this number, if it is kept."""

    def find(self, kind: Kind, identifier: str, generation: Generation) -> Stored | None:
        """Return the resource of this id in a generation."""

    def page(  # noqa: PLR0913 - what a page is asked for by
        self,
        kind: Kind,
        generation: Generation,
        *,
        start: int,
        count: int,
        where: FilterNode | None = None,
        sort: Sort | None = None,
    ) -> ResourcePage:
        """Return some resources of a generation, streamed."""

    def members(self, group_id: str, generation: Generation) -> Iterator[Member]:
        """Stream the members of a group in a generation."""


class Pins(Protocol):
    """Notes which generation each walk reads; see `connector.store.reading.pins`."""

    def find(self, walk: Walk, *, start: int) -> PinnedPage | None:
        """Return from which generation a page is read, None before the first, or raise WalkExpired."""

    def resume(self, walk: Walk, *, start: int, generation: int) -> PinnedPage:
        """Return a later page of a walk by cursor, or raise WalkExpired."""

    def note(self, page: PinnedPage, *, rows: int, total: int) -> None:
        """Note that a page was read."""


class Clients(Protocol):
    """Knows the callers; see `connector.store.clients`."""

    def authenticate(self, token: str) -> Client | None:
        """Return the client whose bearer or access token this is, None for any other text."""

    def verify(self, client_id: str, client_secret: str) -> Client | None:
        """Return the client whose id and secret these are, None for any other pair."""

    def verify_user(self, client: Client, username: str, password: str) -> bool:
        """Tell whether user name and password are those made for a client."""

    def issue_token(self, client: Client, *, seconds: int) -> str:
        """Return a new access token."""


class AuditTrail(Protocol):
    """Keeps what callers did; see `connector.store.audit`."""

    def count(self, counted: Sequence[Counted]) -> None:
        """Add what callers did, or raise StoreError."""


class RunRecord(Protocol):
    """A run as far as it has come; see `connector.store.runs.queue`."""

    @property
    def id(self) -> int:
        """The number of the run."""

    def as_json(self) -> dict[str, Any]:
        """Return the document that callers read."""


class Runs(Protocol):
    """The queue of runs and their history; see `connector.store.runs.queue`."""

    def request(self, kind: RunKind, *, cause: Cause, approve: str | None = None, by: Actor) -> RunRecord:
        """Ask for a run, or raise AlreadyRunning or ApprovalRefused."""

    def find(self, run: int, /) -> RunRecord:
        """Return the run of this number, or raise NoSuchRun."""

    def history(self, *, count: int, before: int | None = None) -> Sequence[RunRecord]:
        """Return the newest runs, or those before the run of a number."""

    def cancel(self, run: int, /, *, by: Actor) -> RunRecord:
        """Ask a run to end and return it, or raise RunEnded."""

    def discard(self, run: int, /, *, by: Actor, reason: str) -> RunRecord:
        """Discard the refused plan of a run and return the run, or raise NothingToDiscard."""


class ChangesReader(Protocol):
    """Lists who changed; see `connector.store.changes.changes_reader`."""

    def of_run(self, run: int, /) -> ChangeList:
        """Return what a run changed, or would change, or raise NoSuchRun or NoChangesKept."""

    def between(self, first: int, last: int, /) -> ChangeList:
        """Return what changed from one generation to another, or raise NoChangesKept."""


class Measures(Protocol):
    """Reads what the store amounts to; see `connector.store.runs.figures`."""

    def read(self) -> Figures:
        """Return the figures of this moment, or raise StoreError."""

    def prove_writable(self) -> None:
        """Try whether the store takes changes, or raise StoreError."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the application works with.

    Args:
        reader: the published directory.
        pins: which generation each walk reads.
        clients: who is let in.
        runs: what is done, and was.
        changes: who was changed by it.
        measures: what the store amounts to.
        audit: what callers did.
        public_base_url: where importers reach the server; every URL that is served begins with it.
        max_results: how many resources one response holds at most.
        trusted_proxies: how many proxies stand in front and tell the truth about the caller.
        requests_per_second_per_client: how fast one client may ask; None = as fast as it likes.
        clock: seconds of any origin, never going back, by which limits are counted.
        sync_interval: seconds between two scheduled syncs at most; None = no schedule.
        next_rotation: when accounts are rotated next after a time, both in seconds since 1970; None = no schedule.
        lending: lets what one request reads of the store go through one connection.
        console: what the console needs beside this; None = there is no console.
    """

    reader: DirectoryReader
    pins: Pins
    clients: Clients
    runs: Runs
    changes: ChangesReader
    measures: Measures
    audit: AuditTrail
    public_base_url: str
    max_results: int
    trusted_proxies: int = 0
    requests_per_second_per_client: float | None = None
    clock: Callable[[], float] = time.monotonic
    sync_interval: float | None = None
    next_rotation: Callable[[float], float] | None = None
    lending: Callable[[], AbstractContextManager[None]] = nullcontext
    console: ConsoleParts | None = None

    @property
    def scim_base_url(self) -> str:
        """The base URL of the SCIM endpoint, without a slash at its end."""
        return scim_base_url(self.public_base_url)
