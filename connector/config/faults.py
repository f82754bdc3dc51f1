"""What is wrong with a configuration: every fault at once, a line each, so that one look mends them all."""

import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from connector.directory.counts import count_of
from connector.errors import ConfigError
from connector.logs import REDACTED, escape_controls

_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        key: the key or variable as it was written.
        reason: why it cannot be used.
        shown: the value as it may be shown; empty when there is none or it is not ours to show.
        origin: the file and line, or the environment variable, that it came from.
    """

    key: str
    reason: str
    shown: str = ""
    origin: str = ""

    def __str__(self) -> str:
        value = f" = {self.shown}" if self.shown else ""
        origin = f" ({self.origin})" if self.origin else ""
        return escape_controls(f"{self.key}{value}{origin}: {self.reason}")


def error_of(faults: Iterable[Fault]) -> ConfigError:
    """Return the one error that tells all faults."""
    lines = list(dict.fromkeys(str(fault) for fault in faults))
    return ConfigError(
        "\n  ".join([f"The configuration has {count_of(len(lines), 'fault')}:", *lines]),
        remedy="Correct what is named above; config.example.yaml explains every key.",
    )


def show(value: object, *, secret: bool) -> str:
    """Return a value as it may stand in a message: short, on one line, and not at all when it is secret."""
    if secret:
        return REDACTED
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return "a number too large to show"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def suggest(name: str, known: Collection[str], *, separator: str = ".") -> str:
    """Return `unknown key` with the known name that was probably meant."""
    close = difflib.get_close_matches(name, known, n=1)
    if not close:
        last = name.rpartition(separator)[2]
        close = [other for other in known if other.rpartition(separator)[2] == last][:1]
    return f"unknown key; did you mean {close[0]}?" if close else "unknown key"
