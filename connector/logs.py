"""Logs on stderr that can be read by people or machines, and in which nobody can forge a line or find a secret.

One record is one line, whatever a directory put into it. botocore prints passwords, ExternalIds and session keys at
DEBUG (botocore#2626, boto3#2292), so the libraries that carry them never log below INFO (P27).
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("console", "json")
REDACTED = "***"
_TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3")
_SHORTEST_SECRET = 6
_CAUSED_BY_REQUESTS = ("connector.web", "connector.server", "_granian")
_LONGEST_LINE = 16_000
_LONGEST_KIND = 200
_MOST_KINDS = 1000

# C0 and C1 controls, line and paragraph separators, and the marks that reorder text (Unicode TR 36, section 2.10).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_run_id: ContextVar[str] = ContextVar("run_id", default="")
_secrets: set[str] = set()


def escape_controls(text: str) -> str:
    """Return text that cannot move a cursor, break a line or reorder what stands around it."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def register_secret(value: str) -> None:
    """Keep a value out of every log line from now on, in the forms in which libraries write it.

    Values under six characters stay: hiding each place where so few characters occur would leave no log to read.
    """
    if len(value) >= _SHORTEST_SECRET:
        _secrets.update({value, json.dumps(value)[1:-1], repr(value)[1:-1], quote(value, safe=""), quote_plus(value)})


def redact(text: str) -> str:
    """Return text with every registered secret replaced."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


@contextmanager
def run_context() -> Iterator[None]:
    """Forget at the end of the block which run the lines of the log belong to."""
    token = _run_id.set("")
    try:
        yield
    finally:
        _run_id.reset(token)


def name_run(run: str) -> None:
    """Put the id of a run into each line from now on, up to the end of the enclosing `run_context`."""
    _run_id.set(run)


class Sparing(logging.Filter):
    """Lets a few lines of one kind through and counts the rest, so that nobody fills a disk by asking.

    Of one kind are lines of one logger with the same text around their values. Concerned are those that requests cause.

    Args:
        clock: gives seconds that only grow.
    """

    BURST = 20
    SECONDS_PER_LINE = 6.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _LineAllowance] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged; one that is tells how many like it were not."""
        if not record.name.startswith(_CAUSED_BY_REQUESTS):
            return True
        now = self._clock()
        kind = self._kinds.setdefault((record.name, str(record.msg)[:_LONGEST_KIND]), _LineAllowance(self.BURST, now))
        kind.left = min(self.BURST, kind.left + (now - kind.since) / self.SECONDS_PER_LINE)
        kind.since = now
        if kind.left < 1:
            kind.dropped += 1
            return False
        kind.left -= 1
        if kind.dropped:
            record.msg = f"{record.msg} (and {kind.dropped} more like it)"
            kind.dropped = 0
        if len(self._kinds) > _MOST_KINDS:
            self._kinds.clear()
        return True


@dataclass(slots=True)
class _LineAllowance:
    """Lines of one kind: how many may come at once, since when that is so, and how many were dropped."""

    left: float
    since: float
    dropped: int = 0


class ConsoleFormatter(logging.Formatter):
    """`2026-01-31T08:00:00Z WARNING [run 12] connector.cognito.pool: message`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        run = f" [run {run}]" if (run := _run_id.get()) else ""
        return escape_controls(
            redact(f"{_time(record)} {record.levelname}{run} {record.name}: {self._told(record)}"),
        )

    def _told(self, record: logging.LogRecord) -> str:
        fault = self.formatException(record.exc_info) if record.exc_info else ""
        text = "\n".join(part for part in (record.getMessage(), fault) if part)
        return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]} … ({len(text)} characters)"


class JsonFormatter(ConsoleFormatter):
    """One JSON object a line, ASCII only; what a record brings as `fields` is told as members too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one JSON object."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "run_id": _run_id.get() or None,
            "message": redact(self._told(record)),
        }
        fields = {name: redact(str(value)) for name, value in getattr(record, "fields", {}).items()}
        return json.dumps(fields | line)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StderrHandler(logging.Handler):
    """Writes to whatever stderr is at the time, so that a progress bar that borrows it stays whole."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as one line."""
        line = self.format(record)
        with suppress(OSError, ValueError):  # nobody reads stderr any more; the work goes on
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def configure_logging(level: str, form: str) -> None:
    """Send every log to stderr.

    Args:
        level: one of `LEVELS`.
        form: one of `FORMATS`.
    """
    handler = StderrHandler()
    handler.addFilter(Sparing())
    handler.setFormatter(JsonFormatter() if form == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [*(other for other in root.handlers if not isinstance(other, StderrHandler)), handler]
    root.setLevel(level.upper())
    # Its tracebacks of connections that broke say less than the fault that whoever used one is told.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
