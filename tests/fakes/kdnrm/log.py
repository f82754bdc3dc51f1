"""The Gateway's log: whatever is said here is kept, for the canary sweep."""

from typing import ClassVar


class Log:
    """Class methods only, as in the Gateway."""

    lines: ClassVar[list[str]] = []

    @classmethod
    def debug(cls, message: str) -> None:
        """Keep a line."""
        cls.lines.append(f"DEBUG {message}")

    @classmethod
    def info(cls, message: str) -> None:
        """Keep a line."""
        cls.lines.append(f"INFO {message}")

    @classmethod
    def warning(cls, message: str) -> None:
        """Keep a line."""
        cls.lines.append(f"WARNING {message}")

    @classmethod
    def error(cls, message: str) -> None:
        """Keep a line."""
        cls.lines.append(f"ERROR {message}")
