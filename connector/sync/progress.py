"""How a run tells where it is."""

from typing import Protocol


class Progress(Protocol):
    """Whoever wants to know how far a run has come."""

    def report(self, phase: str, *, users: int, groups: int, memberships: int, calls: int) -> None:
        """Take note of the phase of the run and of what it has read so far."""


class Silence:
    """Nobody wants to know."""

    def report(self, phase: str, *, users: int, groups: int, memberships: int, calls: int) -> None:
        """Take no note."""
