"""A folder with a configuration that names a simulated pool, a store in it, and `serve` beside it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from connector.store.migrations import open_database
from connector.store.runs.queue import RunRecord, Runs
from connector.store.sql.database import Database
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import EXTERNAL_ID, POOL_ID, ROLE_ARN, USER, SimulatedPool

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run; it is the home too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def pool(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedPool]:
    """A pool of two users and a group, which the configuration in the folder names."""
    (folder / "config.yaml").write_text(
        f"cognito: {{user_pool_id: {POOL_ID}, requests_per_second: 1000}}\naws: {{role_arn: {ROLE_ARN}}}\n"
    )
    with SimulatedPool([a_user("ann"), a_user("bo")], {"staff": ["ann", "bo"]}) as simulated:
        monkeypatch.setenv("AWS_ENDPOINT_URL", simulated.endpoint_url)
        monkeypatch.setenv("COGNITO_SCIM_AWS__ACCESS_KEY_ID", USER.key_id)
        monkeypatch.setenv("COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", USER.secret)
        monkeypatch.setenv("COGNITO_SCIM_AWS__EXTERNAL_ID", EXTERNAL_ID)
        yield simulated


@pytest.fixture
def store(folder: Path) -> Iterator[Database]:
    """The store that the commands in the folder use."""
    database = open_database(f"sqlite:///{folder}/cognito-scim.db")
    yield database
    database.close()


@dataclass
class Serving:
    """A `serve` that runs, and what it logged so far."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        """Everything that it and its children logged."""
        return "".join(self.lines)

    def listen(self, stream: IO[str]) -> None:
        """Take note of every line."""
        self.lines.extend(stream)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a command in the folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COGNITO_SCIM_SERVER__PORT": "0", **variables}


@contextmanager
def serving(**variables: str) -> Iterator[Serving]:
    """Run `serve` on a free port; it is killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "serve"],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    served = Serving(process)
    listener = threading.Thread(target=served.listen, args=(process.stderr,))
    listener.start()
    served.url = process.stdout.readline().removeprefix("SCIM base URL: ").strip()
    try:
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        listener.join(30)
        process.stdout.close()
        process.stderr.close()


def wait_for(look: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def wait_for_end(store: Database, run: int) -> RunRecord:
    """Wait until a run has ended, and return it."""
    return wait_for_state(store, run, "ended")


def wait_for_state(store: Database, run: int, state: str) -> RunRecord:
    """Wait until a run is in a state, and return it."""
    queue = Runs(store)
    wait_for(lambda: queue.find(run).state == state)
    return queue.find(run)
