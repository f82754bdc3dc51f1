"""What `rotate` leaves in the history, and what `rotate status` tells of it."""

import json

import pytest

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.migrations import open_database
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.runs.run import begin
from tests.cli.conftest import Run
from tests.cli.test_rotate import ALICE, OLD, SECRET, cloud, stage  # noqa: F401 - the fixture
from tests.fakes.rotation.cloud import POOL_ID

IN_SECRET = ("--vault", f"secretsmanager:{SECRET}")
IDENTITY = f"cognito-user {POOL_ID}/alice"


@pytest.fixture
def store(folder):
    """The store that the commands in the folder use."""
    database = open_database(f"sqlite:///{folder}/cognito-scim.db")
    yield database
    database.close()


def history(store):
    """Return the runs, newest first."""
    return Runs(store).history(count=9)


def schedule(store):
    """Let the schedule rotate alice."""
    RotatedAccounts(store).schedule({IDENTITY: f"secret {SECRET}"}, complete=True)


@pytest.mark.usefixtures("cloud")
def test_a_rotation_by_hand_is_a_run(run: Run, store):
    """P37: kind rotate, cause command; outcome, proof and notes of the account, never a password (P27)."""
    run("rotate", *ALICE, *IN_SECRET)
    run("rotate", "iam-user", "service", "--vault", "stdout")
    run("rotate", "recover", *ALICE, *IN_SECRET)
    run("rotate", "verify", *ALICE, *IN_SECRET)
    idle, by_name, first = history(store)

    assert [(one.kind, one.cause, one.outcome) for one in (first, by_name, idle)] == [
        ("rotate", "command", "rotated"),
        ("rotate", "command", "rotated"),
        ("rotate", "command", "unchanged"),
    ]
    assert first.result["accounts"] == [
        {"account": IDENTITY, "vault": f"secret {SECRET}", "outcome": "rotated", "proof": "accepted", "notes": []}
    ]
    assert by_name.result["accounts"][0]["proof"] == "not verifiable"
    assert idle.result["accounts"][0]["outcome"] == "nothing pending"


def test_a_rotation_that_fails_is_a_failed_run(cloud, run: Run, store):  # noqa: F811 - the fixture
    """P37: with what to do; the exit code is that of the fault."""
    cloud.deny("AdminSetUserPassword")
    schedule(store)
    done = run("rotate", *ALICE, *IN_SECRET)
    (failed,) = history(store)

    assert (done.code, failed.outcome, failed.result["failed"]) == (77, "failed", 1)
    assert "AdminSetUserPassword" in failed.result["cause"]
    assert "cognito-idp:AdminSetUserPassword" in failed.result["needs_operator"][0]["do"]
    assert RotatedAccounts(store).all()[0].needs_operator


@pytest.mark.usefixtures("cloud")
def test_what_is_discarded_is_no_new_password(run: Run, folder, store):
    """P37: the run is `unchanged`, and nobody is told that the account was rotated."""
    schedule(store)
    stage(folder, "weak")
    run("rotate", "recover", "--discard-unfit")
    (done,) = history(store)
    (known,) = RotatedAccounts(store).all()

    assert (done.outcome, done.result["accounts"][0]["outcome"]) == ("unchanged", "discarded")
    assert (known.last.outcome, known.rotated_at) == ("waiting", None)


@pytest.mark.usefixtures("cloud")
def test_everything_in_the_journal_is_one_run(run: Run, folder, store):
    """P37: each entry is an account of the run."""
    stage(folder, "Staged-passw0rd-1")
    stage(folder, "Staged-passw0rd-2", "cognito-user eu-west-1_Other/alice")
    run("rotate", "recover")
    (recovered,) = history(store)

    assert (recovered.outcome, recovered.result["rotated"], recovered.result["failed"]) == ("partly", 1, 1)
    assert "Staged" not in json.dumps(recovered.as_json())


def test_a_store_that_is_away_stops_no_rotation(cloud, run: Run, monkeypatch):  # noqa: F811 - the fixture
    """P37: by hand a password is rotated whatever the history does; the log warns."""
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", "sqlite:///no/such/folder/store.db")
    done = run("rotate", *ALICE, *IN_SECRET)
    recovered = run("rotate", "recover")

    assert (done.code, recovered.code) == (0, 0)
    assert "this rotate is not on record" in done.err
    assert not cloud.pool.signs_in("alice", OLD)


def test_two_rotations_never_overlap(cloud, run: Run, store):  # noqa: F811 - the fixture
    """P37: by hand too; the one under way is named (75), and nothing is asked of AWS."""
    with begin(store, RunKind.ROTATE, cause=Cause.COMMAND) as other:
        done = run("rotate", *ALICE, *IN_SECRET)
        other.end(RunOutcome.ROTATED, {"run": other.id})

    assert (done.code, f"run {other.id}" in done.err) == (75, True)
    assert cloud.calls["AdminGetUser"] == 0


@pytest.mark.usefixtures("cloud")
def test_status_tells_last_and_next_of_each_account(run: Run, store, monkeypatch):
    """P37: account, vault, last rotated, proof, next time and who needs an operator."""
    for key, value in (("ALLOW", "alice"), ("VAULT", f"secretsmanager:{SECRET}"), ("SCHEDULE", "0 3 1 1 *")):
        monkeypatch.setenv(f"COGNITO_SCIM_ROTATION__{key}", value)
    schedule(store)
    waiting = run("rotate", "status", "--json").document["accounts"]
    run("rotate", *ALICE)
    (told,) = run("rotate", "status", "--json").document["accounts"]
    table = run("rotate", "status").out

    assert [(one["outcome"], one["last_rotated"], one["run"]) for one in waiting] == [("waiting", None, None)]
    assert (told["account"], told["vault"], told["outcome"], told["proof"]) == (
        *(IDENTITY, f"secret {SECRET}"),
        *("rotated", "accepted"),
    )
    assert told["next"].endswith("-01-01T03:00:00.000Z")
    assert (told["last_rotated"], told["run"], told["needs_operator"]) == (told["last_tried"], 1, False)
    assert table.split("\n")[2].split()[:2] == ["cognito-user", f"{POOL_ID}/alice"]


def test_status_says_who_needs_an_operator(cloud, run: Run, store):  # noqa: F811 - the fixture
    """P37: the fault and the remedy, below the table; without a schedule there is no next time."""
    cloud.pool.users["alice"].enabled = False
    schedule(store)
    run("rotate", *ALICE, *IN_SECRET)
    shown = run("rotate", "status")
    (told,) = run("rotate", "status", "--json").document["accounts"]

    assert f"{IDENTITY} needs you: user 'alice' of pool {POOL_ID} is disabled." in shown.out
    assert (told["needs_operator"], told["do"], told["next"]) == (True, "Enable it, or do not rotate it.", None)


def test_before_any_rotation_status_says_so(run: Run):
    """An empty table is a sentence."""
    assert run("rotate", "status").out == "No rotation is on record yet.\n"
    assert run("rotate", "status", "--json").document == {"accounts": []}


@pytest.mark.usefixtures("cloud")
def test_the_list_of_runs_says_how_many_were_rotated(run: Run, store):
    """P37: one line a run, under way and ended."""
    run("rotate", *ALICE, *IN_SECRET)
    with begin(store, RunKind.ROTATE, cause=Cause.COMMAND) as other:
        other.tell({"phase": "rotating", "accounts": 3, "rotated": 1, "failed": 1})
        other.heed()
        shown = run("runs", "list").out
        other.end(RunOutcome.ROTATED, {"run": other.id})

    assert "rotating, 1 of 3 accounts rotated, 1 failed" in shown
    assert "1 of 1 account rotated" in shown
