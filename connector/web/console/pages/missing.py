"""Why is this person not there? Looks where people get lost, and says which it is.

In order: served after all, served under another name, in a refused plan, rejected, removed or changed, outside the
configured groups, not read since. What the store no longer keeps is not claimed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.directory.rows import Kind, fold
from connector.directory.runs import RunKind, RunState
from connector.errors import NoChangesKept
from connector.scim.bodies import Bodies
from connector.scim.encoding import decode_body
from connector.store.changes.changes_reader import Wanted
from connector.store.generations import Generation
from connector.store.reading.reader import Stored
from connector.store.runs.queue import RunRecord
from connector.web.console.pages.page_requests import asked_text
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer
from connector.web.services import Services

MOST = 5
_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Explanation:
    """Something that explains where a person is.

    Args:
        tone: see `words.Word`.
        what: the finding, in a heading; `{}` stands for the name of the person.
        name: the name that was found.
        detail: more about it.
        link: where to see it, as parts of an address; none where there is nothing to see.
        moment: the point in time that the detail ends with, if it does.
    """

    tone: str
    what: str
    name: str = ""
    detail: str = ""
    link: tuple[object, ...] = ()
    moment: str | None = None


class MissingPage:
    """Answers the question.

    Args:
        renderer: makes the page.
        services: the directory.
        parts: the runs, what is kept of the past, and the configured groups.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._reader = services.reader
        self._parts = parts
        self._bodies = Bodies(services.scim_base_url)

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {"/missing": {"GET": self.show}}

    def show(self) -> Response:
        """Say where somebody is, or what could keep them away."""
        text = asked_text("q")
        generation = self._reader.newest()
        last = self._last_sync()
        findings = list(self._find(text, generation, last)) if text and generation else []
        return self._renderer.page(
            "missing.html",
            text=text,
            findings=findings,
            generation=generation,
            last=last,
            groups=self._parts.groups,
        )

    def _find(self, text: str, generation: Generation, last: RunRecord | None) -> Iterator[Explanation]:
        served = self._parts.lookup.begins_with(Kind.USERS, generation, text, count=MOST)
        yield from map(self._served, served)
        known = {stored.id for stored in served}
        if last:
            yield from _renamed(text, last)
        yield from self._planned(text)
        if last:
            yield from _rejected(text, last)
        yield from self._earlier(text, generation, known)

    def _served(self, stored: Stored) -> Explanation:
        name, active = self._name(stored)
        link = ("users", stored.id)
        if active:
            return Explanation("good", "{} is served", name, "Importers read this user, as active.", link)
        detail = (
            "Importers read this user as inactive, because the account is disabled in Cognito; many do not show it."
        )
        return Explanation("attention", "{} is served, but inactive", name, detail, link)

    def _planned(self, text: str) -> Iterator[Explanation]:
        """Look at the refused plans that wait: whoever would come with them is not there yet."""
        for waiting in self._parts.runs.waiting():
            try:
                changes = self._parts.changes.of_run(waiting.run).page(
                    Wanted(kind=ChangeKind.USERS, change=ChangeFilter.CREATED, text=text), count=MOST
                )
            except NoChangesKept:
                continue
            for change in changes:
                yield Explanation(
                    "attention",
                    "{} comes with a refused plan",
                    change.name,
                    f"The plan of run {waiting.run} would create this user; it waits to be approved or discarded.",
                    ("runs", waiting.run),
                )

    def _earlier(self, text: str, generation: Generation, known: set[str]) -> Iterator[Explanation]:
        for version in self._parts.lookup.earlier(Kind.USERS, text, count=MOST):
            name, _ = self._name(version.stored)
            now = self._reader.find(Kind.USERS, version.stored.id, generation)
            if now is None:
                removed = self._parts.lookup.removed_at(Kind.USERS, version.stored.id) or version.until_at
                detail = f"Gone from the pool, or from every listed group, when generation {version.until} was read,"
                yield Explanation("bad", "{} was removed", name, detail, (), removed)
            elif version.stored.id not in known:
                present, _ = self._name(now)
                detail = f"The user is served as {present!r} since generation {version.until},"
                yield Explanation(
                    "attention", "{} has another name now", name, detail, ("users", now.id), version.until_at
                )

    def _name(self, stored: Stored) -> tuple[str, bool]:
        resource = decode_body(self._bodies.fill(stored.body))
        return str(resource.get("userName", "")), bool(resource.get("active", True))

    def _last_sync(self) -> RunRecord | None:
        """Return the last sync that read the whole pool."""
        ended: Sequence[RunRecord] = self._parts.runs.history(
            count=_LOOKED_AT, kinds=(RunKind.SYNC,), state=RunState.ENDED
        )
        return next((run for run in ended if "users" in (run.result or {})), None)


def _renamed(text: str, last: RunRecord) -> Iterator[Explanation]:
    for one in (last.result or {}).get("renamed", []):
        if fold(str(one["wanted"])).startswith(fold(text)):
            detail = f"Another user has that name, so this one is served as {one['served']!r}."
            yield Explanation(
                "attention", "{} is served under another name", str(one["wanted"]), detail, ("users", one["id"])
            )


def _rejected(text: str, last: RunRecord) -> Iterator[Explanation]:
    for reject in (last.result or {}).get("rejects", []):
        if fold(text) in fold(str(reject["source"])):
            detail = f"The record cannot be served: {reject['reason']}."
            yield Explanation("bad", "{} was rejected", str(reject["source"]), detail, ("runs", last.id, "rejects"))
