"""How far a run has come, and how long it will take: told only where it can be told. Pure.

Cognito does not say how much there is. The calls of the last sync do, nearly; an estimate that is made from little, or
that the pool has outgrown, is not shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.web.console.words import PHASES

READING = "reading"
SILENT_SECONDS = 40.0
"""After so long without a sign of life a page says so; a sign comes every 20 seconds at least."""

_LEAST_SECONDS, _LEAST_SHARE, _MOST_SHARE = 8.0, 0.08, 0.98
_COUNTED = ("users", "groups", "memberships")


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come.

    Args:
        phase: what it does, in words.
        counts: what it has read, by noun; empty before the first page.
        calls: API calls so far.
        throttled: answers that were refused for their rate.
        seconds: since it began.
        rate: records a second.
        share: of the work, from 0 to 1; None where it cannot be told.
        left: seconds, None where they cannot be told.
        announcement: what a screen reader is told; it changes seldom.
    """

    phase: str
    counts: Mapping[str, int]
    calls: int
    throttled: int
    seconds: float
    rate: float
    share: float | None
    left: float | None
    announcement: str


def progress_of(progress: Mapping[str, Any] | None, *, seconds: float, expected_calls: int) -> RunProgress:
    """Return how far a run has come.

    Args:
        progress: what it said of itself last, None before it said anything.
        seconds: since it began.
        expected_calls: how many calls the last sync took, 0 where none is known.
    """
    said = progress or {}
    phase = str(said.get("phase", ""))
    counts = {noun: int(said[noun]) for noun in _COUNTED if noun in said}
    calls = int(said.get("calls", 0))
    share = calls / expected_calls if phase == READING and expected_calls else None
    if share is not None and share > _MOST_SHARE:  # the pool has grown, so nobody knows by how much
        share = None
    is_steady = share is not None and share >= _LEAST_SHARE and seconds >= _LEAST_SECONDS
    words = PHASES.get(phase, phase.replace("_", " ").capitalize() or "Starting")
    return RunProgress(
        phase=words,
        counts=counts,
        calls=calls,
        throttled=int(said.get("throttled", 0)),
        seconds=seconds,
        rate=sum(counts.values()) / seconds if seconds >= 1 else 0.0,
        share=share,
        left=seconds * (1 - share) / share if share and is_steady else None,
        announcement=words if share is None else f"{words}, over {int(share * 4) * 25} percent",
    )
