"""The runner as a whole: what is started and stopped with a server."""

from collections.abc import Callable, Sequence

from connector.directory.runs import RunKind
from connector.directory.schedule import Schedules
from connector.runner.executor import Executor
from connector.runner.feed_timetable import FeedTimetable
from connector.runner.poller import Poller
from connector.runner.timetable import Timetable
from connector.store.runs.due import Slots
from connector.store.runs.lease import SHARING
from connector.store.runs.queue import Runs
from connector.store.sql.database import Database


class Runner:
    """Queues runs by the schedules and executes what is queued.

    One sync, delta or plan at a time, one rotation at a time, and checks and tries of importers beside them.

    Args:
        database: the store, which the runner closes when it stops.
        schedules: when to do what.
        command: the beginning of the command that executes a run.
        is_wanted: tells whether to go on; asked all the time, so that a run ends while the server still answers.
        feed: what reads the change feed and queues its runs; nothing where there is no feed.
    """

    def __init__(
        self,
        database: Database,
        schedules: Schedules,
        command: Sequence[str],
        is_wanted: Callable[[], bool],
        *,
        feed: Sequence[FeedTimetable | Poller] = (),
    ) -> None:
        self._database = database
        runs = Runs(database)
        self._watchers: list[Timetable | FeedTimetable | Poller] = [
            Timetable(schedules.sync, Slots(database, RunKind.SYNC), of="sync"),
            Timetable(schedules.rotation, Slots(database, RunKind.ROTATE), of="rotation"),
            *feed,
        ]
        self._executors = [
            Executor(runs, SHARING, command, is_wanted),
            Executor(runs, frozenset({RunKind.CHECK}), command, is_wanted),
            Executor(runs, frozenset({RunKind.ROTATE}), command, is_wanted, spares=True),
            Executor(runs, frozenset({RunKind.WALK}), command, is_wanted),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for watcher in self._watchers:
            watcher.start()
        for executor in self._executors:
            executor.start()

    def stop(self) -> None:
        """End the runs under way, so that each frees its lease and is on record."""
        for watcher in self._watchers:
            watcher.stop()
        for executor in self._executors:
            executor.stop()
        self._database.close()
