"""What is due by the schedule: each slot queues one run over all replicas, and none passes in silence (P21).

The store remembers up to which time a schedule was looked after, so that a slot counts as missed also when the process
was down or the machine asleep, and the database's clock decides, on which all replicas agree.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from sqlalchemy import Connection, Row, delete, insert, select

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.directory.times import from_milliseconds
from connector.store.runs import lease as leases
from connector.store.runs.figures import LATE_SECONDS
from connector.store.runs.queue import active_run, enqueue
from connector.store.runs.run import end_abandoned, record_end
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import generations, schedules

_NOUNS = {RunKind.SYNC: ("sync", "syncs"), RunKind.ROTATE: ("rotation", "rotations")}

MOST = 10_000
"""At most this many slots are counted at a time; of a minute's schedule that is a week."""

SlotsAfter = Callable[[int], Iterator[int]]
"""Yields the slots after a time, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a look at the schedule led to.

    Args:
        queued: the run that was queued, None when another was still under way.
        late_seconds: how long after its slot it was queued.
        missed: how many slots passed without a run.
        why: why they did.
        record: the run that says so in the history.
    """

    queued: int | None
    late_seconds: int
    missed: int = 0
    why: str = ""
    record: int | None = None

    @property
    def is_late(self) -> bool:
        """Whether a person should hear that the run comes late."""
        return self.queued is not None and self.late_seconds >= LATE_SECONDS


class Slots:
    """Queues runs by a schedule.

    Args:
        database: the store.
        kind: of the runs.
    """

    def __init__(self, database: Database, kind: RunKind) -> None:
        self._database = database
        self._kind = kind
        self._lease = leases.name_of(kind, 0)

    def forget(self) -> None:
        """There is no schedule any more, so nothing can be missed until there is one again."""
        with self._database.writing() as connection:
            connection.execute(delete(schedules).where(schedules.c.kind == self._kind))

    def queue_due(self, schedule: str, slots_after: SlotsAfter) -> Due | None:
        """Queue a run for the last slot that has passed, and record those before it as missed.

        Args:
            schedule: as it is configured; from a new one on, only later slots count.
            slots_after: yields its slots.

        Returns:
            None when nothing is due.
        """
        with self._database.reading() as connection:
            if not self._find_due(connection, schedule, slots_after):
                return None
        with self._database.writing() as connection:
            leases.lock(connection, self._lease)
            due = self._find_due(connection, schedule, slots_after)
            if not due:  # another replica was faster
                return None
            self._remember(connection, schedule, due[-1])
            return self._queue(connection, due[1:]) if due[1:] else None

    def queue_first(self) -> int | None:
        """Queue a sync at once where nothing was published yet and none is under way, and return its number."""
        if self._kind is not RunKind.SYNC:
            return None
        with self._database.writing() as connection:
            leases.lock(connection, self._lease)
            end_abandoned(connection)
            is_published = connection.scalar(select(generations.c.number).limit(1)) is not None
            if is_published or active_run(connection, self._lease) is not None:
                return None
            return int(enqueue(connection, kind=self._kind, cause=Cause.SCHEDULE).id)

    def _find_due(self, connection: Connection, schedule: str, slots_after: SlotsAfter) -> list[int]:
        """Return the time looked after so far and the slots that passed since, or nothing when none did.

        A schedule that is new is looked after from now on.
        """
        now: int = read_clock(connection)
        known: Row[str, int] | None = connection.execute(
            select(schedules.c.schedule, schedules.c.handled).where(schedules.c.kind == self._kind)
        ).one_or_none()
        if known is None or known.schedule != schedule:
            return [now]
        passed = list(islice(takewhile(lambda slot: slot <= now, slots_after(known.handled)), MOST))
        return [known.handled, *passed] if passed else []

    def _remember(self, connection: Connection, schedule: str, handled: int) -> None:
        connection.execute(delete(schedules).where(schedules.c.kind == self._kind))
        connection.execute(insert(schedules).values(kind=self._kind, schedule=schedule, handled=handled))

    def _queue(self, connection: Connection, slots: list[int]) -> Due:
        *earlier, slot = slots
        end_abandoned(connection)
        active = active_run(connection, self._lease)
        if active is not None:
            why = f"Run {active} was still under way."
            return Due(None, 0, len(slots), why, self._record_missed(connection, slots, why))
        queued = self._enqueue(connection, slot)
        late = (read_clock(connection) - slot) // 1000
        if not earlier:
            return Due(queued, late)
        why = "Nothing looked after the schedule: serve was down, or the machine slept."
        return Due(queued, late, len(earlier), why, self._record_missed(connection, earlier, why))

    def _enqueue(self, connection: Connection, slot: int) -> int:
        row = enqueue(connection, kind=self._kind, cause=Cause.SCHEDULE, slot=from_milliseconds(slot))
        return int(row.id)

    def _record_missed(self, connection: Connection, slots: list[int], why: str) -> int:
        run = self._enqueue(connection, slots[-1])
        result = {
            "run": run,
            "outcome": RunOutcome.FAILED,
            "cause": f"{self._describe(slots)} missed. {why}",
            "missed": len(slots),
        }
        now = from_milliseconds(read_clock(connection))
        record_end(connection, run, RunOutcome.FAILED, result, at=now)
        return run

    def _describe(self, slots: list[int]) -> str:
        one, many = _NOUNS[self._kind]
        first, last = from_milliseconds(slots[0]), from_milliseconds(slots[-1])
        return f"The {one} of {first} was" if len(slots) == 1 else f"{len(slots)} {many} from {first} to {last} were"
