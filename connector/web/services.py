"""What the web application needs from the house, as ports no wider than it uses them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from scim2_models.path import FilterNode

from connector.directory.rows import Kind
from connector.store.generations import Generation
from connector.store.reader import Member, Page, Stored


class DirectoryReader(Protocol):
    """Reads the published directory; see `connector.store.reader`."""

    def ping(self) -> None:
        """Make sure that the store answers, or raise StoreError."""

    def newest(self) -> Generation | None:
        """Return the newest generation, None before the first."""

    def find(self, kind: Kind, identifier: str, generation: Generation) -> Stored | None:
        """Return the resource of this id in a generation."""

    def page(
        self, kind: Kind, generation: Generation, *, start: int, count: int, where: FilterNode | None = None
    ) -> Page:
        """Return some resources of a generation, streamed."""

    def members(self, group_id: str, generation: Generation) -> Iterator[Member]:
        """Stream the members of a group in a generation."""


class Client(Protocol):
    """A caller that is let in."""

    @property
    def name(self) -> str:
        """The name it was made with."""

    @property
    def role(self) -> str:
        """What it may do."""


class Clients(Protocol):
    """Knows the callers; see `connector.store.clients`."""

    def authenticate(self, token: str) -> Client | None:
        """Return the client whose token this is, None for any other text."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the application works with.

    Args:
        reader: the published directory.
        clients: who is let in.
        public_base_url: where importers reach the server; every URL that is served begins with it.
        max_results: how many resources one response holds at most.
        trusted_proxies: how many proxies stand in front and tell the truth about the caller.
    """

    reader: DirectoryReader
    clients: Clients
    public_base_url: str
    max_results: int
    trusted_proxies: int = 0

    @property
    def scim_base_url(self) -> str:
        """The base URL of the SCIM endpoint, without a slash at its end."""
        return self.public_base_url.rstrip("/") + "/scim/v2"
