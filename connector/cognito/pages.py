"""Walk the pages of a list operation to their end.

Cognito answers short and even empty pages with a token (API reference of ListUsers; aws-cli#3868). Promises P07, P08.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from connector.directory.counts import count_of
from connector.errors import HarvestIncomplete

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """One answer of a list operation."""

    records: tuple[Record, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class PageLimit:
    """The number of pages after which a walk is taken for endless."""

    pages: int


@dataclass(frozen=True, slots=True)
class Ask(Generic[Record]):
    """A list operation with everything but its token, which `page` takes."""

    operation: str
    target: str
    page: Callable[[str | None], Page[Record]]


def walk(ask: Ask[Record], *, limit: PageLimit) -> Iterator[Page[Record]]:
    """Follow one token chain to its end, which only a null token is.

    Raises:
        HarvestIncomplete: a token came twice, or more pages came than `limit` allows.
    """
    token: str | None = None
    seen: set[int] = set()
    for number in count(1):
        page = ask.page(token)
        yield page
        token = page.next_token
        if token is None:
            return
        # A token is over a kilobyte; its hash keeps the memory of a long walk small.
        if hash(token) in seen:
            raise _incomplete(ask, f"page {number} ended with a token that had been answered before")
        if number >= limit.pages:
            raise _incomplete(ask, f"no end after {count_of(limit.pages, 'page')}")
        seen.add(hash(token))


def _incomplete(ask: Ask[Record], what: str) -> HarvestIncomplete:
    return HarvestIncomplete(
        f"{ask.operation} on {ask.target} did not come to its end: {what}.",
        remedy="Nothing was published. Try again; if it stays so, report it to AWS Support with the time of the run.",
    )
