"""A store that the user who runs the command may not write, or not even look at."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run

NOBODY = 65534
COMMANDS = ("list users", "runs list", "client list", "client create x", "sync", "plan", "db migrate", "serve")
"""One of each kind; those that read, those that write."""


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be somebody whom permissions keep out, for the length of a block."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[Path]:
    """A folder that everybody reaches, with a store of one client that belongs to the user of the tests."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", f"sqlite:///{folder}/data/store.db")
    monkeypatch.setenv("COGNITO_SCIM_COGNITO__USER_POOL_ID", "us-east-1_AbCdEf123")
    (folder / "data").mkdir()
    monkeypatch.chdir(folder)
    run("client", "create", "okta")
    run("check", "--json")  # loads what an ordinary user may not be able to
    yield folder
    for path in (folder / "data", *(folder / "data").glob("*")):
        path.chmod(0o700)
    shutil.rmtree(folder)


def close(place: Path) -> None:
    """Let nobody into the folder."""
    (place / "data").chmod(0o000)


def protect(place: Path) -> None:
    """Let everybody read the store, and nobody write it."""
    with sqlite3.connect(place / "data" / "store.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for path in (place / "data").glob("*"):
        path.chmod(0o444)
    (place / "data").chmod(0o555)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_without_access_is_a_fault_of_the_configuration(run: Run, place: Path, command: str) -> None:
    """P04: the file is named, and what to do; never a fault that nobody foresaw."""
    run(*command.split(), "--help")  # loads what an ordinary user may not be able to
    close(place)
    with ordinary_user():
        done = run(*command.split())

    assert (done.code, f"{place}/data/store.db cannot be written by" in done.err) == (78, True), done.err
    assert f"chown {NOBODY if os.geteuid() == 0 else ''}" in done.err


@pytest.mark.parametrize("forbid", [close, protect])
def test_the_check_says_that_the_store_cannot_be_written(run: Run, place: Path, forbid: Callable[[Path], None]) -> None:
    """P04: importers would get 503 for every walk; the row that fails is that of the store."""
    forbid(place)
    before = {path.name: path.stat().st_mtime_ns for path in (place / "data").glob("*")} if forbid is protect else {}
    with ordinary_user():
        done = run("check", "--json")
    row = next(row for row in done.document["checks"] if row["name"] == "store")

    assert (done.code, row["status"], "cannot be written" in row["detail"]) == (4, "failed", True), row
    assert "unexpected" not in done.err
    if forbid is protect:
        assert {path.name: path.stat().st_mtime_ns for path in (place / "data").glob("*")} == before


def test_the_check_leaves_nothing_in_the_store_but_its_own_run(run: Run, place: Path) -> None:
    """P04: what is written to prove that it can be is not there afterwards."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"

    def rows() -> dict[str, int]:
        connection = sqlite3.connect(place / "data" / "store.db")
        try:
            names = [name for (name,) in connection.execute(tables)]
            return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608
        finally:
            connection.close()

    before = rows()
    done = run("check", "--json")
    after = rows()

    store = next(row for row in done.document["checks"] if row["name"] == "store")
    assert store["status"] == "passed", store
    changed = {name for name, count in after.items() if count != before[name]}
    assert changed <= {"runs", "audit_events", "run_totals", "call_totals"}


def test_the_check_and_serve_warn_of_clients_that_expire_soon(run: Run, place: Path) -> None:
    """P38: and of those that have expired; a client that expires later is nobody's business yet."""
    for name, lifetime in (("soon", "3d"), ("past", "1s"), ("later", "90d")):
        run("client", "create", name, "--expires", lifetime)
    connection = sqlite3.connect(place / "data" / "store.db")
    connection.execute("UPDATE clients SET expires_at = 0 WHERE name = 'past'")
    connection.commit()
    connection.close()
    row = next(row for row in run("check", "--json").document["checks"] if row["name"] == "store")

    assert row["status"] == "warning"
    assert "The client 'past' has expired (1970-01-01T00:00:00.000Z). The client 'soon' expires (" in row["detail"]
    assert ("later" in row["detail"], "client revoke soon" in row["remedy"]) == (False, True)
