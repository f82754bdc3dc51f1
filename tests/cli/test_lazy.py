"""A command imports what it needs, and no more."""

import subprocess
import sys

import pytest

from connector.cli.main import COMMANDS, cli

READS_NO_SCIM = ("flask", "granian", "scim2_models")


@pytest.mark.parametrize("command", ["sync", "plan", "check", "client", "db", "execute-run"])
def test_a_command_that_serves_nobody_loads_no_server(command: str) -> None:
    """A run is a process of its own, so its start and its memory are paid each time."""
    look = f"import sys, {COMMANDS[command].partition(':')[0]}; print(*(set({READS_NO_SCIM!r}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert loaded.stdout.split() == []


def test_every_place_has_its_command() -> None:
    """A command is called as its entry says."""
    context = cli.make_context("cognito-scim", [], resilient_parsing=True)

    named = {name: command.name for name in COMMANDS if (command := cli.get_command(context, name))}
    assert named == {name: name for name in COMMANDS}


def test_an_unknown_command_is_none() -> None:
    """What is not there is not imported."""
    context = cli.make_context("cognito-scim", [], resilient_parsing=True)

    assert cli.get_command(context, "nonsense") is None
