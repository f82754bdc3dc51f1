"""`serve` executes what is queued, each run in a child process, and leaves nothing behind when it goes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from connector.directory.runs import Cause, RunKind
from connector.errors import AlreadyRunning
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.queue import Runs
from connector.store.sql.tables import runs, schedules
from tests.fakes.simulated_pool import EXTERNAL_ID, USER
from tests.processes.conftest import environment, serving, wait_for, wait_for_end, wait_for_state


class Hold:
    """Holds an answer of the pool back."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def answer(self) -> None:
        """Wait until it is released."""
        self.reached.set()
        self.released.wait(60)


@contextmanager
def held(pool, operation="ListGroups") -> Iterator[Hold]:
    """Hold the pool's first answer to a call back, at most to the end of the block."""
    hold = Hold()
    pool.before(operation, call=1, do=hold.answer)
    try:
        yield hold
    finally:
        hold.released.set()


def executing(pid: int) -> list[int]:
    """Return the processes that execute runs for a server."""
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"execute-run" in _command(path) and _parent(path.parent) == pid
    ]


def _command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def is_running(pid: int) -> bool:
    """Tell whether a process is there and is no zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_queued_sync_is_executed_by_serve(pool, store):
    """P20: what anybody asks for goes through the queue; the child logs into the server's log under its run."""
    queue = Runs(store)
    run = queue.request(RunKind.SYNC, cause=Cause.API)
    with serving(COGNITO_SCIM_SYNC__RETENTION="1d") as served:
        ended = wait_for_end(store, run.id)

    assert (ended.outcome, ended.result["users"], ended.cause) == ("published", 2, "api")
    assert ended.progress["phase"] == "comparing"
    assert f"run {run.id} (sync) begins" in served.log
    assert DirectoryReader(store).newest().number == 1
    assert [secret for secret in (USER.secret, EXTERNAL_ID) if secret in served.log] == []
    assert pool.calls["ListUsers"] == 1


def test_a_check_does_not_wait_behind_a_sync(pool, store):
    """P20: checks have executors of their own, and each has its own lease."""
    queue = Runs(store)
    with held(pool) as hold, serving():
        sync = queue.request(RunKind.SYNC, cause=Cause.API)
        assert hold.reached.wait(60)
        check = queue.request(RunKind.CHECK, cause=Cause.API)
        with pytest.raises(AlreadyRunning, match=f"run {sync.id}"):
            queue.request(RunKind.PLAN, cause=Cause.API)

        assert wait_for_state(store, check.id, "running").kind == "check"
        assert queue.find(sync.id).state == "running"


def test_a_run_is_cancelled_from_another_process(pool, store):
    """P20: whoever has the store can end a run; nothing of it is published and the lease is free."""
    queue = Runs(store)
    with held(pool) as hold, serving():
        run = queue.request(RunKind.SYNC, cause=Cause.API)
        assert hold.reached.wait(60)
        done = subprocess.run(
            [sys.executable, "-m", "connector", "runs", "cancel", str(run.id)],
            env=environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert f"Run {run.id} was asked to end" in done.stdout
        found = queue.find(run.id)
        assert found.state == "ended" or found.progress["phase"] == "cancelling"
        hold.released.set()
        ended = wait_for_end(store, run.id)
        after = wait_for_end(store, queue.request(RunKind.SYNC, cause=Cause.API).id)

    assert (ended.outcome, ended.result["cause"]) == ("failed", "It was cancelled.")
    assert (after.outcome, DirectoryReader(store).newest().number) == ("published", 1)


def test_stopping_serve_ends_its_run_and_frees_the_lease(pool, store):
    """P20: on SIGTERM a run is abandoned cleanly: on record, nothing published, no process left."""
    queue = Runs(store)
    with held(pool) as hold, serving() as served:
        run = queue.request(RunKind.SYNC, cause=Cause.API)
        assert hold.reached.wait(60)
        (child,) = executing(served.process.pid)
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(30)

    ended = queue.find(run.id)
    assert (ended.state, ended.outcome, ended.result["cause"]) == ("ended", "failed", "It was interrupted.")
    assert (served.process.returncode, is_running(child), "Traceback" in served.log) == (0, False, False)
    assert f"WARNING [run {run.id}] connector.cli.execute: interrupted" in served.log
    assert "cognito-scim: interrupted" not in served.log
    assert queue.request(RunKind.SYNC, cause=Cause.API).id > run.id


def test_a_run_ends_with_a_server_that_is_killed(pool, store):
    """P20: the child notices that its parent is gone, however it went; no orphan harvests on."""
    queue = Runs(store)
    with held(pool) as hold, serving() as served:
        run = queue.request(RunKind.SYNC, cause=Cause.API)
        assert hold.reached.wait(60)
        (child,) = executing(served.process.pid)
        served.process.kill()
        ended = wait_for_end(store, run.id)
        wait_for(lambda: not is_running(child))

    assert (ended.outcome, DirectoryReader(store).newest()) == ("failed", None)


def test_a_child_that_dies_is_recorded_with_how_it_died(pool, store):
    """P20: a run never stays open; the next one is executed as if nothing had been."""
    queue = Runs(store)
    with held(pool) as hold, serving() as served:
        run = queue.request(RunKind.SYNC, cause=Cause.API)
        assert hold.reached.wait(60)
        os.kill(executing(served.process.pid)[0], signal.SIGKILL)
        ended = wait_for_end(store, run.id)
        after = wait_for_end(store, queue.request(RunKind.SYNC, cause=Cause.API).id)

    assert (ended.outcome, ended.result["cause"]) == ("failed", "Its process was ended by signal 9.")
    assert after.outcome == "published"


def test_an_unforeseen_fault_is_on_record_by_its_id_and_its_traceback_in_the_log(pool, store):
    """P20: the history says which fault it was, and the log of serve everything else, under the run."""
    broken = {"kind": "sync", "cause": "api", "state": "ended", "queued_at": "2026-11-21", "ended_at": "9999-12-31"}
    with store.writing() as connection:  # a refused plan which says not of what
        connection.execute(
            insert(runs).values(**broken, outcome="refused", result='{"digest": "d", "generation": null}')
        )
    run = Runs(store).request(RunKind.SYNC, cause=Cause.API, approve="d")
    with serving() as served:
        ended = wait_for_end(store, run.id)
        wait_for(lambda: f"run {run.id} ended" in served.log)

    identifier = ended.result["cause"].partition("(")[2].partition(",")[0]
    (line,) = [line for line in served.lines if "Traceback" in line]
    assert (ended.outcome, f"({identifier}, KeyError)" in ended.result["cause"]) == ("failed", True)
    assert (f"ERROR [run {run.id}]" in line, identifier in line, "KeyError: 'source'" in line) == (True, True, True)
    assert f"run {run.id} ended: failed" in served.log
    assert pool.calls["ListUsers"] == 0


@pytest.mark.parametrize("kind", [RunKind.SYNC, RunKind.PLAN])
def test_without_a_pool_a_run_ends_with_the_fault_of_the_configuration(kind, store):
    """A configuration that can serve but not sync serves, and says of each run what it lacks."""
    run = Runs(store).request(kind, cause=Cause.API)
    with serving() as served:
        ended = wait_for_end(store, run.id)

    assert ended.outcome == "incomplete"
    assert "cognito.user_pool_id: missing" in ended.result["cause"]
    assert served.url.startswith("http://127.0.0.1:")


def test_without_a_pool_a_check_fails_at_the_configuration(store):
    """The button Test Connectivity answers whatever is wrong."""
    run = Runs(store).request(RunKind.CHECK, cause=Cause.CONSOLE)
    with serving():
        ended = wait_for_end(store, run.id)

    assert (ended.outcome, ended.result["checks"][0]["name"]) == ("failed", "configuration")
    assert ended.result["checks"][0]["status"] == "failed"


def test_serve_queues_and_executes_what_the_schedule_asks_for(pool, store):
    """P21: the slot that passed while nothing ran is caught up, and told of."""
    with store.writing() as connection:
        connection.execute(insert(schedules).values(kind="sync", schedule="every 365d", handled=1))
    with serving(COGNITO_SCIM_SYNC__SCHEDULE="every 365d") as served:
        wait_for(lambda: len(Runs(store).history(count=9)) == 2)
        first, second = sorted(Runs(store).history(count=9), key=lambda run: run.result.get("missed", 0))
        ended = wait_for_end(store, first.id)

    assert (ended.cause, ended.outcome, ended.result["late_seconds"] > 0) == ("schedule", "published", True)
    assert (second.outcome, second.result["missed"] > 50) == ("failed", True)
    assert "scheduled syncs missed: " in served.log
    assert pool.calls["ListUsers"] == 1
