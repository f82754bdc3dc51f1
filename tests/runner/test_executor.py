"""The executor: every claimed run comes to an end that is on record, however its process goes."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connector.directory.runs import RunKind
from connector.errors import StoreError
from connector.runner import executor
from connector.runner.executor import Executor
from connector.store.runs.lease import Lease
from connector.store.runs.queue import Claim

ENDED = "Its process ended with exit code"
STUBBORN = "import time; time.sleep(60)"


class FakeClaims:
    """A queue that answers as scripted, and remembers what was abandoned."""

    def __init__(self, *answers: Claim | Exception | None) -> None:
        self.answers = list(answers)
        self.causes: list[str] = []
        self.claimed = threading.Event()
        self.abandoned = threading.Event()
        self.away = 0

    def claim(self, kinds: object, /) -> Claim | None:
        """Answer as scripted, then with nothing."""
        assert kinds == {"sync"}
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer:
            self.claimed.set()
        return answer

    def abandon(self, _lease: Lease, cause: str, /) -> str:
        """Take note of why, once the store is no longer away."""
        if self.away:
            self.away -= 1
            raise StoreError("It is away.")
        self.causes.append(cause)
        self.abandoned.set()
        return "failed"


CLAIM = Claim(RunKind.SYNC, Lease("sync", 12, 7))


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(executor, "_GLANCE_SECONDS", 0.01)


def execute(claims: FakeClaims, *command: str) -> list[str]:
    """Execute what is claimed until one run is abandoned, and return why."""
    one = Executor(claims, {RunKind.SYNC}, command, lambda: True)
    one.start()
    ended = claims.abandoned.wait(60)
    one.stop()
    assert ended
    return claims.causes


def test_the_command_is_given_the_run_and_its_fencing_number() -> None:
    """P20: and nothing else; no secret is in an argument list (P27)."""
    program = "import sys; sys.exit(sys.argv[1:] != ['12', '--fence', '7'])"
    (cause,) = execute(FakeClaims(CLAIM), sys.executable, "-c", program)

    assert cause == f"{ENDED} 0; the log of serve says why."


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (
            (sys.executable, "-c", "raise SystemExit(3)"),
            "Its process ended with exit code 3; the log of serve says why.",
        ),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"), "Its process was ended by signal 9."),
        (("/no/such/program",), "No process could be started for it: No such file or directory."),
    ],
)
def test_how_a_process_died_is_on_record(command: tuple[str, ...], cause: str) -> None:
    """P20: a child that dies is a failed run, with what is known of its death."""
    assert execute(FakeClaims(CLAIM), *command) == [cause]


def test_a_store_that_is_away_is_told_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """P21: an executor never gives up, nor does it fill the log."""
    away = [StoreError("It is away.") for _ in range(3)]
    causes = execute(FakeClaims(*away, ValueError("unforeseen"), CLAIM), sys.executable, "-c", "")

    assert len(causes) == 1
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == ["no run can be executed: It is away.", "no run could be executed: ValueError"]


def test_an_end_that_the_store_did_not_take_is_recorded_once_it_answers() -> None:
    """P20: the cause is that of the process, and no other run is begun before."""
    claims = FakeClaims(CLAIM, CLAIM)
    claims.away = 3
    one = Executor(claims, {RunKind.SYNC}, (sys.executable, "-c", "raise SystemExit(75)"), lambda: True)
    one.start()
    assert claims.abandoned.wait(60)
    one.stop()

    assert claims.causes[0] == f"{ENDED} 75; the log of serve says why."
    assert claims.away == 0


def test_the_log_says_with_what_outcome_a_run_ended(caplog: pytest.LogCaptureFixture) -> None:
    """P20: a run that was cancelled ends with exit code 0, and has failed all the same."""
    with caplog.at_level(logging.INFO):
        execute(FakeClaims(CLAIM), sys.executable, "-c", "")

    assert [record.getMessage() for record in caplog.records] == ["run 12 (sync) begins", "run 12 ended: failed"]


def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """P20: stopping takes a bounded time, and leaves no process behind."""
    monkeypatch.setattr(executor, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(subprocess.Popen, "terminate", lambda _child: None)  # as one that ignores it
    claims = FakeClaims(CLAIM)
    one = Executor(claims, {RunKind.SYNC}, (sys.executable, "-c", STUBBORN), lambda: True)
    one.start()
    assert claims.claimed.wait(60)
    one.stop()

    assert claims.causes == ["Its process was ended by signal 9."]


def test_nothing_is_begun_once_nobody_wants_it() -> None:
    """P20: a server that is about to end claims no run."""
    claims = FakeClaims(CLAIM)
    one = Executor(claims, {RunKind.SYNC}, ("/no/such/program",), lambda: False)
    one.start()
    one.stop()

    assert (claims.claimed.is_set(), claims.causes) == (False, [])


def test_a_process_that_is_spared_comes_to_its_end_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """P37: a rotation is not killed in the middle of an account, and its run is not ended over its head."""
    monkeypatch.setattr(executor, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(subprocess.Popen, "terminate", lambda _child: None)
    done = tmp_path / "done"
    program = f"import sys, pathlib; sys.stdin.read(); pathlib.Path({str(done)!r}).touch()"
    claims = FakeClaims(CLAIM)
    one = Executor(claims, {RunKind.SYNC}, (sys.executable, "-c", program), lambda: True, spares=True)
    one.start()
    assert claims.claimed.wait(60)
    one.stop()
    for reaper in [thread for thread in threading.enumerate() if thread.name == "reap"]:
        reaper.join(60)

    assert (claims.causes, done.exists()) == ([], True)
