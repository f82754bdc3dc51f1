"""A workplace: an empty folder, a pool that AWS_ENDPOINT_URL leads to, and the command line."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector import logs
from connector.cli.main import execute
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import EXTERNAL_ID, POOL_ID, ROLE_ARN, USER, SimulatedPool

CONFIG = f"""
cognito:
  user_pool_id: {POOL_ID}
  requests_per_second: 1000
aws:
  role_arn: {ROLE_ARN}
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def _logging_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(logs, "_secrets", set())
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run; it is the home too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def run_command(*arguments: str) -> Done:
        capsys.readouterr()
        code = execute(arguments)
        return Done(code, *capsys.readouterr())

    return run_command


@pytest.fixture
def pool(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedPool]:
    """A pool of three users and two groups, which the configuration in the folder names."""
    people = [
        a_user("ann", name="Ann Example", email="ann@example.com", email_verified="true"),
        a_user("bo", name="Bo Example", enabled=False),
        a_user("cy", name="Cy\x1b[2J\u202e", email="cy@corp.local"),
    ]
    (folder / "config.yaml").write_text(CONFIG)
    with SimulatedPool(people, {"admins": ["ann"], "everybody": ["ann", "bo", "cy"]}) as simulated:
        monkeypatch.setenv("AWS_ENDPOINT_URL", simulated.endpoint_url)
        monkeypatch.setenv("COGNITO_SCIM_AWS__ACCESS_KEY_ID", USER.key_id)
        monkeypatch.setenv("COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", USER.secret)
        monkeypatch.setenv("COGNITO_SCIM_AWS__EXTERNAL_ID", EXTERNAL_ID)
        yield simulated
