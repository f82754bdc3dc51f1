"""When to sync: `every 6h`, or five cron fields in UTC.

The fields mean what crontab(5) says: weekday 0 and 7 are Sunday, and when both the day of the month and the weekday are
restricted, either is enough. APScheduler counts weekdays from Monday and wants both, so it is given plain numbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.combining import OrTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

_EVERY = re.compile(r"every\s+([0-9]{1,6})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=365)
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,4}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SAMPLE, _SAMPLED = 4000, timedelta(days=9 * 365)
"""How many slots, or years, show the longest gap: a week of working hours by the minute, two leap years by the day."""


@dataclass(frozen=True, slots=True)
class _Field:
    """What one of the five fields may hold."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """Return the numbers that a field stands for.

        Raises:
            ValueError: it is no such field.
        """
        return frozenset(number for part in text.split(",") for number in self._read_part(part))

    def _read_part(self, part: str) -> range:
        match = _PART.fullmatch(part)
        if not match:
            raise ValueError(f"{part!r} is no {self.name}")
        step = int(match["step"] or 1)
        first = self.low if match["all"] else self._number(match["first"])
        # As in crontab(5), a number with a step begins there and goes on to the end.
        last = self._number(match["last"]) if match["last"] else self.high if match["all"] or match["step"] else first
        if match["last"] == "sun":
            last = self.high  # Sunday is the end of a week too
        if not step or last < first:
            raise ValueError(f"{part!r} is no {self.name}: a step is 1 or more, and a range goes upwards")
        return range(first, last + 1, step)

    def _number(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        if not text.isascii() or not text.isdigit() or not self.low <= int(text) <= self.high:
            raise ValueError(f"{text!r} is no {self.name}, which is {self.low} to {self.high}")
        return int(text)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which a run is due, its slots.

    Args:
        text: as it is configured.
        trigger: the arithmetic behind it.
    """

    text: str
    trigger: BaseTrigger = field(repr=False, compare=False)

    def slots_after(self, moment: datetime) -> Iterator[datetime]:
        """Yield every slot after a moment."""
        while slot := self.trigger.get_next_fire_time(None, moment + timedelta(milliseconds=1)):
            yield slot
            moment = slot

    def next_after(self, seconds: float) -> float:
        """Return the first slot after a time, both in seconds since 1970."""
        slot = next(self.slots_after(datetime.fromtimestamp(seconds, UTC)))
        return slot.timestamp()

    def longest_gap(self) -> timedelta:
        """Return the longest time that lies between two slots."""
        slots = takewhile(lambda slot: slot < _EPOCH + _SAMPLED, islice(self.slots_after(_EPOCH), _SAMPLE))
        return max(later - earlier for earlier, later in pairwise(slots))


def parse_schedule(text: str) -> Schedule:
    """Read `every 6h` (m, h or d) or five cron fields.

    Raises:
        ValueError: it is neither, or no day fits it.
    """
    words = text.split()
    if words and words[0] == "every":
        return Schedule(text, _read_interval(text))
    if len(words) != len(_FIELDS):
        raise ValueError(f"is neither an interval such as every 6h nor five cron fields; it has {len(words)} fields")
    return Schedule(text, _read_cron(words))


def _read_interval(text: str) -> IntervalTrigger:
    match = _EVERY.fullmatch(text.strip())
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise ValueError("is no interval: write every 30m, every 6h or every 1d, at most every 365d")
    # Counted from 1970, so that every replica has the same slots, and a restart moves none.
    return IntervalTrigger(seconds=int(length.total_seconds()), start_date=_EPOCH, timezone=UTC)


def _read_cron(words: list[str]) -> BaseTrigger:
    minutes, hours, days, months, weekdays = (one.read(word) for one, word in zip(_FIELDS, words, strict=True))
    any_day, any_weekday = words[2].startswith("*"), words[4].startswith("*")
    if any_weekday and not any(day <= _DAYS_OF_MONTH[month - 1] for day in days for month in months):
        raise ValueError("names no day that there is")
    common = {"minute": _listed(minutes), "hour": _listed(hours), "month": _listed(months), "timezone": UTC}
    from_monday = _listed({(weekday - 1) % 7 for weekday in weekdays})
    if any_day or any_weekday:
        return CronTrigger(**common, day=_listed(days), day_of_week=from_monday)
    return OrTrigger([CronTrigger(**common, day=_listed(days)), CronTrigger(**common, day_of_week=from_monday)])


def _listed(numbers: set[int] | frozenset[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


@dataclass(frozen=True, slots=True)
class Schedules:
    """When to sync and when to rotate; None for never."""

    sync: Schedule | None
    rotation: Schedule | None
