"""Somebody at a terminal who answers some questions, and then presses Ctrl-C."""

import io


class Interrupted(io.StringIO):
    """Standard input that is a terminal.

    Args:
        answers: lines that are typed first.
    """

    def __init__(self, *answers: str) -> None:
        super().__init__("".join(f"{answer}\n" for answer in answers))

    def isatty(self) -> bool:
        """Say that somebody is there."""
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as StringIO itself is
        """Return the next answer; after the last comes the signal that Ctrl-C sends."""
        line = super().readline(-1 if size is None else size)
        if not line:
            raise KeyboardInterrupt
        return line
