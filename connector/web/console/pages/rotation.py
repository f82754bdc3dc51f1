"""The accounts whose passwords are rotated, and what needs an operator; never a password."""

from flask import Response

from connector.directory.runs import RunKind
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer
from connector.web.console.text import time_of
from connector.web.console.words import Word
from connector.web.services import Services

_OUTCOMES = {
    "waiting": Word("Not tried yet", "quiet"),
    "rotated": Word("Rotated", "good"),
    "finished": Word("Finished what was begun", "good"),
    "failed": Word("Needs an operator", "bad"),
}


class RotationPage:
    """Answers with the accounts.

    Args:
        renderer: makes the page.
        services: tells the time of the store.
        parts: the accounts and their schedule.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._measures = services.measures
        self._schedule = parts.schedules.rotation
        self._accounts: RotatedAccounts = parts.accounts
        self._runs: Runs = parts.runs

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {"/rotation": {"GET": self.show}}

    def show(self) -> Response:
        """Show the accounts, those that need an operator first."""
        now = self._measures.read().now
        accounts = self._accounts.all()
        return self._renderer.page(
            "rotation.html",
            accounts=[
                (account, _OUTCOMES.get(account.last.outcome, Word(account.last.outcome.capitalize(), "good")))
                for account in accounts
            ],
            needing=sum(account.needs_operator for account in accounts),
            next_rotation=time_of(self._schedule.next_after(now)) if self._schedule else None,
            last_run=next(iter(self._runs.history(count=1, kinds=(RunKind.ROTATE,))), None),
        )
