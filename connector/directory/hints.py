"""What a message of the change feed says: who may have changed. It never carries a value (P40)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """Who or what should be read again.

    Args:
        users: subs.
        groups: names.
        full_sync: why the whole pool should be read, each a sentence.
        pulse: whether it is the sign of life that the feed gives from time to time.
        stop: why nothing more should be read until a full sync is completed; empty = nothing speaks against it.
    """

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    full_sync: tuple[str, ...] = ()
    pulse: bool = False
    stop: str = ""
