"""Runs: asked for by the same functions as in the API, followed while they go on, and looked at afterwards."""

from dataclasses import dataclass
from typing import Any

from flask import Response, request

from connector.directory.runs import Cause, RunKind, RunOutcome, RunState
from connector.errors import AlreadyRunning, RunEnded
from connector.importers.profiles import PROFILES
from connector.store.runs.figures import Measures
from connector.store.runs.queue import RunRecord, Runs
from connector.web.console.access import PageRefused
from connector.web.console.pages.changes import RETYPED_FROM, removals_of
from connector.web.console.pages.importers import importer_of
from connector.web.console.pages.page_requests import asked_number, entered, find_run, who_asks
from connector.web.console.pages.routes import Views
from connector.web.console.rendering import Renderer, Said
from connector.web.console.run_progress import SILENT_SECONDS, RunProgress, progress_of
from connector.web.console.text import seconds_of
from connector.web.console.words import CAUSES, CHECK_STATUS, CHECKS, KINDS, WALK_STEPS, Word, outcome_of

PAGE = 25
_STARTED_HERE = (RunKind.SYNC, RunKind.PLAN)
_READING_POOL = (RunKind.SYNC, RunKind.PLAN)
_STEPS = {
    RunKind.CHECK: {name: title for name, title in CHECKS.items() if name != "change_feed"},
    RunKind.WALK: WALK_STEPS,
}
"""The steps of the runs that are shown step by step, in their order."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it is shown.

    Args:
        run: the run.
        kind: what it is called.
        asked_by: who or what asked for it.
        word: its state.
        seconds: how long it took, or has taken so far; None before it began.
        progress: how far it has come, None once it ended.
        silence: seconds without a sign of life, where that is long enough to mean something.
        steps: of a check or a walk, its steps.
        result: what it said at its end, empty before.
        waits: whether its refused plan waits for approval.
    """

    run: RunRecord
    kind: str
    asked_by: str
    word: Word
    seconds: float | None
    progress: RunProgress | None
    silence: float | None
    steps: list[dict[str, Any]]
    result: Said
    waits: bool = False


class RunViews:
    """Makes what is shown of runs; arguments as those of `RunPages`."""

    def __init__(self, runs: Runs, measures: Measures) -> None:
        self._runs = runs
        self._measures = measures

    def view(self, run: RunRecord) -> RunView:
        """Return a run as it is shown."""
        seconds = self._seconds(run)
        live = run.state is RunState.RUNNING
        silence = self._runs.silence(run) if live else 0.0
        return RunView(
            run=run,
            kind=_title_of(run),
            asked_by=f"{run.asked_by}, by {CAUSES[run.cause]}" if run.asked_by else CAUSES[run.cause],
            word=outcome_of(run.kind, run.state, run.outcome, run.result),
            seconds=seconds,
            progress=progress_of(run.progress, seconds=seconds or 0.0, expected_calls=self._expected_calls(run))
            if live
            else None,
            silence=silence if silence >= SILENT_SECONDS else None,
            steps=steps_of(run) if run.kind in _STEPS else [],
            result=Said(run.result or {}),
            waits=run.outcome is RunOutcome.REFUSED and any(one.run == run.id for one in self._runs.waiting()),
        )

    def _seconds(self, run: RunRecord) -> float | None:
        if run.started_at is None:
            return None
        end = seconds_of(run.ended_at) if run.ended_at else self._measures.read().now
        return max(0.0, end - seconds_of(run.started_at))

    def _expected_calls(self, run: RunRecord) -> int:
        """Return how many calls the last complete reading of the pool took."""
        if run.kind not in _READING_POOL:
            return 0
        for earlier in self._runs.history(count=PAGE, kinds=_READING_POOL, state=RunState.ENDED):
            if earlier.outcome in RunKind.PLAN.successes and (earlier.result or {}).get("calls"):
                return sum((earlier.result or {})["calls"].values())
        return 0


def steps_of(run: RunRecord) -> list[dict[str, Any]]:
    """Return the steps of a run: those that ended, and the names of those that are to come while it goes on."""
    titles = _STEPS[run.kind]
    told = (run.result or run.progress or {}).get("checks", [])
    done = [
        {
            **check,
            "title": {**CHECKS, **titles}.get(check["name"], check["name"]),
            "word": CHECK_STATUS[check["status"]],
        }
        for check in told
    ]
    if run.state is RunState.ENDED:
        return done
    names = {check["name"] for check in told}
    coming = [name for name in titles if name not in names]
    words = [Word("Under way", "busy"), *[Word("Waiting", "quiet")] * len(coming)]
    if run.state is RunState.QUEUED:
        words = [Word("Waiting", "quiet")] * len(coming)
    return done + [
        {"name": name, "title": titles[name], "word": word, "detail": "", "remedy": None, "seconds": None}
        for name, word in zip(coming, words, strict=False)
    ]


def _title_of(run: RunRecord) -> str:
    importer = importer_of(run)
    title = KINDS.get(run.kind, run.kind)
    return f"{title}: {PROFILES[importer].title}" if importer in PROFILES else title


class RunPages:
    """Answers what is about runs.

    Args:
        renderer: makes the pages.
        runs: the queue and the history.
        measures: tells the time of the store.
    """

    def __init__(self, renderer: Renderer, runs: Runs, measures: Measures) -> None:
        self._renderer = renderer
        self._runs = runs
        self._views = RunViews(runs, measures)

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {
            "/checks": {"GET": self.show_checks, "POST": self.start_check},
            "/checks/live": {"GET": self.show_checks_live},
            "/runs": {"GET": self.list_runs, "POST": self.start_run},
            "/runs/<identifier>": {"GET": self.show_run},
            "/runs/<identifier>/live": {"GET": self.show_run_live},
            "/runs/<identifier>/cancel": {"POST": self.cancel_run},
            "/runs/<identifier>/rejects": {"GET": self.list_rejects},
        }

    def show_checks(self) -> Response:
        """Show the last Test Connectivity, or the one under way."""
        return self._renderer.page("checks.html", view=self._last_check(), refreshes=request.args.get("still") is None)

    def show_checks_live(self) -> Response:
        """Answer with the part of the page that changes."""
        return self._renderer.page("_checks_live.html", view=self._last_check())

    def start_check(self) -> Response:
        """Test the connectivity, unless that is under way."""
        last = next(iter(self._runs.history(count=1, kinds=(RunKind.CHECK,))), None)
        if last is None or last.state is RunState.ENDED:
            self._runs.request(RunKind.CHECK, cause=Cause.CONSOLE, by=who_asks())
        return self._renderer.go("checks")

    def list_runs(self) -> Response:
        """Show a part of the history, newest first."""
        kind = request.args.get("kind", "")
        kinds = (kind,) if kind in KINDS else ()
        found = self._runs.history(count=PAGE + 1, before=asked_number("before"), kinds=kinds)
        shown = [self._views.view(run) for run in found[:PAGE]]
        more = found[PAGE - 1].id if len(found) > PAGE else None
        return self._renderer.page("runs.html", views=shown, more=more, kind=kind, kinds=KINDS)

    def start_run(self) -> Response:
        """Ask for a sync or a plan; where one is under way, go there."""
        kind = next((kind for kind in _STARTED_HERE if kind == entered("kind")), None)
        if kind is None:
            raise PageRefused(400, "This kind of run is not started here.", f"It is one of {', '.join(_STARTED_HERE)}.")
        try:
            run = self._runs.request(kind, cause=Cause.CONSOLE, by=who_asks()).id
        except AlreadyRunning as fault:
            return self._renderer.go("runs", fault.run, note="already")
        return self._renderer.go("runs", run)

    def show_run(self, identifier: str) -> Response:
        """Show one run, as far as it has come."""
        view = self._views.view(find_run(self._runs, identifier))
        refreshes = view.run.state is not RunState.ENDED and request.args.get("still") is None
        return self._renderer.page(
            "run.html", **_decision(view), view=view, refreshes=refreshes, note=request.args.get("note", "")
        )

    def show_run_live(self, identifier: str) -> Response:
        """Answer with the part of the page that changes."""
        view = self._views.view(find_run(self._runs, identifier))
        return self._renderer.page("_run_live.html", **_decision(view), view=view)

    def cancel_run(self, identifier: str) -> Response:
        """Ask a run to end; to ask twice is to ask once."""
        run = find_run(self._runs, identifier)
        try:
            self._runs.cancel(run.id, by=who_asks())
        except RunEnded:
            return self._renderer.go("runs", run.id, note="ended-before")
        return self._renderer.go("runs", run.id)

    def list_rejects(self, identifier: str) -> Response:
        """Show the records that a run found and could not serve."""
        view = self._views.view(find_run(self._runs, identifier))
        return self._renderer.page("rejects.html", view=view)

    def _last_check(self) -> RunView | None:
        last = next(iter(self._runs.history(count=1, kinds=(RunKind.CHECK,))), None)
        return self._views.view(last) if last else None


def _decision(view: RunView) -> dict[str, int]:
    return {"removals": removals_of(view.run), "retyped_from": RETYPED_FROM}
