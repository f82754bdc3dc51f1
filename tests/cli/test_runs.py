"""`runs`: the history as people and scripts read it, and the end of one that nobody wants."""

import getpass
import sqlite3
from pathlib import Path

import pytest

from connector.directory.runs import Cause, RunKind
from connector.errors import StoreError
from connector.store.migrations import open_database
from connector.store.runs.history import NEWEST_RUNS
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin
from tests.cli.conftest import Run
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import SimulatedPool


def queue_in(folder: Path, kind: str) -> int:
    """Queue a run as the API does."""
    database = open_database(f"sqlite:///{folder}/cognito-scim.db")
    try:
        return Runs(database).request(RunKind(kind), cause=Cause.API).id
    finally:
        database.close()


@pytest.mark.usefixtures("pool")
def test_every_command_is_on_record(run: Run) -> None:
    """The contract: check, plan and sync are runs, whoever asked for them."""
    for command in ("check", "plan", "sync"):
        run(command)
    listed = run("runs", "list", "--json").document["runs"]

    assert {one["asked_by"] for one in listed} == {getpass.getuser()}
    assert [(one["id"], one["kind"], one["cause"], one["state"], one["outcome"]) for one in listed] == [
        (3, "sync", "command", "ended", "published"),
        (2, "plan", "command", "ended", "published"),
        (1, "check", "command", "ended", "passed"),
    ]


@pytest.mark.usefixtures("pool")
def test_a_run_is_shown_as_the_contract_has_it(run: Run) -> None:
    """The contract: the result of `sync --json` is the result of the run."""
    synced = run("sync", "--json").document
    shown = run("runs", "show", "1", "--json").document
    spoken = run("runs", "show", "1")

    assert list(shown) == [
        *("id", "kind", "cause", "state", "outcome", "progress", "result", "queued_at", "started_at", "ended_at"),
        "asked_by",
    ]
    assert (shown["result"], set(shown["progress"])) == (
        synced,
        {"phase", "users", "groups", "memberships", "calls", "throttled"},
    )
    assert (spoken.code, spoken.out.splitlines()[0]) == (0, "Run 1: sync, published")


def test_a_run_is_a_page_for_people(run: Run, pool: SimulatedPool) -> None:
    """The contract: what happened, what changed, what could not be served, and what to do next; no JSON in a line."""
    run("sync")
    pool.directory.add_user(a_user("bad", sub="not/a/sub"))
    for name in ("ann", "bo"):
        pool.directory.remove_user(name)
    run("sync")
    pool.directory.remove_user("cy")
    run("sync")
    published, refused = run("runs", "show", "2").out, run("runs", "show", "3").out

    assert "  users         1 (2 removed)" in published
    assert "Records that cannot be served: 1" in published
    assert ("ListUsers" in published, "{" in published) == (True, False)
    assert "Why it was refused\n  - the only user would be removed" in refused
    assert "If this is meant: cognito-scim --config " in refused
    assert "runs changes 3" in refused


def test_a_failed_check_is_on_record(run: Run, pool: SimulatedPool) -> None:
    """The contract: the outcome of a check is passed or failed, and its result its rows."""
    pool.deny("ListUsers")
    checked = run("check", "--json").document
    shown = run("runs", "show", "1", "--json").document

    assert (shown["outcome"], shown["result"]["ok"], shown["result"]["checks"]) == ("failed", False, checked["checks"])


@pytest.mark.usefixtures("pool")
def test_a_check_works_without_a_store(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away is a failed row, and no reason to look no further."""
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", "sqlite:///no/such/folder/store.db")
    done = run("check", "--json")

    assert (done.code, [check["name"] for check in done.document["checks"] if check["status"] == "failed"]) == (
        4,
        ["store"],
    )
    assert "this check is not on record" in done.err


@pytest.mark.usefixtures("pool")
def test_people_read_a_table(run: Run, folder: Path) -> None:
    """One line a run, with what happened."""
    run("sync")
    queue_in(folder, "sync")
    run("runs", "cancel", "2")
    lines = run("runs", "list").out.splitlines()

    assert lines[0].split()[:3] == ["run", "kind", "cause"]
    assert "It was cancelled before it began." in lines[2]
    assert "3 users, 2 groups, 4 memberships" in lines[3]


@pytest.mark.usefixtures("pool")
def test_a_plan_is_not_taken_for_what_it_plans(run: Run) -> None:
    """In the table a plan would publish; its outcome for scripts is what a sync would end with."""
    run("plan")

    assert "would publish" in run("runs", "list").out
    assert run("runs", "show", "1", "--json").document["outcome"] == "published"


@pytest.mark.usefixtures("pool")
def test_long_text_is_cut_to_one_line_of_the_table(run: Run, folder: Path) -> None:
    """A reason of any length leaves a table that can be read; the whole text is in the run."""
    cause = "Because. " * 100
    run("db", "migrate")
    database = open_database(f"sqlite:///{folder}/cognito-scim.db")
    with pytest.raises(StoreError), begin(database, RunKind.SYNC, cause=Cause.COMMAND):
        raise StoreError(cause)
    database.close()
    lines = run("runs", "list").out.splitlines()

    assert (len(lines), max(map(len, lines)) < 200, lines[2].rstrip().endswith("Because. Becau…")) == (3, True, True)
    assert run("runs", "show", "1", "--json").document["result"]["cause"] == cause


def test_a_number_that_is_none_is_told_so(run: Run) -> None:
    """One message, in words."""
    done = run("runs", "show", "abc")

    assert (done.code, "'abc' is not the number of a run." in done.err) == (2, True)


def test_a_run_that_waits_is_cancelled(run: Run, folder: Path) -> None:
    """It ends at once, and once."""
    queue_in(folder, "check")
    spoken = run("runs", "cancel", "1")
    queue_in(folder, "check")
    written = run("runs", "cancel", "2", "--json")
    again = run("runs", "cancel", "2")

    assert (spoken.code, spoken.out) == (0, "Run 1 was cancelled before it began.\n")
    assert (written.code, written.document["outcome"]) == (0, "failed")
    assert (again.code, again.err.splitlines()[0]) == (2, "cognito-scim: Run 2 has ended already.")


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_a_run_that_never_was_is_one_message(command: str, run: Run, folder: Path) -> None:
    """One message, with where to look."""
    queue_in(folder, "check")
    done = run("runs", command, "7")

    assert (done.code, done.err.splitlines()) == (
        2,
        ["cognito-scim: There is no run 7.", "  See: cognito-scim runs list"],
    )


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_a_run_that_is_no_longer_kept_is_told_from_one_that_never_was(command: str, run: Run, folder: Path) -> None:
    """Who follows an old log to its run learns that the history no longer has it."""
    queue_in(folder, "check")
    with sqlite3.connect(folder / "cognito-scim.db") as database:
        database.execute("UPDATE runs SET id = 3")
        columns = "kind, cause, state, outcome, cancelling, queued_at, ended_at"
        begun = f"INSERT INTO runs ({columns}) VALUES ('check', 'api', 'ended', 'passed', 0, '', '')"  # noqa: S608 - constants
        for _ in range(NEWEST_RUNS - 1):
            database.execute(begun)
    database.close()
    done = run("runs", command, "2")

    assert (done.code, done.err.splitlines()) == (
        2,
        ["cognito-scim: Run 2 is no longer kept in the history.", "  See: cognito-scim runs list"],
    )


def test_before_the_first_run_there_is_a_hint(run: Run) -> None:
    """Looking at the history makes no store, and an empty one says how to begin."""
    absent = run("runs", "list")
    run("db", "migrate")
    empty = run("runs", "list")

    assert (absent.code, "there is no store" in absent.err) == (75, True)
    assert (empty.code, empty.out) == (0, "There was no run yet; begin with: cognito-scim sync\n")
