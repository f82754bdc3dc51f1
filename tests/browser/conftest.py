"""A real Chromium before the demonstration: one server, one browser and one signing in for all tests of this folder."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.stage import Demo, Visit, demonstrated, launched

SignedIn = Callable[..., Visit]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The demonstration, with a small pool, synced once; each test leaves it without a plan that waits."""
    with demonstrated(users=60, groups=4) as made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def session(chromium: Browser, demo: Demo) -> Any:
    """What a browser keeps that has signed in at the bare address."""
    visit = Visit.begin(chromium, demo)
    visit.page.goto(demo.base.removesuffix("/console"))
    visit.sign_in()
    visit.page.wait_for_selector("#state")
    assert visit.faults == []
    kept = visit.context.storage_state()
    visit.context.close()
    return kept


@pytest.fixture
def visit(chromium: Browser, demo: Demo, session: Any) -> Iterator[SignedIn]:
    """Opens a window of the wanted kind, signed in; every fault that the browser reports fails the test."""
    visits: list[Visit] = []

    def begin(**kind: Any) -> Visit:
        visits.append(Visit.begin(chromium, demo, storage_state=session, **kind))
        visits[-1].open()
        return visits[-1]

    yield begin
    for one in visits:
        assert one.faults == []
        one.context.close()
