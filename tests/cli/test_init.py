"""`init`: the fields of the form become a configuration that loads, and no secret is in it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from connector.config import load_settings
from connector.config.file import FORM
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
SECRET, EXTERNAL_ID = "canary/secret+access=key", "canary-external-id"
ROLE = "arn:aws:iam::123456789012:role/cognitoApiAccessRole"
OPTIONS = (
    *("--region", "us-east-1", "--user-pool-id", "us-east-1_9876543210"),
    *("--groups", "idp-admin", "--groups", "größe-😀"),
    *("--access-key-id", "AKIAIOSFODNN7EXAMPLE", "--role-arn", ROLE),
)


def test_the_form_has_the_fields_of_the_guide() -> None:
    """The OCI guide's fields under their names, in its order."""
    assert [field.name for field in FORM] == [
        *("Region", "User Pool Id", "List of Groups", "Access Key ID", "Secret Access Key", "External ID", "Role ARN")
    ]


def test_options_become_a_private_configuration(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode 0600, every value in its place, secrets read from stdin in files of their own."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n{EXTERNAL_ID}\n"))
    done = run("init", *OPTIONS, "--secret-access-key-file", "-", "--external-id-file", "-")
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)

    assert (done.code, done.out.splitlines()[-1]) == (0, "Next: cognito-scim check")
    assert settings.cognito.groups == ("idp-admin", "größe-😀")
    assert (settings.aws.access_key_id, settings.aws.role_arn) == ("AKIAIOSFODNN7EXAMPLE", ROLE)
    assert settings.aws.secret_access_key.get_secret_value() == SECRET
    assert settings.aws.external_id.get_secret_value() == EXTERNAL_ID
    assert settings.warnings == ()
    assert "canary" not in (folder / "config.yaml").read_text() + done.out + done.err
    modes = {path.name: path.stat().st_mode & 0o777 for path in [*folder.iterdir(), *folder.glob("secrets/*")]}
    assert modes == {"config.yaml": 0o600, "secrets": 0o700, "secret_access_key": 0o600, "external_id": 0o600}


def test_secret_files_are_named_and_not_copied(run: Run, folder: Path) -> None:
    """Whoever has a file for a secret keeps it there."""
    (folder / "key").write_text(SECRET)
    (folder / "id").write_text(EXTERNAL_ID)
    done = run("init", *OPTIONS, "--secret-access-key-file", "key", "--external-id-file", str(folder / "id"), "--json")

    assert done.document == {"written": [str(folder / "config.yaml")]}
    assert yaml.safe_load((folder / "config.yaml").read_text())["aws"] == {
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key_file": str(folder / "key"),
        "external_id_file": str(folder / "id"),
        "role_arn": ROLE,
    }


def test_secrets_of_the_environment_stay_there(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are neither asked for nor written."""
    monkeypatch.setenv("COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("COGNITO_SCIM_AWS__EXTERNAL_ID", EXTERNAL_ID)

    assert run("init", *OPTIONS).code == 0
    assert "canary" not in (folder / "config.yaml").read_text()


def test_a_configuration_is_not_replaced_unasked(run: Run, folder: Path) -> None:
    """Without --force what is there stays."""
    (folder / "config.yaml").write_text("cognito: {}\n")
    refused = run("init", "--user-pool-id", "us-east-1_a")
    kept = (folder / "config.yaml").read_text()
    forced = run("init", "--user-pool-id", "us-east-1_a", "--force")

    assert (refused.code, "is there already" in refused.err, kept) == (78, True, "cognito: {}\n")
    assert (forced.code, "us-east-1_a" in (folder / "config.yaml").read_text()) == (0, True)


def test_another_file_may_be_named(run: Run, folder: Path) -> None:
    """--config says where, and the next step is told for it."""
    done = run("--config", "made/here.yaml", "init", "--user-pool-id", "us-east-1_a")

    assert done.out.splitlines()[-1] == f"Next: cognito-scim --config {folder}/made/here.yaml check"
    assert load_settings(folder / "made" / "here.yaml", {}, reads_pool=True).cognito.region == "us-east-1"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "cognito.user_pool_id: missing"),
        (("--user-pool-id", "pool"), 'cognito.user_pool_id = "pool": is not a user pool id'),
        (("--user-pool-id", "us-east-1_a", "--region", "eu-west-1"), "the user pool us-east-1_a is in us-east-1"),
        (("--user-pool-id", "us-east-1_a", "--role-arn", ROLE), "aws.external_id: missing"),
        (("--user-pool-id", "us-east-1_a", "--groups", "two words"), "cannot be a name"),
        (("--user-pool-id", "us-east-1_a", "--external-id-file", "absent"), "No such file or directory"),
    ],
)
def test_what_would_not_load_is_not_written(options: tuple[str, ...], told: str, run: Run, folder: Path) -> None:
    """Nothing is written, and the fault says why."""
    done = run("init", *options)

    assert (done.code, told in done.err, list(folder.iterdir())) == (78, True, [])


def test_a_folder_that_cannot_be_written_is_one_message(run: Run, folder: Path) -> None:
    """One message that names the file."""
    (folder / "file").touch()
    done = run("--config", "file/config.yaml", "init", "--user-pool-id", "us-east-1_a")

    assert (done.code, len(done.err.splitlines())) == (78, 2)


def test_a_terminal_is_asked_for_every_field(folder: Path) -> None:
    """Secrets without echo; an answer that cannot be used is asked for again."""
    talk = Talk(folder)
    for prompt, answer in (
        ("Shall I set up the AWS side? [y/N]: ", "n"),
        ("Region: ", ""),
        ("User Pool Id: ", "nonsense"),
        ("User Pool Id: ", "eu-west-1_AbC"),
        ("List of Groups (an empty line ends it): ", "admins"),
        ("List of Groups (an empty line ends it): ", ""),
        ("Access Key ID: ", "AKIAIOSFODNN7EXAMPLE"),
        ("Secret Access Key: ", SECRET),
        ("External ID: ", EXTERNAL_ID),
        ("Role ARN: ", ROLE),
    ):
        talk.answer(prompt, answer)
    shown, code = talk.end()
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)

    assert (code, "canary" in shown, "is not a user pool id" in shown) == (0, False, True)
    assert (settings.cognito.user_pool_id, settings.cognito.groups) == ("eu-west-1_AbC", ("admins",))
    assert settings.aws.secret_access_key.get_secret_value() == SECRET


class Talk:
    """`init`, or another command, at a terminal, answered question by question."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "connector", *(arguments or ["init"])]
        program = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({command!r})))"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
        )
        self._shown = b""
        self._read = 0

    def answer(self, prompt: str, text: str) -> None:
        """Wait for a prompt and answer it."""
        self.press(prompt, f"{text}\n")

    def press(self, prompt: str, keys: str) -> None:
        """Wait for a prompt and press keys."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        while prompt.encode() not in self._shown[self._read :]:
            chunk = os.read(self._process.stdout.fileno(), 4096)
            assert chunk, self._shown.decode()
            self._shown += chunk
        self._read = self._shown.index(prompt.encode(), self._read) + len(prompt)
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def end(self) -> tuple[str, int]:
        """Return what was shown, and the exit code."""
        rest, _ = self._process.communicate(timeout=30)
        return (self._shown + rest).decode(), self._process.returncode
