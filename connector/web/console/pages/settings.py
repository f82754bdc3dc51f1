"""What there is to read: the configuration in effect, never with a secret, and the runbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from flask import Response

from connector.directory.schedule import Schedule
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts, Setting
from connector.web.console.rendering import Renderer
from connector.web.console.text import time_of
from connector.web.services import Services

NEXT_TIMES = 3
_SECTIONS = {
    "cognito": "The user pool",
    "aws": "Who calls AWS",
    "mapping": "Which attribute feeds which",
    "sync": "Syncs and the safeguard",
    "feed": "The change feed",
    "store": "The store",
    "server": "The server",
    "login": "People's sign-in",
    "rotation": "Password rotation",
}


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule in words, with its next times; None for never."""

    what: str
    words: str
    times: Sequence[str]


class SettingsPage:
    """Answers with the configuration.

    Args:
        renderer: makes the page.
        services: tells the time of the store.
        parts: the configuration.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._measures = services.measures
        self._schedules = parts.schedules
        self._sections = _by_section(parts.settings)

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {"/settings": {"GET": self.show}, "/runbook": {"GET": self.show_runbook}}

    def show(self) -> Response:
        """Show the configuration."""
        now = datetime.fromtimestamp(self._measures.read().now, UTC)
        planned = [
            _planned("Syncs", self._schedules.sync, now),
            _planned("Rotations", self._schedules.rotation, now),
        ]
        return self._renderer.page("settings.html", sections=self._sections, planned=planned)

    def show_runbook(self) -> Response:
        """Show what to do in each state."""
        return self._renderer.page("runbook.html")


def _by_section(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for setting in settings:
        name = setting.key.partition(".")[0]
        found.setdefault(_SECTIONS.get(name, name), []).append(setting)
    return found


def _planned(what: str, schedule: Schedule | None, now: datetime) -> ScheduleRow:
    if schedule is None:
        return ScheduleRow(what, "", ())
    times = [time_of(slot.timestamp()) for slot in islice(schedule.slots_after(now), NEXT_TIMES)]
    return ScheduleRow(what, say_schedule(schedule.text), times)


def say_schedule(text: str) -> str:
    """Return a schedule in words: an interval whole, of cron fields what they restrict."""
    if text.startswith("every"):
        units = {"m": "minute", "h": "hour", "d": "day"}
        number, unit = int("".join(filter(str.isdigit, text))), units[text.strip()[-1]]
        return f"every {unit}" if number == 1 else f"every {number} {unit}s"
    minute, hour, day, month, weekday = text.split()
    if minute.isdigit() and hour.isdigit():
        at = f"at {int(hour):02}:{int(minute):02} UTC"
    else:
        at = f"at minute {minute} of hour {hour} (UTC)"
    days = [f"on day {day} of the month"] if not day.startswith("*") else []
    days += [f"on weekday {weekday}"] if not weekday.startswith("*") else []
    on = " or ".join(days) if days else "every day"
    return f"{at}, {on}" + (f", in month {month}" if month != "*" else "")
