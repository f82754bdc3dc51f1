"""A real Chromium before the demonstration: one server and one browser for all tests of this folder."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from connector.bootstrap.runs import run_sync
from connector.demo import demonstration
from connector.demo.demonstration import DemoOptions, DemoStage, Endpoint
from connector.sync.progress import Silence

AXE = (Path(__file__).parent / "axe.min.js").read_text()
PATIENCE_MILLISECONDS = 60_000
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Demo:
    """The demonstration: its pool, which tests change, and how to sign in."""

    stage: DemoStage
    endpoint: Endpoint

    @property
    def base(self) -> str:
        """The address of the console, without a slash at its end."""
        return self.endpoint.console_url.rstrip("/")

    def remove_users(self, number: int) -> None:
        """Remove users from the pool, as somebody at AWS would."""
        pool = self.stage.pool._pool()
        for name in list(pool.users)[:number]:
            user = pool.users.pop(name)
            for group in list(user.groups):
                group.users.discard(user)


@dataclass
class Visit:
    """A browser that is signed in, and what went wrong in it so far."""

    context: BrowserContext
    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Take note of every fault, and of every request that leaves the server."""

        def note_message(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.faults.append(message.text)

        def note_request(asked: Request) -> None:
            if not asked.url.startswith((self.base.removesuffix("/console"), "data:")):
                self.faults.append(asked.url)

        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", note_message)
        self.page.on("request", note_request)

    def open(self, path: str = "") -> Page:
        """Open a page of the console."""
        self.page.goto(f"{self.base}{path}")
        return self.page

    def wait_for(self, pattern: str) -> str:
        """Wait until the outcome of a run is one of some words, and return it."""
        found = self.page.wait_for_selector(f"#outcome >> text=/{pattern}/", timeout=PATIENCE_MILLISECONDS)
        assert found
        return found.inner_text()

    def violations(self) -> list[str]:
        """Return what the policy of the page forbade."""
        told: list[str] = self.page.evaluate("window.violations")
        return told


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The demonstration, with a small pool, synced once."""
    with demonstration._stage(DemoOptions(users=60, groups=4, port=0)) as stage:
        run_sync(stage.settings, Silence())
        with demonstration._endpoint(stage) as (endpoint, _):
            yield Demo(stage, endpoint)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, "no Chromium is here; `make test` installs it where it may (tests/parts)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, demo: Demo) -> Iterator[Callable[..., Visit]]:
    """Signs in with a browser of the wanted kind; every fault that the browser tells fails the test."""
    visits: list[Visit] = []

    def sign_in(**kind: Any) -> Visit:
        context = chromium.new_context(viewport={"width": 1180, "height": 900}, **kind)
        context.add_init_script(WATCH)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        made = Visit(context, page, demo.base)
        made.watch()
        page.goto(demo.base.removesuffix("/console"))
        page.fill("#name", demo.endpoint.operator)
        page.fill("#token", demo.endpoint.operator_token)
        page.click("button:has-text('Sign in')")
        page.wait_for_selector("#state")
        visits.append(made)
        return made

    yield sign_in
    for one in visits:
        assert one.faults == []
        one.context.close()
