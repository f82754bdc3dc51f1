"""`credentials` and `exec`: hand the credentials over to a program; nobody is ever asked anything here."""

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

import click

from connector.access.credential_formats import FORMATS, variables
from connector.bootstrap.logins import register_credentials
from connector.cli.access.login import profile_option, session_of
from connector.cli.invocation import Invocation, pass_invocation, say_aside, telling

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""What shells end with (POSIX, "Exit status for commands")."""
_PROFILE_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""What could lead a program to other credentials than those it is given."""


@click.command()
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="process", show_default=True, help="How.")
@profile_option
@pass_invocation
def credentials(invocation: Invocation, /, form: str, profile: str) -> None:
    """Print the credentials of the person who is signed in, renewed first if they end soon.

    `process` is what AWS tools expect of a credential_process. Nothing but credentials is printed on stdout.
    """
    _, session = session_of(invocation, profile)
    found = session.credentials()
    register_credentials(found)
    with telling():
        click.echo(FORMATS[form](found, profile))


@click.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@profile_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_invocation
def execute(invocation: Invocation, /, profile: str, command: tuple[str, ...]) -> None:
    """Run COMMAND with the credentials in its environment; its exit code is the one that is ended with.

    The command takes this process's place, so that signals reach it and nothing stands between.
    """
    _, session = session_of(invocation, profile)
    found = session.credentials()
    environment = {name: value for name, value in os.environ.items() if name not in _PROFILE_VARIABLES}
    _become(command, environment | variables(found, session.plan.region))


def _become(command: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what is ignored is inherited
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606 - the command is the caller's own
    except FileNotFoundError:
        say_aside(f"cognito-scim: {command[0]}: not found")
        sys.exit(_NOT_FOUND)
    except (OSError, ValueError) as error:
        say_aside(f"cognito-scim: {command[0]}: {getattr(error, 'strerror', None) or 'cannot be run'}")
        sys.exit(_NOT_EXECUTABLE)
