"""The vocabulary of runs: what one is, how far it is, how it ended, and who asked for it.

Each member is the text that stands in the store, in JSON and in the labels of metrics.
"""

from enum import StrEnum


class RunKind(StrEnum):
    """What a run does."""

    CHECK = "check"
    PLAN = "plan"
    SYNC = "sync"
    DELTA = "delta"
    ROTATE = "rotate"
    WALK = "walk"
    """Reads the endpoint as an importer would."""

    @property
    def outcomes(self) -> tuple["RunOutcome", ...]:
        """How a run of this kind can end."""
        return _OUTCOMES[self]

    @property
    def successes(self) -> tuple["RunOutcome", ...]:
        """The outcomes that count as success: what was to be done was done."""
        return _SUCCESSES[self]


class RunState(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class RunOutcome(StrEnum):
    """How a run ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    PASSED = "passed"
    ROTATED = "rotated"
    PARTLY = "partly"


class Cause(StrEnum):
    """Who asked for a run."""

    SCHEDULE = "schedule"
    CONSOLE = "console"
    API = "api"
    COMMAND = "command"


_COMPARED = (RunOutcome.PUBLISHED, RunOutcome.UNCHANGED, RunOutcome.REFUSED)
_OUTCOMES = {
    RunKind.CHECK: (RunOutcome.PASSED, RunOutcome.FAILED),
    RunKind.PLAN: (*_COMPARED, RunOutcome.INCOMPLETE, RunOutcome.FAILED),
    RunKind.SYNC: (*_COMPARED, RunOutcome.INCOMPLETE, RunOutcome.FAILED),
    RunKind.DELTA: (*_COMPARED, RunOutcome.INCOMPLETE, RunOutcome.FAILED),
    RunKind.ROTATE: (RunOutcome.ROTATED, RunOutcome.UNCHANGED, RunOutcome.PARTLY, RunOutcome.FAILED),
    RunKind.WALK: (RunOutcome.PASSED, RunOutcome.FAILED),
}
_SUCCESSES = {
    RunKind.CHECK: (RunOutcome.PASSED,),
    RunKind.PLAN: _COMPARED,
    RunKind.SYNC: (RunOutcome.PUBLISHED, RunOutcome.UNCHANGED),
    RunKind.DELTA: (RunOutcome.PUBLISHED, RunOutcome.UNCHANGED),
    RunKind.ROTATE: (RunOutcome.ROTATED,),
    RunKind.WALK: (RunOutcome.PASSED,),
}
