"""What plays before Chromium: the demonstration, whose pool can lose people, be slow, or let nobody in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import sleep
from typing import Any

from moto.cognitoidp.models import CognitoIdpBackend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from connector.bootstrap.runs import run_sync
from connector.demo import demonstration
from connector.demo.demonstration import DemoOptions, DemoStage, Endpoint
from connector.sync.progress import Silence

PATIENCE_MILLISECONDS = 60_000
_WATCH = """
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

    def sync(self) -> None:
        """Publish what the pool holds."""
        run_sync(self.stage.settings, Silence())

    def remove_users(self, number: int) -> None:
        """Remove users from the pool, as somebody at AWS would."""
        pool = self.stage.pool._pool()
        for name in list(pool.users)[:number]:
            user = pool.users.pop(name)
            for group in list(user.groups):
                group.users.discard(user)

    @contextmanager
    def slow_pool(self, seconds: float) -> Iterator[None]:
        """Let each page of users take longer, for the length of a block."""
        quick = CognitoIdpBackend.list_users

        def slow(*args: Any, **kwargs: Any) -> Any:
            sleep(seconds)
            return quick(*args, **kwargs)

        CognitoIdpBackend.list_users = slow  # type: ignore[method-assign]
        try:
            yield
        finally:
            CognitoIdpBackend.list_users = quick  # type: ignore[method-assign]

    @contextmanager
    def closed_role(self) -> Iterator[None]:
        """Let the role trust nobody, for the length of a block."""
        role = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].get_role_by_arn(self.stage.pool.role_arn)
        trust = role.assume_role_policy_document
        role.assume_role_policy_document = '{"Version": "2012-10-17", "Statement": []}'
        try:
            yield
        finally:
            role.assume_role_policy_document = trust


@contextmanager
def demonstrated(*, users: int, groups: int) -> Iterator[Demo]:
    """Serve a demonstration, synced once, for the length of a block."""
    with demonstration._stage(DemoOptions(users=users, groups=groups, port=0)) as stage:
        run_sync(stage.settings, Silence())
        with demonstration._endpoint(stage) as (endpoint, _):
            yield Demo(stage, endpoint)


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the system's Chromium for the length of a block."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, "no Chromium is here; `make test` installs it where it may (tests/parts)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A browser before the console, and what went wrong in it so far."""

    context: BrowserContext
    page: Page
    demo: Demo
    faults: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, browser: Browser, demo: Demo, **kind: Any) -> "Visit":
        """Open a window of the wanted kind, and watch it."""
        context = browser.new_context(**{"viewport": {"width": 1180, "height": 900}, **kind})
        context.add_init_script(_WATCH)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        visit = cls(context, context.new_page(), demo)
        visit._watch()
        return visit

    def sign_in(self) -> None:
        """Enter name and token."""
        self.page.fill("#name", self.demo.endpoint.operator)
        self.page.fill("#token", self.demo.endpoint.operator_token)
        self.page.click("button:has-text('Sign in')")

    def open(self, path: str = "") -> Page:
        """Open a page of the console."""
        self.page.goto(f"{self.demo.base}{path}")
        return self.page

    def start(self, button: str) -> None:
        """Press a button of the list of runs."""
        self.open("/runs")
        self.page.click(f"button:has-text('{button}')")
        self.page.wait_for_selector("#run")

    def wait_for(self, pattern: str) -> str:
        """Wait until the outcome of a run is one of some words, and return it."""
        found = self.page.wait_for_selector(f"#outcome >> text=/{pattern}/")
        assert found
        return found.inner_text()

    def forgive(self, *parts: str) -> None:
        """Count faults as expected that hold some text."""
        self.faults[:] = [fault for fault in self.faults if not any(part in fault for part in parts)]

    def violations(self) -> list[str]:
        """Return what the policy of the page forbade."""
        told: list[str] = self.page.evaluate("window.violations")
        return told

    def _watch(self) -> None:
        """Take note of every fault, and of every request that leaves the server."""

        def note_message(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.faults.append(message.text)

        def note_request(asked: Request) -> None:
            if not asked.url.startswith((self.demo.base.removesuffix("/console"), "data:")):
                self.faults.append(asked.url)

        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", note_message)
        self.page.on("request", note_request)
