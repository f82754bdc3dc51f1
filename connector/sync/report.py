"""The report of one run: gathers what happened, and ends the run with it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from connector.cognito.meter import Meter
from connector.directory.plan import ChangePlan
from connector.errors import ConnectorError
from connector.store.runs import Run
from connector.store.settle import Renamed
from connector.sync.harvest import Tally
from connector.sync.result import INCOMPLETE, SyncResult


class Report:
    """What is known of a run so far.

    Args:
        run: the run, which `end` ends.
        kind: `sync` or `plan`.
        meter: counts the calls.
    """

    def __init__(self, run: Run, kind: str, meter: Meter) -> None:
        self._run = run
        self._meter = meter
        self._started = time.monotonic()
        self._result = SyncResult(run.id, INCOMPLETE, 0.0, kind=kind)

    @contextmanager
    def of_faults(self) -> Iterator[None]:
        """Turn a fault of the block into an incomplete run."""
        try:
            yield
        except ConnectorError as error:
            self._note(outcome=INCOMPLETE, fault=error)

    def compared(self, plan: ChangePlan, tally: Tally, renamed: list[Renamed]) -> None:
        """Take note of a complete harvest and of what it would change."""
        self._note(
            plan=plan,
            rejects=tuple(tally.rejects),
            dropped_members=tally.dropped_members,
            notes=dict(tally.remarks),
            renamed=tuple({"id": name.user_id, "wanted": name.wanted, "served": name.served} for name in renamed),
        )

    def concluded(self, outcome: str, **values: Any) -> None:
        """Take note of how it came out."""
        self._note(outcome=outcome, **values)

    def end(self) -> SyncResult:
        """Record the run as ended and return its result."""
        self._note(
            seconds=time.monotonic() - self._started,
            calls=dict(self._meter.calls),
            throttled=self._meter.throttled,
        )
        self._run.end(self._result.outcome, self._result.as_json())
        return self._result

    @property
    def outcome(self) -> str:
        """The outcome as it stands."""
        return self._result.outcome

    def _note(self, **values: Any) -> None:
        self._result = replace(self._result, **values)
