"""The runner as a whole: what is started and stopped with a server."""

from collections.abc import Callable, Sequence

from connector.runner.executor import Executor
from connector.runner.schedule import Schedule
from connector.runner.timetable import Timetable
from connector.store.database import Database
from connector.store.lease import SHARING
from connector.store.queue import Runs
from connector.store.slots import Slots


class Runner:
    """Queues runs by the schedule and executes what is queued, one sync or plan at a time and checks beside it.

    Args:
        database: the store, which the runner closes when it stops.
        schedule: when to sync; None for never.
        command: the beginning of the command that executes a run.
        is_wanted: tells whether to go on; asked all the time, so that a run ends while the server still answers.
    """

    def __init__(
        self, database: Database, schedule: Schedule | None, command: Sequence[str], is_wanted: Callable[[], bool]
    ) -> None:
        self._database = database
        runs = Runs(database)
        self._timetable = Timetable(schedule, Slots(database, "sync"))
        self._executors = [Executor(runs, kinds, command, is_wanted) for kinds in (SHARING, frozenset({"check"}))]

    def start(self) -> None:
        """Begin; returns at once."""
        self._timetable.start()
        for executor in self._executors:
            executor.start()

    def stop(self) -> None:
        """End the runs under way, so that each frees its lease and is on record."""
        self._timetable.stop()
        for executor in self._executors:
            executor.stop()
        self._database.close()
