"""How a run reports its progress."""

from typing import Protocol

from connector.store.runs.run import Run


class Progress(Protocol):
    """Whoever wants to know how far a run has come."""

    def report(self, phase: str, **counts: int) -> None:
        """Take note of the phase of the run, and of what it has read and asked so far.

        Args:
            phase: what it does.
            counts: `users`, `groups`, `memberships`, `calls` and how many of those were `throttled`.
        """


class Silence:
    """Nobody wants to know."""

    def report(self, phase: str, **counts: int) -> None:
        """Take no note."""


class Shared:
    """Tells the store, and whoever watches.

    Args:
        run: the run, which raises when it was cancelled.
        watcher: who else wants to know.
    """

    def __init__(self, run: Run, watcher: Progress) -> None:
        self._run = run
        self._watcher = watcher

    def report(self, phase: str, **counts: int) -> None:
        """Pass it on.

        Raises:
            RunCancelled, LeaseLost: the run should go no further.
        """
        self._watcher.report(phase, **counts)
        self._run.tell({"phase": phase, **counts})
