"""A walk over the published directory as an importer makes it: discovery, then page after page, over HTTP.

The client is scim2-client, which knows nothing of this product: it builds its models from what the endpoint says of
itself, and validates every answer against them (RFC 7643, section 5; RFC 7644, section 3.4.2.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from httpx2 import Client
from scim2_client import SCIMClientException
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import ListResponse, Resource, SCIMException, SearchRequest

from connector.errors import ConnectorError

PAGE_SIZE = 100
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class ClientWalk:
    """What a client met on its walk; everybody is counted once."""

    users: int
    groups: int
    pages: int
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a client walked, beside what the pool holds."""

    walk: ClientWalk
    users: int
    groups: int

    @property
    def is_exact(self) -> bool:
        """Whether the client met everybody."""
        return (self.walk.users, self.walk.groups) == (self.users, self.groups)

    def sentence(self) -> str:
        """Say it in the words of the contract."""
        return (
            f"walked {self.walk.users} of {self.users} users and {self.walk.groups} of {self.groups} groups"
            f" in {self.walk.pages} pages of {self.walk.page_size}"
        )


def walk_directory(base_url: str, token: str) -> ClientWalk:
    """Read every user and every group, `PAGE_SIZE` at a time.

    Args:
        base_url: the SCIM base URL.
        token: the bearer token of a client.

    Raises:
        ConnectorError: an answer was an error, or not what the endpoint's own schemas promise.
    """
    headers = {"Authorization": f"Bearer {token}"}
    with Client(base_url=base_url, headers=headers, timeout=_TIMEOUT, trust_env=False) as http:
        client = SyncSCIMClient(http)
        try:
            client.discover()
            users = [_ids(page) for page in _pages(client, "User")]
            groups = [_ids(page) for page in _pages(client, "Group")]
        except (SCIMClientException, SCIMException) as error:
            raise ConnectorError(
                f"The walk over {base_url} ended early: {_in_a_line(error)}",
                remedy="Look at what the endpoint answers with the curl line above.",
            ) from error
    return ClientWalk(len(set().union(*users)), len(set().union(*groups)), len(users) + len(groups))


def _pages(client: SyncSCIMClient, resource_type: str) -> Iterator[list[Resource[Any]]]:
    start, total = 1, 1
    while start <= total:
        query: SearchRequest[Any] = SearchRequest(start_index=start, count=PAGE_SIZE)
        answer = client.query(resource_type, query_parameters=query, raise_scim_errors=True)
        assert isinstance(answer, ListResponse)
        page = answer.resources or []
        yield page
        start += len(page)
        total = (answer.total_results or 0) if page else 0


def _ids(page: list[Resource[Any]]) -> set[str]:
    return {resource.id for resource in page if resource.id}


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
