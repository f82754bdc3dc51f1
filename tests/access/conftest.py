"""A machine with nothing on it, before an account with nothing set up for its people."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.cli.access.admin import admin
from connector.cli.access.authoriser import auth
from connector.cli.main import cli, execute
from tests.fakes.people_cloud import PASSWORD, PeopleCloud

PROGRAMS = {"cognito-scim": cli, "aws-cognito-auth": auth, "aws-cognito-admin": admin}


@pytest.fixture(scope="module")
def running_cloud() -> Iterator[PeopleCloud]:
    """A server for the tests of a module."""
    with pytest.MonkeyPatch.context() as patches, PeopleCloud(patches) as running:
        yield running


@pytest.fixture
def cloud(running_cloud: PeopleCloud) -> PeopleCloud:
    """The account, with its people and nothing else."""
    running_cloud.begin_anew()
    return running_cloud


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Machine:
    """Somebody's machine: a home of its own, the commands, nothing else."""

    def __init__(self, home: Path, patches: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._patches = patches
        self._capture = capture

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self._patches.setenv(name, value)

    def run(self, program: str, *arguments: str, given: str = "") -> Done:
        """Run a command in this process; `given` is on its standard input, which is no terminal."""
        self._capture.readouterr()
        self._patches.setattr(sys, "stdin", io.StringIO(given))
        code = execute(arguments, PROGRAMS[program], program)
        out, err = self._capture.readouterr()
        return Done(code, out, err)

    def log_in(self, *arguments: str, program: str = "aws-cognito-auth", user: str = "ann") -> Done:
        """Sign in with the password of everybody here."""
        who = ("-u", user)
        return self.run(program, "login", *who, "--password-file", "-", *arguments, given=f"{PASSWORD}\n")


@pytest.fixture
def machine(tmp_path, monkeypatch, capsys, cloud):
    """A machine that reaches the account."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    made = Machine(home, monkeypatch, capsys)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "XDG_STATE_HOME", "BOTO_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID", "COGNITO_IDENTITY_POOL_ID", "COGNITO_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    made.set(HOME=str(home), PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring", **cloud.environment)
    return made


@pytest.fixture
def administrator(machine):
    """The same machine, whose environment holds an administrator's credentials."""
    machine.set(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    return machine


@pytest.fixture
def pools(administrator, cloud, monkeypatch):
    """The account with an identity pool that setup-identity-pool made; the machine is configured for it."""
    administrator.set(COGNITO_USER_POOL_ID=cloud.pool_id, COGNITO_CLIENT_ID=cloud.client_id, AWS_REGION="eu-west-1")
    made = administrator.run("aws-cognito-admin", "setup-identity-pool", "--json")
    assert made.code == 0, made.err
    administrator.set(COGNITO_IDENTITY_POOL_ID=json.loads(made.out)["identity_pool_id"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return cloud
