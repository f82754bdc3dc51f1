"""The command `cognito-scim`: global options, exit codes, and one message for whatever goes wrong."""

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from connector import __version__
from connector.cli.invocation import INTERRUPTED, Invocation, StdoutFailed, telling
from connector.cli.lazy import LazyGroup
from connector.errors import ConnectorError, UnforeseenFault
from connector.logs import FORMATS, LEVELS

COMMANDS = {
    "aws": "connector.cli.aws.group:aws",
    "admin": "connector.cli.access.admin:admin",
    "check": "connector.cli.check:check",
    "credentials": "connector.cli.access.credentials:credentials",
    "client": "connector.cli.client:client",
    "db": "connector.cli.db:db",
    "demo": "connector.cli.demo:demo",
    "exec": "connector.cli.access.credentials:execute",
    "execute-run": "connector.cli.execute:execute",
    "init": "connector.cli.init:init",
    "login": "connector.cli.access.login:login",
    "logout": "connector.cli.access.login:logout",
    "list": "connector.cli.listing:listing",
    "plan": "connector.cli.sync:plan",
    "profile": "connector.cli.access.profile:profile",
    "rotate": "connector.cli.rotate:rotate",
    "runs": "connector.cli.runs:runs",
    "serve": "connector.cli.serve:serve",
    "status": "connector.cli.access.login:status",
    "sync": "connector.cli.sync:sync",
}
"""Where each command is."""

_STDOUT, _STDERR = 1, 2
_log = logging.getLogger(__name__)


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Configuration file (./config.yaml, else ~/.config/cognito-scim/config.yaml).",
)
@click.option("--log-level", type=click.Choice(LEVELS), help="Least level that is logged.")
@click.option("--log-format", type=click.Choice(FORMATS), default="console", help="Form of the log on stderr.")
@click.version_option(__version__, prog_name="cognito-scim", message="%(prog)s %(version)s")
@click.pass_obj
def cli(invocation: Invocation, config: Path | None, log_level: str | None, log_format: str) -> None:
    """Serve an Amazon Cognito user pool as an exact, dated SCIM 2.0 directory."""
    invocation.config, invocation.log_level, invocation.log_format = config, log_level, log_format
    invocation.start_logging()


def run() -> None:
    """Run the command line of this process."""
    run_program(cli, "cognito-scim")


def run_program(command: click.Group, program: str) -> None:
    """Run a command line of this process; SIGTERM ends it as Ctrl-C does, so that a run frees its lease.

    Args:
        command: what its arguments mean.
        program: its name.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _open_closed_streams()
    replace_missing_characters(sys.stdout, sys.stderr)
    code = execute(sys.argv[1:], command, program)
    try:
        sys.stdout.flush()
    except OSError:  # told already
        _forget_stdout()
    sys.exit(code)


def execute(arguments: Sequence[str], command: click.Group = cli, program: str = "cognito-scim") -> int:
    """Run one command line and return its exit code; no fault is ever raised."""
    invocation = Invocation(program=program)
    try:
        return _invoke(arguments, command, invocation)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as end:
        line = "\n" if isinstance(end, click.Abort) else ""  # a question stands in the present one still
        click.echo(f"{line}{program}: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except ConnectorError as error:
        fault = error
    except Exception as error:  # noqa: BLE001 - the one place where a fault that nobody foresaw ends
        fault = UnforeseenFault(error)
    if isinstance(fault, UnforeseenFault):
        _log.debug("unexpected fault %s", fault.identifier, exc_info=fault.__cause__)
    with suppress(OSError, StdoutFailed):  # stderr has the fault
        invocation.tell_error(fault)
    return fault.exit_code


def _invoke(arguments: Sequence[str], command: click.Group, invocation: Invocation) -> int:
    """Do what `cli.main` does, which would end the process itself when nobody reads stdout any more."""
    try:
        with command.make_context(invocation.program, list(arguments), obj=invocation) as context:
            code = command.invoke(context)
        with telling():
            sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _open_closed_streams() -> None:
    """Give what the process was started without: else the next file that is opened becomes one of them."""
    while (number := os.open(os.devnull, os.O_RDONLY)) <= _STDERR:
        pass
    os.close(number)
    if sys.stdout is None:  # one that cannot be written, so that nothing is taken for told
        sys.stdout = os.fdopen(_STDOUT, "w")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives


def replace_missing_characters(*streams: object) -> None:
    """Write `?` for a character that the character set of a stream does not have; names come from anywhere."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _forget_stdout() -> None:
    """Nobody reads stdout any more, and the interpreter shall not stumble over that when it ends (docs of signal)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
