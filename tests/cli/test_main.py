"""Whatever goes wrong ends in one message and the exit code of the contract, never in a traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from connector import __version__
from connector.cli.main import cli, execute
from connector.errors import ConnectorError
from tests.cli.conftest import Run

SHOWN = {
    *("admin", "aws", "check", "client", "credentials", "db", "demo", "exec", "init", "list", "login", "logout"),
    *("plan", "profile", "rotate", "runs", "serve", "status", "sync"),
}
ROOT = Path(__file__).parents[2]


def shown() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that help shows."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command
        if not command.hidden:
            yield name, command


def test_the_commands_are_those_of_the_contract() -> None:
    """What help shows is all there is."""
    assert {name for name, command in shown()} == SHOWN


def test_version_is_told(run: Run) -> None:
    """The contract: --version."""
    assert (run("--version").code, run("--version").out) == (0, f"cognito-scim {__version__}\n")


def test_every_command_has_a_summary() -> None:
    """Help is the first documentation that anybody reads."""
    assert [name for name, command in shown() if not command.get_short_help_str()] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("sync", "--nonsense"),
        ("list", "robots"),
        ("list", "users", "--count", "-1"),
        ("client", "create"),
        ("client", "create", "x", "--role", "owner"),
        ("--log-level", "loud", "check"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], run: Run) -> None:
    """The contract: usage is 2, told on stderr."""
    done = run(*arguments)

    assert (done.code, done.out, done.err.startswith("Usage: ")) == (2, "", True)


@pytest.mark.parametrize("command", ["sync", "plan", "serve", "db migrate", "client list", "list users"])
def test_a_wrong_configuration_ends_with_78(command: str, run: Run, folder: Path) -> None:
    """The contract: configuration is 78, told in one message."""
    (folder / "config.yaml").write_text("cognito: {regoin: us-east-1, user_pool_id: us-east-1_a}")
    done = run(*command.split())

    assert (done.code, done.out) == (78, "")
    assert done.err.splitlines() == [
        "cognito-scim: The configuration has 1 fault:",
        "  cognito.regoin (config.yaml, line 1): unknown key; did you mean cognito.region?",
        "  Correct what is named above; config.example.yaml explains every key.",
    ]


def test_an_error_is_one_json_document_too(run: Run) -> None:
    """The contract: with --json stdout holds one document, whatever happened."""
    done = run("--config", "absent.yaml", "client", "list", "--json")

    assert (done.code, done.document) == (
        78,
        {
            "error": "The configuration absent.yaml cannot be read: No such file or directory.",
            "remedy": "Name another with --config, or make one with: cognito-scim init",
            "exit_code": 78,
        },
    )


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "cognito-scim: interrupted\n"),
        (click.Abort(), 130, "\ncognito-scim: interrupted\n"),
        (ConnectorError("It broke\x1b[2J.", remedy="Mend it."), 1, "cognito-scim: It broke\\x1b[2J.\n  Mend it.\n"),
    ],
)
def test_every_end_has_its_code(
    error: BaseException, code: int, told: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract: one message each, control characters escaped."""
    monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=lambda: _raise(error)))
    done = run("fail")

    assert (done.code, done.out, done.err) == (code, "", told)


def test_an_unexpected_fault_shows_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract: an unexpected fault is 1; its traceback is in the log at debug only, under the id that is told."""
    monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=lambda: _raise(ZeroDivisionError("oh"))))
    quiet, loud = run("fail"), run("--log-level", "debug", "fail")

    assert (quiet.code, len(quiet.err.splitlines()), "ZeroDivisionError" in quiet.err) == (1, 2, True)
    assert ("Traceback" in quiet.err, "oh" in quiet.err) == (False, False)
    logged, message = loud.err.splitlines()[0], loud.err.splitlines()[1]
    identifier = message.partition("(")[2].partition(",")[0]
    assert (identifier in logged, "ZeroDivisionError: oh" in logged) == (True, True)


def test_a_reader_that_goes_away_is_no_fault() -> None:
    """`cognito-scim … | head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "connector", "--help"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_is_the_command() -> None:
    """The contract: also `python -m connector`; the exit code reaches the shell."""
    done = subprocess.run(
        [sys.executable, "-m", "connector", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr.startswith("Usage: cognito-scim")) == (2, True)


def test_execute_never_raises() -> None:
    """Not even for the help of a group without a command."""
    assert execute([]) == 2
