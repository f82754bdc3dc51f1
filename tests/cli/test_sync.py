"""`sync` and `plan`: exit codes, results, and that no secret and no control character leaves."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connector.cognito import sending
from tests.cli.conftest import Run
from tests.fakes.faults import Fault
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import EXTERNAL_ID, USER, SimulatedPool

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("pool")
def test_sync_publishes_and_then_finds_nothing_to_change(run: Run) -> None:
    """The contract: published and unchanged are 0."""
    first, second = run("sync", "--json"), run("sync", "--json")

    assert (first.code, first.document["outcome"], first.document["generation"]) == (0, "published", 1)
    assert (first.document["users"], first.document["groups"], first.document["memberships"]) == (3, 2, 4)
    assert (second.code, second.document["outcome"], second.document["generation"]) == (0, "unchanged", 1)


@pytest.mark.usefixtures("pool")
def test_people_read_a_sentence(run: Run, folder: Path) -> None:
    """Sentences with counts; no bar where there is no terminal, and a store that is made is said to be made."""
    done, again = run("sync"), run("sync")

    assert (done.code, done.err.count("\n"), again.err) == (0, 1, "")
    assert f"there was no store, so an empty one was made: {folder}/cognito-scim.db" in done.err
    assert done.out.startswith("Published generation 1: 3 users, 2 groups, 4 memberships")


def test_plan_publishes_nothing(run: Run, pool: SimulatedPool) -> None:
    """P06: `plan` shows the change without making it."""
    planned = run("plan", "--json")

    assert (planned.code, planned.document["outcome"], "generation" in planned.document) == (0, "published", False)
    assert run("list", "users").code == 75
    assert pool.calls["ListUsers"] == 1


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_a_refused_change_ends_with_3(command: str, run: Run, pool: SimulatedPool) -> None:
    """P02: from some to none is refused whatever the limits, and nothing changes."""
    run("sync")
    for name in ("ann", "bo", "cy"):
        pool.directory.remove_user(name)
    done = run(command, "--json")

    assert (done.code, done.document["outcome"]) == (3, "refused")
    assert run("list", "users", "--json").document["total"] == 3


@pytest.mark.parametrize("text", ["cognito-scim sync --approve " + "0" * 64, "", "12", "0" * 64 + "\n"])
def test_what_is_no_digest_is_wrong_usage(text: str, run: Run) -> None:
    """P03: the text of `approve` is a command; its last word is the digest."""
    done = run("sync", "--approve", text)

    assert (done.code, "write the digest alone" in " ".join(done.err.split())) == (2, True)


def test_a_refusal_prints_the_command_that_approves_it(run: Run, pool: SimulatedPool) -> None:
    """P03: reasons, examples and the way out are on the screen; the approval publishes and is good once."""
    run("sync")
    for name in ("ann", "bo", "cy"):
        pool.directory.remove_user(name)

    refused = run("sync")
    command = next(line for line in refused.out.splitlines() if "--approve" in line).split("cognito-scim ")[1].split()

    assert ("all 3 users would be removed" in refused.out, "removed" in refused.out) == (True, True)
    assert run(*command, "--json").document["outcome"] == "published"
    again = run(*command, "--json")
    assert (again.code, again.document["outcome"]) == (3, "refused")


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.ACCESS_DENIED, 77), (Fault.POOL_MISSING, 78), (Fault.WRONG_KEYS, 77), (Fault.EMPTY_OBJECT, 75)],
)
def test_an_incomplete_sync_ends_by_its_cause(
    fault: Fault, code: int, run: Run, pool: SimulatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract: 77, 78 or 75 by the cause; the published directory stays."""
    monkeypatch.setattr(sending, "LONGEST_WAIT", 0.01)
    run("sync")
    pool.fail("ListUsers", call=1 + pool.calls["ListUsers"], fault=fault, times=100)
    spoken, written = run("sync"), run("sync", "--json")

    assert (spoken.code, written.code, written.document["outcome"]) == (code, code, "incomplete")
    assert (spoken.out, spoken.err.startswith("cognito-scim: ")) == ("", True)
    assert bool(written.document["cause"]) is True
    assert "Traceback" not in spoken.err + written.err
    assert run("list", "users", "--json").document["total"] == 3


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_a_run_that_never_began_is_an_incomplete_result(command: str, run: Run) -> None:
    """The contract: one JSON document, also when there is no configuration."""
    done = run(command, "--json")

    assert done.code == 78
    assert (done.document["run"], done.document["outcome"]) == (None, "incomplete")
    assert "cognito.user_pool_id: missing" in done.document["cause"]


@pytest.mark.usefixtures("pool")
def test_a_store_that_cannot_be_made_is_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract: a folder that is not there is a matter of the configuration, 78."""
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", "sqlite:///no/such/folder/store.db")
    done = run("sync", "--json")

    assert (done.code, done.document["outcome"]) == (78, "incomplete")


def test_records_that_cannot_be_served_are_listed(run: Run, pool: SimulatedPool) -> None:
    """P17: rejects are told, with hostile text escaped (P32)."""
    pool.directory.add_user(a_user("evil\x1b[2J\n", sub="not/a/sub"))
    done = run("sync")

    assert (done.code, "evil\\x1b[2J\\n" in done.out, "\x1b" in done.out) == (0, True, False)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_leaves_at_debug(log_format: str, run: Run, pool: SimulatedPool, folder: Path) -> None:
    """P27: canaries in every secret, everything at DEBUG, a fault on the way: no hit in any output or file."""
    pool.fail("ListGroups", call=1, fault=Fault.ACCESS_DENIED)
    options = ("--log-level", "debug", "--log-format", log_format)
    told = "".join(
        done.out + done.err for done in (run(*options, "sync"), run(*options, "sync"), run(*options, "check", "--json"))
    )
    kept = b"".join(path.read_bytes() for path in folder.glob("*.db*"))

    assert [secret for secret in (USER.secret, EXTERNAL_ID) if secret in told or secret.encode() in kept] == []
    assert ("[run 1]" in told or '"run_id": "1"' in told) is True


def test_a_terminal_sees_a_bar(pool: SimulatedPool) -> None:
    """On a terminal long work shows its progress, on stderr; stdout stays clean."""
    assert pool.endpoint_url
    terminal, process_side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "sync", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=process_side,
    )
    os.close(process_side)
    shown = b""
    while chunk := _read(terminal):
        shown += chunk
    out, _ = process.communicate()
    os.close(terminal)

    assert (process.returncode, b"memberships" in shown, out.startswith(b"{")) == (0, True, True)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal so
        return b""


def test_sigterm_ends_a_sync_as_ctrl_c_does(folder: Path, pool: SimulatedPool) -> None:
    """P20: systemd, docker and cron send SIGTERM; the lease is free at once, and the next run publishes."""
    started, go_on = threading.Event(), threading.Event()

    def hold_on() -> None:
        started.set()
        go_on.wait(30)

    pool.before("ListGroups", call=1, do=hold_on)
    command = [sys.executable, "-m", "connector", "sync"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert started.wait(60)
        process.terminate()
        go_on.set()
        _, err = process.communicate(timeout=60)

    assert (process.returncode, "interrupted" in err) == (130, True)
    again = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)

    assert again.stdout.startswith("Published generation 1")


def test_people_see_who_is_served_under_another_name(run: Run, pool: SimulatedPool) -> None:
    """P16: a collision is told, not only counted."""
    pool.directory.add_user(a_user("ANN"))

    assert "Served under another name, because theirs is taken: 1" in run("sync").out
