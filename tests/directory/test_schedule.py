"""When to sync: intervals, and cron fields as crontab(5) has them."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.schedule import parse_schedule

SATURDAY = datetime(2026, 11, 21, 13, tzinfo=UTC)


def first(text: str, number: int = 1, after: datetime = SATURDAY) -> list[str]:
    """Return the first slots after a moment."""
    return [f"{slot:%a %Y-%m-%d %H:%M}" for slot in islice(parse_schedule(text).slots_after(after), number)]


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN", "6-7/3,7", "0-6/7"])
def test_sunday_is_0_and_7(weekday: str) -> None:
    """P21: weekday numbers are those of every crontab, not APScheduler's, which count from Monday."""
    expected = "Sat 2026-11-21 18:00" if weekday.startswith("6") else "Sun 2026-11-22 18:00"

    assert first(f"0 18 * * {weekday}") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * 1", ["Mon 2026-11-23 03:00", "Mon 2026-11-30 03:00"]),
        ("0 3 * * mon-fri", ["Mon 2026-11-23 03:00", "Tue 2026-11-24 03:00"]),
        ("0 3 * * fri-sun", ["Sun 2026-11-22 03:00", "Fri 2026-11-27 03:00"]),
        ("0 3 * * 5-7", ["Sun 2026-11-22 03:00", "Fri 2026-11-27 03:00"]),
        ("*/20 * * * *", ["Sat 2026-11-21 13:20", "Sat 2026-11-21 13:40"]),
        ("5/30 * * * *", ["Sat 2026-11-21 13:05", "Sat 2026-11-21 13:35"]),
        ("0 8-18/5 * * *", ["Sat 2026-11-21 18:00", "Sun 2026-11-22 08:00"]),
        ("0 0 1 jan,JUL *", ["Fri 2027-01-01 00:00", "Thu 2027-07-01 00:00"]),
        ("0 0 31 * *", ["Thu 2026-12-31 00:00", "Sun 2027-01-31 00:00"]),
        ("0 0 29 feb *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("0 0 25 * 1", ["Mon 2026-11-23 00:00", "Wed 2026-11-25 00:00"]),
        ("every 6h", ["Sat 2026-11-21 18:00", "Sun 2026-11-22 00:00"]),
        ("every 45m", ["Sat 2026-11-21 13:30", "Sat 2026-11-21 14:15"]),
        ("every 1d", ["Sun 2026-11-22 00:00", "Mon 2026-11-23 00:00"]),
    ],
)
def test_a_schedule_means_what_a_crontab_means(text: str, expected: list[str]) -> None:
    """P21: names, ranges, steps; a day of the month or a weekday is enough when both are given."""
    assert first(text, 2) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("every", "is no interval"),
        ("every 0h", "is no interval"),
        ("every 6 hours", "is no interval"),
        ("every 10s", "is no interval"),
        ("every \u0663h", "is no interval"),
        ("*/\u0665 * * * *", "is no minute"),
        ("every 366d", "is no interval"),
        ("hourly", "neither an interval such as every 6h nor five cron fields; it has 1 fields"),
        ("* * * * * *", "it has 6 fields"),
        ("60 * * * *", "'60' is no minute, which is 0 to 59"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month, which is 1 to 31"),
        ("* * * 13 *", "'13' is no month"),
        ("* * * * 8", "'8' is no weekday, which is 0 to 7"),
        ("* * * * montag", "'montag' is no weekday"),
        ("* * * mon *", "'mon' is no month"),
        ("*/0 * * * *", "a step is 1 or more"),
        ("30-10 * * * *", "a range goes upwards"),
        ("1,,2 * * * *", "'' is no minute"),
        ("1- * * * *", "'1-' is no minute"),
        ("\u0661 * * * *", "is no minute"),
        ("0 0 30 2 *", "names no day that there is"),
        ("0 0 31 4,6,9,11 *", "names no day that there is"),
    ],
)
def test_what_is_no_schedule_says_why(text: str, reason: str) -> None:
    """A mistake is found when the configuration is read, not when the night has passed."""
    with pytest.raises(ValueError, match=reason):
        parse_schedule(text)


def numbers(low: int, high: int) -> st.SearchStrategy[frozenset[int]]:
    """Return some numbers of a field."""
    return st.frozensets(st.integers(low, high), min_size=1, max_size=4)


@given(
    minutes=numbers(0, 59),
    hours=numbers(0, 23),
    days=st.none() | numbers(1, 31),
    weekdays=st.none() | numbers(0, 7),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made UTC below
)
def test_any_schedule_agrees_with_looking_at_every_minute(
    minutes: frozenset[int],
    hours: frozenset[int],
    days: frozenset[int] | None,
    weekdays: frozenset[int] | None,
    start: datetime,
) -> None:
    """P21: the next slot is the first later minute that crontab(5) says matches."""
    start = start.replace(tzinfo=UTC)
    fields = [minutes, hours, days, None, weekdays]
    text = " ".join("*" if field is None else ",".join(map(str, sorted(field))) for field in fields)

    def matches(moment: datetime) -> bool:
        named = [
            *([moment.day in days] if days else []),
            *([moment.isoweekday() % 7 in {day % 7 for day in weekdays}] if weekdays else []),
        ]
        return moment.minute in minutes and moment.hour in hours and (any(named) or not named)

    slot = next(parse_schedule(text).slots_after(start))
    expected = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not matches(expected):
        in_hour = expected.hour in hours
        expected = expected + timedelta(minutes=1) if in_hour else expected.replace(minute=0) + timedelta(hours=1)

    assert slot == expected


def test_the_clocks_of_summer_and_winter_move_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """P21: slots are UTC, so the nights on which the clocks change have as many as any other."""
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    try:
        for night in (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
            for text in ("every 1h", "30 * * * *"):
                slots = list(islice(parse_schedule(text).slots_after(night), 24))
                assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(hours=1)}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("every 6h", timedelta(hours=6)),
        ("0 3 * * *", timedelta(days=1)),
        ("*/15 8-18 * * mon-fri", timedelta(days=2, hours=13, minutes=15)),
        ("0 0 1 * *", timedelta(days=31)),
        ("0 0 1 1 *", timedelta(days=366)),
        ("0 0 29 2 *", timedelta(days=1461)),
    ],
)
def test_the_longest_gap_is_known(text: str, gap: timedelta) -> None:
    """P21: readiness counts in intervals of the schedule, and a weekend is no fault."""
    assert parse_schedule(text).longest_gap() == gap
