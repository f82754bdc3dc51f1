"""Keeps the schedule: APScheduler wakes it, the store says what is due (P21).

APScheduler's own job store cannot be shared between replicas (its FAQ), and its clock is this machine's; so its jobs
are kept in memory and only ask the store, each as often as it likes.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from connector.directory.schedule import Schedule
from connector.errors import StoreError
from connector.store.runs.due import Due, SlotsAfter

LOOK_SECONDS = 15
"""How often the store is asked besides at each slot: after a sleep, and where this machine's clock is ahead."""

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SlotQueue(Protocol):
    """Queues what is due; see `connector.store.runs.due`."""

    def forget(self) -> None:
        """Count nothing as missed until there is a schedule again."""

    def queue_due(self, schedule: str, slots_after: SlotsAfter) -> Due | None:
        """Queue a run for the last slot that has passed, or raise StoreError."""

    def queue_first(self) -> int | None:
        """Queue a run where nothing was published yet, or raise StoreError."""


def make_scheduler() -> BackgroundScheduler:
    """Return a scheduler whose jobs are coalesced, one at a time, and however late: the store knows what was missed."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it would tell of every look
    promises = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    return BackgroundScheduler(timezone=UTC, job_defaults=promises, daemon=True)


def every(seconds: int) -> IntervalTrigger:
    """Return when a job is done that is done again and again."""
    return IntervalTrigger(seconds=seconds, timezone=UTC)


class Timetable:
    """Queues a run at each slot of a schedule.

    Args:
        schedule: when; None for never.
        slots: the store's side of it.
        of: what it is a schedule of, in the singular.
    """

    def __init__(self, schedule: Schedule | None, slots: SlotQueue, *, of: str) -> None:
        self._schedule = schedule
        self._slots = slots
        self._of = of
        self._scheduler = make_scheduler()

    def start(self) -> None:
        """Look at the schedule now, and from now on."""
        self._scheduler.add_job(self.begin)
        self._scheduler.add_job(self.look, every(LOOK_SECONDS))
        if self._schedule:
            self._scheduler.add_job(self.look, self._schedule.trigger)
        self._scheduler.start()

    def stop(self) -> None:
        """Look no more; a look that is under way comes to its end."""
        self._scheduler.shutdown(wait=True)

    def begin(self) -> None:
        """Look for the first time: nobody waits for the next slot while there is nothing to serve."""
        if self.look() is not None or self._schedule is None:
            return
        try:
            first = self._slots.queue_first()
        except StoreError as fault:
            _log.warning("the first %s could not be queued: %s", self._of, fault)
            return
        if first is not None:
            _log.info("nothing is published yet, so a %s was queued at once as run %s", self._of, first)

    def look(self) -> Due | None:
        """Queue what is due; a store that is away is asked again at the next look."""
        try:
            if self._schedule is None:
                self._slots.forget()
                return None
            due = self._slots.queue_due(self._schedule.text, self._slots_after)
        except StoreError as fault:
            _log.warning("the schedule of %ss could not be looked after: %s", self._of, fault)
            return None
        if due:
            self._tell(due)
        return due

    def _slots_after(self, milliseconds: int) -> Iterator[int]:
        assert self._schedule
        for slot in self._schedule.slots_after(_EPOCH + timedelta(milliseconds=milliseconds)):
            yield (slot - _EPOCH) // timedelta(milliseconds=1)

    def _tell(self, due: Due) -> None:
        if due.missed:
            _log.warning("scheduled %ss missed: %d (run %s). %s", self._of, due.missed, due.record, due.why)
        if due.is_late:
            late = due.late_seconds
            _log.warning("the scheduled %s, run %s, was queued %d seconds late", self._of, due.queued, late)
        elif due.queued is not None:
            _log.info("the scheduled %s was queued as run %s", self._of, due.queued)
