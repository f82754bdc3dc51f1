import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cognito.pages import Ask, Page, PageLimit, walk
from connector.errors import HarvestIncomplete

LIMIT = PageLimit(1000)


def scripted(pages: list[list[int]]) -> Ask[int]:
    """Return a list operation that answers with these pages; its tokens are their numbers."""

    def page(token: str | None) -> Page[int]:
        number = int(token or 0)
        return Page(tuple(pages[number]), str(number + 1) if number + 1 < len(pages) else None)

    return Ask("ListUsers", "user pool x", page)


def cycling(length: int) -> Ask[int]:
    """Return a list operation whose tokens come round again after `length` of them."""
    return Ask("ListUsers", "user pool x", lambda token: Page((), str((int(token or 0) + 1) % length)))


@pytest.mark.parametrize("pages", [[[]], [[1]], [[], [1]], [[], [], [1, 2], [], [3]], [[1], [2], [3], []]])
def test_only_a_null_token_ends_a_walk(pages: list[list[int]]) -> None:
    """P07: neither a short nor an empty page is the end."""
    assert pages == [list(page.records) for page in walk(scripted(pages), limit=LIMIT)]


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=12))
def test_any_split_into_pages_gives_the_same_records(pages: list[list[int]]) -> None:
    """P07: how Cognito cuts the same records into pages does not matter."""
    together = [record for page in pages for record in page]

    assert together == [record for page in walk(scripted(pages), limit=LIMIT) for record in page.records]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_token_that_comes_back_ends_the_walk_as_incomplete(length: int) -> None:
    """P08: a cycle of tokens is found in its second round."""
    pages = walk(cycling(length), limit=LIMIT)

    seen = [next(pages) for _ in range(length + 1)]

    assert len(seen) == length + 1
    with pytest.raises(HarvestIncomplete, match="answered before"):
        next(pages)


def test_more_pages_than_the_limit_are_incomplete() -> None:
    """P08: tokens that never repeat and never end are cut off."""
    endless: Ask[int] = Ask("ListGroups", "user pool x", lambda token: Page((), str(int(token or 0) + 1)))
    pages = walk(endless, limit=PageLimit(7))

    seen = [next(pages) for _ in range(7)]

    assert len(seen) == 7
    with pytest.raises(HarvestIncomplete, match=r"ListGroups on user pool x .* no end after 7 pages"):
        next(pages)


def test_as_many_pages_as_the_limit_are_complete() -> None:
    """P08: the limit itself is allowed."""
    assert len(list(walk(scripted([[1]] * 7), limit=PageLimit(7)))) == 7
