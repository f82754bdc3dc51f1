"""How values become text on a page: names that cannot play tricks, times, numbers and durations.

Everything from the directory is hostile. Jinja escapes it; here what would change how the text around it reads is made
visible too: control characters, and those that turn the direction of writing (Unicode TR 36, section 3.3).
"""

import re
import unicodedata
from datetime import UTC, datetime

from markupsafe import Markup

from connector.directory.counts import count_of
from connector.directory.times import to_milliseconds

_KEPT_FORMATS = frozenset("\u200c\u200d")
"""Joiners, without which some scripts and emoji cannot be written."""
_SUSPECT = re.compile(r"[^\x20-\x7e]")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def show_name(text: object) -> Markup:
    """Return a text from the directory, set apart from the direction of what stands around it."""
    shown = str(text if text is not None else "")
    if not shown.strip():
        return Markup('<em class="empty">(empty)</em>')
    return Markup("<bdi>{}</bdi>").format(show_controls(shown))


def show_controls(text: str) -> Markup:
    """Return a text whose control characters are visible."""
    if not _SUSPECT.search(text):
        return Markup("{}").format(text)
    return Markup("").join(_show_character(character) for character in text)


def _show_character(character: str) -> Markup | str:
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"} and character not in _KEPT_FORMATS:
        return Markup('<span class="control">U+{}</span>').format(f"{ord(character):04X}")
    return character


def show_time(text: str | None) -> Markup:
    """Return a point in time: UTC as text; a script adds the reader's own time."""
    if not text:
        return Markup('<span class="none">never</span>')
    return Markup('<time datetime="{}">{} UTC</time>').format(text, text[:19].replace("T", " "))


def show_count(number: float) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,.0f}"


def show_duration(seconds: float) -> str:
    """Return a span of time in its two largest units."""
    if seconds < 10:  # noqa: PLR2004 - below it, tenths tell something
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def show_age(text: str, now: float) -> str:
    """Return how long ago a point in time was, as one reads it."""
    seconds = max(0.0, now - seconds_of(text))
    if seconds < _MINUTE:
        return "less than a minute ago"
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            return f"{count_of(int(seconds // size), unit)} ago"
    raise AssertionError  # pragma: no cover


def seconds_of(text: str) -> float:
    """Return a point in time in seconds since 1970."""
    return to_milliseconds(text) / 1000


def time_of(seconds: float) -> str:
    """Return a point in time as text, from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_signed(number: int) -> str:
    """Return a difference with its sign; the minus is that of typography."""
    return f"+{number:,}" if number > 0 else f"\u2212{-number:,}" if number else "\u00b10"
