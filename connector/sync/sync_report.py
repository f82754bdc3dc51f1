"""The report of one run: gathers what happened, and ends the run with it."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from connector.cognito.meter import Meter
from connector.directory.runs import RunKind, RunOutcome
from connector.errors import ApprovalRefused, ConnectorError, RunCancelled, StoreError
from connector.store.generations import Generation
from connector.store.runs.run import Run
from connector.sync.result import SyncResult

_log = logging.getLogger(__name__)


class Report:
    """What is known of a run so far.

    Args:
        run: the run, which `end` ends.
        meter: counts the calls.
    """

    def __init__(self, run: Run, meter: Meter) -> None:
        self._run = run
        self._meter = meter
        self._started = time.monotonic()
        self._result = SyncResult(run.id, RunOutcome.INCOMPLETE, 0.0, kind=run.kind)
        self._published = self._result

    @contextmanager
    def of_faults(self) -> Iterator[None]:
        """Turn a fault of the block into the end of the run: incomplete, unless it was refused or cancelled."""
        try:
            yield
        except ApprovalRefused as error:
            self.note(outcome=RunOutcome.REFUSED, reasons=(error.message,), fault=error)
        except RunCancelled as error:
            self.note(outcome=RunOutcome.FAILED, fault=error)
        except ConnectorError as error:
            self.note(outcome=RunOutcome.INCOMPLETE, fault=error)

    def note(self, **values: Any) -> None:
        """Take note of parts of the result, named as in `SyncResult`."""
        self._result = replace(self._result, **values)

    def record_published(self, generation: Generation) -> Mapping[str, Any]:
        """Return the result of a run that publishes a generation, for the transaction that does it."""
        self._published = replace(self._measured(), outcome=RunOutcome.PUBLISHED, generation=generation.number)
        return self._published.as_json()

    def _measured(self) -> SyncResult:
        seconds = time.monotonic() - self._started
        return replace(self._result, seconds=seconds, calls=dict(self._meter.calls), throttled=self._meter.throttled)

    def end(self) -> SyncResult:
        """Free the lease, record how the run ended unless its publish did, and return the result."""
        is_recorded = self._run.kind in {RunKind.SYNC, RunKind.DELTA} and self._result.outcome is RunOutcome.PUBLISHED
        self._result = self._published if is_recorded else self._measured()
        try:
            self._run.end(self._result.outcome, self._result.as_json())
        except StoreError as error:
            if is_recorded:
                _log.warning("run %s published, but keeps its lease until that expires: %s", self._run.id, error)
            else:  # it has come to no end
                self.note(outcome=RunOutcome.INCOMPLETE, fault=self._result.fault or error)
        return self._result


def end_unstarted(run: Run, fault: ConnectorError) -> SyncResult:
    """End a run that cannot begin its work, as one that it kept from its end does."""
    report = Report(run, Meter())
    report.note(fault=fault)
    return report.end()
