"""Who changed: of a plan, of a run, between generations; searched, paged, downloaded; and what is done about a plan.

A count on any page is a link to its rows here. A download is read page by page, so it takes no memory, and it is of the
same list: the page says how many rows it has where that is known, so one that broke off can be told.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, request

from connector.directory.changes import ChangeFilter, ChangeKind, csv_lines
from connector.directory.runs import Cause, RunKind
from connector.errors import AlreadyRunning, NoChangesKept
from connector.store.changes.changes_reader import ChangeList, ChangesReader, Wanted
from connector.store.runs.queue import RunRecord, Runs
from connector.web.console.access import PageRefused
from connector.web.console.pages.page_requests import asked_number, asked_text, entered, find_run, who_asks
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer

PAGE = 50
RETYPED_FROM = 10
"""From so many removals on, whoever approves a plan types their number."""

_FILTERS = {
    "": "Everything",
    ChangeFilter.REMOVED: "Removed",
    ChangeFilter.CREATED: "Created",
    ChangeFilter.UPDATED: "Changed",
    ChangeFilter.RENAMED: "Renamed",
    ChangeFilter.DEACTIVATED: "Deactivated",
    ChangeFilter.EMAIL_CHANGED: "Other e-mail",
    ChangeFilter.EMPTIED: "Emptied groups",
}
_KINDS = {"": "All", ChangeKind.USERS: "Users", ChangeKind.GROUPS: "Groups", ChangeKind.MEMBERSHIPS: "Memberships"}


@dataclass(frozen=True, slots=True)
class ChangeListAddress:
    """Which list is shown, and how its addresses begin and go on."""

    title: str
    parts: tuple[object, ...]
    query: dict[str, Any]
    file_name: str


class ChangesPages:
    """Answers with changes, approves and discards plans.

    Args:
        renderer: makes the pages.
        parts: the runs and the reader of changes.
    """

    def __init__(self, renderer: Renderer, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._runs: Runs = parts.runs
        self._changes: ChangesReader = parts.changes
        self._lookup = parts.lookup

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {
            "/runs/<identifier>/changes": {"GET": self.list_of_run},
            "/runs/<identifier>/changes.csv": {"GET": partial(self.download_of_run, "csv")},
            "/runs/<identifier>/changes.json": {"GET": partial(self.download_of_run, "json")},
            "/runs/<identifier>/approve": {"POST": self.approve},
            "/runs/<identifier>/discard": {"POST": self.discard},
            "/generations": {"GET": self.list_between},
            "/generations/changes.csv": {"GET": partial(self.download_between, "csv")},
            "/generations/changes.json": {"GET": partial(self.download_between, "json")},
        }

    def list_of_run(self, identifier: str) -> Response:
        """Show what a run changed, or would change."""
        run = find_run(self._runs, identifier)
        return self._list(self._of_run(run), _place_of(run), run=run)

    def download_of_run(self, form: str, identifier: str) -> Response:
        """Answer with the wanted changes of a run as a file."""
        run = find_run(self._runs, identifier)
        return _download(self._of_run(run), form, _place_of(run).file_name)

    def list_between(self) -> Response:
        """Show what changed from one kept generation to another."""
        kept = self._lookup.generations(100)
        first, last = asked_number("from"), asked_number("to")
        if first is None or last is None:
            return self._renderer.page("generations.html", kept=kept, listed=None)
        place = ChangeListAddress(
            f"From generation {first} to {last}",
            ("generations",),
            {"from": first, "to": last},
            f"changes-generation-{first}-to-{last}",
        )
        return self._list(self._between(first, last), place, kept=kept)

    def download_between(self, form: str) -> Response:
        """Answer with the wanted changes between two generations as a file."""
        first, last = asked_number("from") or 0, asked_number("to") or 0
        return _download(self._between(first, last), form, f"changes-generation-{first}-to-{last}")

    def approve(self, identifier: str) -> Response:
        """Publish exactly the refused plan that was looked at, as the API does."""
        run = find_run(self._runs, identifier)
        removals = removals_of(run)
        typed = entered("removals").replace(",", "")
        if removals >= RETYPED_FROM and typed != str(removals):
            raise PageRefused(
                409,
                "Nothing was approved.",
                f"The plan removes {removals:,}; you typed {typed[:20] or 'nothing'}. Look at the list again.",
            )
        try:
            asked = self._runs.request(RunKind.SYNC, cause=Cause.CONSOLE, approve=entered("digest"), by=who_asks())
        except AlreadyRunning as fault:
            return self._renderer.go("runs", fault.run, note="already")
        return self._renderer.go("runs", asked.id)

    def discard(self, identifier: str) -> Response:
        """Discard the refused plan of a run, as the API does."""
        run = find_run(self._runs, identifier)
        reason = entered("reason")
        if not reason:
            raise PageRefused(400, "A plan is discarded for a reason.", "Go back and say why; the history keeps it.")
        self._runs.discard(run.id, by=who_asks(), reason=reason[:500])
        return self._renderer.go("runs", run.id)

    def _of_run(self, run: RunRecord) -> ChangeList:
        try:
            return self._changes.of_run(run.id)
        except NoChangesKept as fault:
            raise PageRefused(404, fault.message, fault.remedy) from fault

    def _between(self, first: int, last: int) -> ChangeList:
        try:
            return self._changes.between(first, last)
        except NoChangesKept as fault:
            raise PageRefused(404, fault.message, fault.remedy) from fault

    def _list(self, changes: ChangeList, place: ChangeListAddress, **more: Any) -> Response:
        wanted = _wanted()
        try:
            found = changes.page(wanted, after=request.args.get("after", ""), count=PAGE + 1)
        except ValueError:
            raise PageRefused(400, "The address is mistyped.", "Go back to the beginning of the list.") from None
        except NoChangesKept as fault:
            raise PageRefused(404, fault.message, fault.remedy) from fault
        asked = {"kind": wanted.kind or "", "change": wanted.change or "", "q": wanted.text}
        return self._renderer.page(
            "changes.html",
            place=place,
            changes=found[:PAGE],
            after=found[PAGE - 1].key if len(found) > PAGE else None,
            asked=asked,
            kinds=_KINDS,
            filters=_FILTERS,
            **{"run": None, "kept": None, **more},
        )


def removals_of(run: RunRecord) -> int:
    """Return how many users and groups a plan would remove."""
    changes = (run.result or {}).get("changes", {})
    return sum(changes.get(kind, {}).get("removed", 0) for kind in ("users", "groups"))


def _place_of(run: RunRecord) -> ChangeListAddress:
    title = "What it would change" if run.kind is RunKind.PLAN or run.outcome == "refused" else "What it changed"
    return ChangeListAddress(title, ("runs", run.id, "changes"), {}, f"changes-run-{run.id}")


def _wanted() -> Wanted:
    kind, change = request.args.get("kind", ""), request.args.get("change", "")
    return Wanted(
        kind=ChangeKind(kind) if kind in set(ChangeKind) else None,
        change=ChangeFilter(change) if change in set(ChangeFilter) else None,
        text=asked_text("q"),
    )


def _download(changes: ChangeList, form: str, name: str) -> Response:
    found = changes.stream(_wanted())
    lines: Iterator[str]
    if form == "csv":
        lines, content_type = csv_lines(found), "text/csv; charset=utf-8"
    else:
        lines, content_type = (f"{json.dumps(change.as_json())}\n" for change in found), "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response((line.encode() for line in lines), content_type=content_type, headers=headers)
