"""Several processes want to run at once; one does."""

import time
from itertools import pairwise
from multiprocessing import get_context

import pytest

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.errors import AlreadyRunning
from connector.store.migrations import open_database
from connector.store.runs.run import begin

_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.store.runs.test_race"])


def try_to_run(url, tries, reports):
    """Try to run so many times and report when each run that was allowed began and ended."""
    database = open_database(url)
    spans = []
    for _ in range(tries):
        try:
            with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
                began = time.monotonic_ns()
                time.sleep(0.002)
                spans.append((began, time.monotonic_ns()))
                run.end(RunOutcome.UNCHANGED, {})
        except AlreadyRunning:
            time.sleep(0.001)
    database.close()
    reports.put(spans)


@pytest.mark.usefixtures("database")
def test_runs_of_many_processes_never_overlap(store_url):
    """P20: eight processes, one lease; all their runs stand one after the other."""
    reports = _processes.Queue()
    racers = [_processes.Process(target=try_to_run, args=(store_url, 25, reports)) for _ in range(8)]
    for racer in racers:
        racer.start()
    spans = sorted(span for _ in racers for span in reports.get(timeout=120))
    for racer in racers:
        racer.join(60)

    assert [racer.exitcode for racer in racers] == [0] * 8
    assert len(spans) > 8
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
