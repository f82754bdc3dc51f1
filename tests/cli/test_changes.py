"""`runs changes`, `plan --list` and `runs discard`: who, not only how many."""

import csv
import io
import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import SimulatedPool

HOSTILE = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture
def changed(run: Run, pool: SimulatedPool) -> SimulatedPool:
    """A published pool in which somebody came, somebody went and somebody has another address since."""
    run("sync")
    pool.directory.add_user(a_user(HOSTILE))
    pool.directory.remove_user("bo")
    attributes = pool.directory.user("ann")["Attributes"]
    next(one for one in attributes if one["Name"] == "email")["Value"] = "ann@new.example"
    return pool


@pytest.mark.usefixtures("changed")
def test_a_sync_shows_who_changed_where_they_are_few(run: Run) -> None:
    """P06: old and new values, on the screen, without being asked."""
    done = run("sync")

    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "updated users ann emails: ann@example.com -> ann@new.example" in lines
    assert ("removed users bo" in lines, f"created users {HOSTILE}" in lines) == (True, True)
    assert "removed memberships bo in everybody" in lines


@pytest.mark.usefixtures("changed")
def test_a_plan_lists_what_a_sync_then_changes(run: Run) -> None:
    """P06: plan --list, runs changes of that plan, of the sync and between the generations are one list."""
    planned = run("plan", "--list", "--json").document
    kept = run("runs", "changes", str(planned["run"]), "--json").document["changes"]
    done = run("sync", "--json").document
    published = run("runs", "changes", str(done["run"]), "--format", "json").out.splitlines()
    between = run("runs", "changes", "--from", "1", "--to", "2", "--json").document["changes"]

    assert planned["list"] == kept == between == [json.loads(line) for line in published]
    assert [change["name"] for change in kept if change["kind"] == "users"].count("ann") == 1
    assert len(kept) == 5


@pytest.mark.usefixtures("changed")
def test_people_can_list_a_plan_too(run: Run) -> None:
    """P06: a table, one line each."""
    listed = run("plan", "--list").out

    assert listed.count(" ann ") >= 1
    assert "what changed" in listed


@pytest.mark.usefixtures("changed")
def test_no_name_becomes_a_formula(run: Run) -> None:
    """OWASP, CSV Injection: a text that begins like a formula gets an apostrophe; values parse back as they are."""
    run("sync")
    rows = list(csv.DictReader(io.StringIO(run("runs", "changes", "2", "--format", "csv").out)))

    names = [row["name"] for row in rows if row["kind"] == "users"]
    assert (f"'{HOSTILE}" in names, HOSTILE in names) == (True, False)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    (came,) = [json.loads(row["now"]) for row in rows if row["name"] == f"'{HOSTILE}"]
    assert came["userName"] == HOSTILE


@pytest.mark.usefixtures("changed")
def test_changes_can_be_asked_for(run: Run) -> None:
    """P06: by kind, by what became of them, by a text."""
    run("sync")

    def names(*options: str) -> list[str]:
        changes = run("runs", "changes", "2", "--json", *options).document["changes"]
        return [change.get("name") or change["user"]["name"] for change in changes]

    assert names("--change", "email-changed") == ["ann"]
    assert names("--kind", "memberships") == ["bo"]
    assert names("--kind", "users", "--filter", "NEW.example") == ["ann"]
    assert "No changes." in run("runs", "changes", "2", "--change", "renamed").out


def test_what_has_no_list_says_why(run: Run, pool: SimulatedPool) -> None:
    """The contract: 2 for a run that is not there, changes no directory or is no longer kept, and for no question."""
    run("check")
    run("sync")

    assert [run("runs", "changes", *words).code for words in ((), ("1",), ("99",), ("--from", "1"))] == [2, 2, 2, 2]
    assert [run("runs", "changes", "--from", a, "--to", b).code for a, b in (("1", "9"), ("1", "1"))] == [2, 2]
    assert "No changes." in run("runs", "changes", str(run("sync", "--json").document["run"])).out
    assert pool.calls["ListUsers"] == 3


def test_the_approve_command_is_complete_and_takes_a_beginning(run: Run, pool: SimulatedPool, folder: Path) -> None:
    """P03: it names the configuration; eight digits are enough, in either case."""
    config = folder / "config.yaml"
    run("sync")
    for name in ("ann", "bo", "cy"):
        pool.directory.remove_user(name)
    command = shlex.split(run("--config", str(config), "sync", "--json").document["approve"])
    digest = command[-1]

    assert command == ["cognito-scim", "--config", str(config), "sync", "--approve", digest]
    assert run("sync", "--approve", digest[:7]).code == 2
    assert run("sync", "--approve", digest[:8].upper(), "--json").document["outcome"] == "published"


def test_a_refused_plan_is_discarded(run: Run, pool: SimulatedPool) -> None:
    """P03: with a reason, once; its digest is good for nothing then, and the history tells."""
    run("sync")
    for name in ("ann", "bo", "cy"):
        pool.directory.remove_user(name)
    digest = run("sync", "--json").document["digest"]

    assert run("runs", "discard", "2").code == 2
    assert run("runs", "discard", "2", "--reason", "wrong pool").code == 0
    assert run("runs", "discard", "2", "--reason", "again").code == 2
    assert run("sync", "--approve", digest).code == 3
    shown = run("runs", "show", "2").out
    assert ("Discarded by" in shown, ": wrong pool" in shown, "If this is meant" in shown) == (True, True, False)
