"""The first page: the state in one line, what to do about it, and how everything stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response

from connector.directory.runs import RunKind, RunState
from connector.directory.schedule import Schedule
from connector.store.clients import Client, ClientRole
from connector.store.imports import Import
from connector.store.runs.queue import RunRecord
from connector.web.console.chart import chart_of
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer
from connector.web.console.service_state import Facts, state_of
from connector.web.console.text import show_age, time_of
from connector.web.console.words import Word, outcome_of
from connector.web.services import Services

CHARTED = 60
"""Generations in a chart."""
_SYNCS = (RunKind.SYNC,)
_READING_POOL = (RunKind.SYNC, RunKind.PLAN, RunKind.DELTA)
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class ImporterWalks:
    """An importer, and its last walk over users and over groups, if there was one."""

    client: Client
    walks: Sequence[Import]


class Overview:
    """Answers with the first page.

    Args:
        renderer: makes the page.
        services: the directory, the runs and the figures.
        parts: the importers and the schedules.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._services = services
        self._parts = parts

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {"": {"GET": self.show}}

    def show(self) -> Response:
        """Say how everything stands."""
        figures = self._services.measures.read()
        runs = self._parts.runs
        ended = runs.history(count=_LOOKED_AT, kinds=_SYNCS, state=RunState.ENDED)
        last_sync = next((run for run in ended if not (run.result or {}).get("missed")), None)
        known = Facts(
            now=figures.now,
            generation=figures.generation,
            last_sync=last_sync,
            waiting=self._waiting(),
            last_success=figures.last_success(RunKind.SYNC),
            interval=self._services.sync_interval,
        )
        kept = list(reversed(self._parts.lookup.generations(CHARTED)))
        return self._renderer.page(
            "overview.html",
            state=state_of(known),
            generation=figures.generation,
            before=kept[-2] if len(kept) > 1 else None,
            age=show_age(figures.generation.published_at, figures.now) if figures.generation else "",
            rejected=(last_sync.result or {}).get("rejected", 0) if last_sync else 0,
            rejecting=last_sync.id if last_sync else None,
            under_way=next(iter(runs.history(count=1, kinds=_READING_POOL, state=RunState.RUNNING)), None),
            last_run=last_sync,
            last_word=_word_of(last_sync) if last_sync else None,
            next_sync=_next(self._parts.schedules.sync, figures.now),
            charts=[
                chart_of("users", kept, [one.users for one in kept]),
                chart_of("groups", kept, [one.groups for one in kept]),
            ],
            importers=self._importers(),
            accounts=figures.rotation,
        )

    def _importers(self) -> list[ImporterWalks]:
        walks = self._parts.imports.all()
        return [
            ImporterWalks(client, [walk for walk in walks if walk.client == str(client.id)])
            for client in self._parts.clients.list()
            if client.role is ClientRole.IMPORTER and not client.revoked_at
        ]

    def _waiting(self) -> RunRecord | None:
        """Return the newest refused plan that waits for approval."""
        waiting = self._parts.runs.waiting()
        return self._parts.runs.find(waiting[0].run) if waiting else None


def _word_of(run: RunRecord) -> Word:
    return outcome_of(run.kind, run.state, run.outcome, run.result)


def _next(schedule: Schedule | None, now: float) -> str | None:
    return time_of(schedule.next_after(now)) if schedule else None
