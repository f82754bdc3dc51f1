"""The timetable asks the store what is due: at once, at each slot and in between, and tells what was missed."""

import logging
import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from connector.directory.schedule import parse_schedule
from connector.errors import StoreError
from connector.runner.timetable import Timetable
from connector.store.runs.due import Due, SlotsAfter

HOUR = 3_600_000


class FakeSlots:
    """The store's side of a schedule, as a test wants it."""

    def __init__(self, *answers: Due | StoreError | None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[int]]] = []
        self.forgotten = 0
        self.asked_first = 0
        self.looked = threading.Event()

    def queue_first(self) -> int | None:
        """Queue a first run."""
        self.asked_first += 1
        return 7

    def forget(self) -> None:
        """Forget the schedule."""
        self.forgotten += 1

    def queue_due(self, schedule: str, slots_after: SlotsAfter) -> Due | None:
        """Answer as scripted."""
        self.asked.append((schedule, list(islice(slots_after(HOUR), 2))))
        self.looked.set()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, StoreError):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    logger = logging.getLogger("connector.runner.timetable")
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


def test_a_look_gives_the_store_the_schedule_and_its_slots() -> None:
    """P21: the store decides, on its clock, from the slots after the last one it knows."""
    slots = FakeSlots()

    assert Timetable(parse_schedule("every 1h"), slots, of="sync").look() is None
    assert slots.asked == [("every 1h", [2 * HOUR, 3 * HOUR])]


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (Due(3, 1), ["INFO the scheduled sync was queued as run 3"]),
        (Due(3, 90), ["WARNING the scheduled sync, run 3, was queued 90 seconds late"]),
        (
            Due(4, 90, 2, "The machine slept.", 5),
            [
                "WARNING scheduled syncs missed: 2 (run 5). The machine slept.",
                "WARNING the scheduled sync, run 4, was queued 90 seconds late",
            ],
        ),
        (
            Due(None, 0, 1, "Run 2 was still under way.", 3),
            ["WARNING scheduled syncs missed: 1 (run 3). Run 2 was still under way."],
        ),
    ],
)
def test_what_is_missed_or_late_is_told(due: Due, told: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """P21: no missed run is silent."""
    assert Timetable(parse_schedule("every 1h"), FakeSlots(due), of="sync").look() == due
    assert [f"{record.levelname} {record.getMessage()}" for record in caplog.records] == told


def test_a_store_that_is_away_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """P21: the schedule goes on, and nothing is lost, since the store counts from what it knows."""
    timetable = Timetable(parse_schedule("every 1h"), FakeSlots(StoreError("It is away."), Due(1, 0)), of="sync")

    assert timetable.look() is None
    assert "It is away." in caplog.text
    assert timetable.look() == Due(1, 0)


def test_without_a_schedule_the_store_forgets_it() -> None:
    """P21: what nobody wants any more is never missed."""
    slots = FakeSlots()
    timetable = Timetable(None, slots, of="sync")

    assert (timetable.look(), slots.forgotten, slots.asked) == (None, 1, [])


def test_it_looks_at_once_then_at_each_slot_and_in_between() -> None:
    """P21: what passed while the process was down is made up for at its start; no job is skipped for being late."""
    slots = FakeSlots()
    timetable = Timetable(parse_schedule("every 365d"), slots, of="sync")
    timetable.start()
    looked = slots.looked.wait(30)
    jobs = timetable._scheduler.get_jobs()
    timetable.stop()

    assert looked
    assert [(job.coalesce, job.max_instances, job.misfire_grace_time) for job in jobs] == [(True, 1, None)] * 2


def test_the_first_look_waits_for_no_slot_where_nothing_is_published(caplog: pytest.LogCaptureFixture) -> None:
    """With an empty store an importer would be told 503 until the next slot; what is due goes first."""
    idle, due, never = FakeSlots(), FakeSlots(Due(3, 1)), FakeSlots()

    Timetable(parse_schedule("every 1h"), idle, of="sync").begin()
    Timetable(parse_schedule("every 1h"), due, of="sync").begin()
    Timetable(None, never, of="sync").begin()

    assert (idle.asked_first, due.asked_first, never.asked_first) == (1, 0, 0)
    assert "nothing is published yet, so a sync was queued at once as run 7" in caplog.text
