"""The state of the connector in one line, and what to do about it. Pure: from what is known to what is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connector.store.generations import Generation
from connector.web.console.text import seconds_of
from connector.web.operations.health import TOLERATED_INTERVALS


class EndedRun(Protocol):
    """A run that has ended."""

    @property
    def id(self) -> int:
        """The number of the run."""

    @property
    def outcome(self) -> str | None:
        """How it ended."""

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What it said at its end."""

    @property
    def ended_at(self) -> str | None:
        """When it ended."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known.

    Args:
        now: seconds since 1970 on the clock of the store.
        generation: the newest, None before the first.
        last_sync: the last sync that ended, missed ones aside; None before the first.
        waiting: the refused plan that waits for approval, if one does.
        last_success: when a sync last succeeded, in seconds since 1970; None if none did.
        interval: seconds between two scheduled syncs at most, None without a schedule.
    """

    now: float
    generation: Generation | None
    last_sync: EndedRun | None
    waiting: EndedRun | None
    last_success: float | None
    interval: float | None


@dataclass(frozen=True, slots=True)
class State:
    """What is said.

    Args:
        name: by which the runbook knows it.
        word: the state.
        tone: see `words.Word`.
        detail: what that means.
        remedy: what to do about it, empty where nothing is.
        since: since when it is so, RFC 3339, None where that says nothing.
        run: the run that tells more, if one does.
    """

    name: str
    word: str
    tone: str
    detail: str
    remedy: str = ""
    since: str | None = None
    run: int | None = None


def state_of(known: Facts) -> State:
    """Return the state, the most pressing one where several hold."""
    if known.waiting:
        return _refused(known.waiting)
    if known.last_sync and known.last_sync.outcome in {"incomplete", "failed"} and not _is_cancelled(known.last_sync):
        return _failed(known, known.last_sync)
    if known.generation is None:
        return State(
            "never-synced",
            "Never synced",
            "attention",
            "No directory is published yet; until there is one, importers are answered with 503.",
            "Test the connectivity, then sync.",
        )
    if _is_old(known):
        return State(
            "directory-old",
            "Directory old",
            "attention",
            "The last successful sync is older than two intervals of the schedule; importers read what it published.",
            "Look at the last runs: they say what keeps the schedule from succeeding.",
        )
    return State("healthy", "Healthy", "good", "The directory is published, and importers can read it.")


def _refused(run: EndedRun) -> State:
    reason = str((run.result or {}).get("reason", ""))
    return State(
        "refused-plan",
        "A refused plan waits",
        "attention",
        f"The last sync was refused: {reason}. The directory stays as it was." if reason else "A sync was refused.",
        "See who is concerned, then approve exactly this plan, or discard it.",
        run.ended_at,
        run.id,
    )


def _failed(known: Facts, run: EndedRun) -> State:
    result = run.result or {}
    unreachable = run.outcome == "incomplete"
    number = known.generation.number if known.generation else None
    serves = f" Importers go on reading generation {number}." if number else " Nothing is published."
    return State(
        "source-unreachable" if unreachable else "sync-failed",
        "Source unreachable" if unreachable else "Sync failed",
        "bad",
        f"{result.get('cause') or 'The last sync did not come to its end.'}{serves}",
        str(result.get("remedy") or "Test the connectivity; it says which step fails, and what to do."),
        run.ended_at,
        run.id,
    )


def _is_cancelled(run: EndedRun) -> bool:
    return str((run.result or {}).get("cause", "")).startswith("It was cancelled")


def _is_old(known: Facts) -> bool:
    if known.interval is None:
        return False
    newest = known.last_success or (seconds_of(known.generation.published_at) if known.generation else 0.0)
    return known.now - newest > TOLERATED_INTERVALS * known.interval
