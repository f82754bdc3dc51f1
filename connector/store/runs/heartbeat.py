"""What a run does beside its work: keep its lease, say how far it has come, and learn that it was cancelled (P20)."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update

from connector.errors import ConnectorError, LeaseLost, RunCancelled, StoreError
from connector.store.runs import lease as leases
from connector.store.runs.lease import TIME_TO_LIVE, Lease
from connector.store.sql.database import Database
from connector.store.sql.tables import runs

BEAT_SECONDS = 1.0
"""How often a run looks whether it was cancelled, and how often at most it says how far it has come."""


class Pulse:
    """The life signs of a run.

    Args:
        database: the store.
        lease: the lease of the run.
    """

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._told: Mapping[str, Any] | None = None
        self._renewed = time.monotonic()
        self.progress: Mapping[str, Any] | None = None
        """How far the run has come, for the next beat to write."""
        self.fault: ConnectorError | None = None
        """Why the run should go no further."""

    def beat(self) -> None:
        """Write what is new, and read whether somebody wants the run to end; a store that is away may come back.

        A cancelled run keeps its lease until it has ended, or another would begin beside it.
        """
        if isinstance(self.fault, LeaseLost):
            return
        try:
            if self._has_news():
                self._write()
            if not self.fault and self._is_cancelled():
                self.fault = RunCancelled("It was cancelled.", remedy="Start it again when it is wanted.")
        except LeaseLost as lost:
            self.fault = lost
        except StoreError:
            return

    def _has_news(self) -> bool:
        return self.progress is not self._told or time.monotonic() - self._renewed >= TIME_TO_LIVE / 3

    def _write(self) -> None:
        progress = self.progress
        with self._database.writing() as connection:
            leases.prove(connection, self._lease)
            if progress is not None:
                told = update(runs).where(runs.c.id == self._lease.run).values(progress=json.dumps(progress))
                connection.execute(told)
        self._told, self._renewed = progress, time.monotonic()

    def _is_cancelled(self) -> bool:
        with self._database.reading() as connection:
            return bool(connection.scalar(select(runs.c.cancelling).where(runs.c.id == self._lease.run)))


@contextmanager
def beating(database: Database, lease: Lease) -> Iterator[Pulse]:
    """Give a pulse that beats in a thread of its own while the block runs."""
    pulse, ended = Pulse(database, lease), threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            pulse.beat()

    thread = threading.Thread(target=beat, name=f"run-{lease.run}", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        ended.set()
        thread.join()
