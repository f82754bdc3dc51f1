"""One call of the command: its global options, and how it speaks: results on stdout, everything else on stderr."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.config import Settings, effective, find_config, load_settings
from connector.config.authoriser import read_file, with_file, with_variables
from connector.errors import ConnectorError
from connector.logs import configure_logging, escape_controls, register_secret

_log = logging.getLogger(__name__)
_WIDEST_TABLE = 100_000
_WIDEST_CELL = 60
"""Characters; the whole text is in the document of `--json`."""
INTERRUPTED = 130
"""The exit code of what Ctrl-C or SIGTERM ended."""

Command = TypeVar("Command", bound=Callable[..., Any])


def describe_error(error: ConnectorError) -> dict[str, Any]:
    """Return an error as the one JSON document of a command."""
    return {"error": error.message, "remedy": error.remedy or None, "exit_code": error.exit_code}


@dataclass(slots=True)
class Invocation:
    """What one call of the command was asked.

    Args:
        config: the configuration file that was named.
        log_level: the least level that is logged; None leaves it to the command.
        log_format: `console` or `json`.
        json: whether the result is one JSON document.
        describe: makes that document of an error.
        program: the name by which it was called.
    """

    config: Path | None = None
    log_level: str | None = None
    log_format: str = "console"
    json: bool = False
    describe: Callable[[ConnectorError], Mapping[str, Any]] = describe_error
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    program: str = "cognito-scim"

    def start_logging(self, default: str = "warning") -> None:
        """Log from here on."""
        configure_logging(self.log_level or default, self.log_format)

    def settings(self, *, reads_pool: bool, tell_warnings: bool = True) -> Settings:
        """Return the configuration, with its secrets known to the logs.

        Args:
            reads_pool: whether a user pool has to be named.
            tell_warnings: whether what deserves a second look is logged.

        Raises:
            ConfigError: something is wrong with it.
        """
        settings = load_settings(find_config(self.config, self.environment), self.environment, reads_pool=reads_pool)
        for secret in settings.secrets():
            register_secret(secret)
        for warning in settings.warnings if tell_warnings else ():
            _log.warning("%s", warning)
        for row in effective(settings):
            _log.debug("%s = %s (%s)", row.key, row.value, row.origin)
        return settings

    def login_settings(self, *, own_file: bool = True, said: Mapping[str, str] | None = None) -> Settings:
        """Return the configuration of people's logins: ours, and beneath it the Cognito Authoriser's.

        Args:
            own_file: whether our configuration file is read at all.
            said: what the Authoriser's file shall say; what it says when left out.

        Raises:
            ConfigError: something is wrong with it.
        """
        path = find_config(self.config, self.environment) if own_file else None
        environment = with_variables(self.environment)
        settings = load_settings(path, environment, reads_pool=False)
        said = read_file(self.environment) if said is None else said
        environment = with_file(environment, said, settings.origins, settings.cognito.user_pool_id)
        settings = load_settings(path, environment, reads_pool=False)
        for secret in settings.secrets():
            register_secret(secret)
        return settings

    def tell_error(self, error: ConnectorError) -> None:
        """Tell one error: what happened, to what and what to do."""
        say_aside(f"{self.program}: {error.message}")
        if error.remedy:
            say_aside(f"  {error.remedy}")
        if self.json:
            print_json(self.describe(error))


class StdoutFailed(ConnectorError):
    """A result could not be told."""

    exit_code = 75


@contextmanager
def telling() -> Iterator[None]:
    """Write to standard output; a reader that has gone away is not a fault.

    Raises:
        StdoutFailed: it is closed, or its disk is full.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StdoutFailed(
            f"Standard output cannot be written ({error.strerror}), so the result was not told.",
            remedy="What was done is done; the journal has a password on its way (`cognito-scim rotate recover`).",
        ) from None


pass_invocation = click.make_pass_decorator(Invocation)
"""Gives a command its invocation."""


def json_option(command: Command) -> Command:
    """Give a command the option `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_ask_for_json, help="Print one JSON document."
    )(command)


def _ask_for_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    context.ensure_object(Invocation).json |= value


def print_json(document: Mapping[str, Any]) -> None:
    """Print the one JSON document of a command; ASCII, so it holds no control character either."""
    with telling():
        click.echo(json.dumps(document, indent=2))


def say(sentence: str) -> None:
    """Print a sentence for people."""
    with telling():
        click.echo(clean(sentence))


def say_aside(sentence: str) -> None:
    """Print a sentence for people to stderr; where nobody reads that, the exit code tells all the same."""
    with suppress(OSError):
        click.echo(clean(sentence), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text, whatever it holds, as a table; long text is cut, and folded where a terminal is narrow."""
    table = Table(*columns, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(_cut(escape_controls(cell))) for cell in row))
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        unbounded = console.options.update(max_width=_WIDEST_TABLE)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    with telling():
        console.print(table)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"


def clean(text: str) -> str:
    """Return text whose lines stay where they are, whatever a directory put into them."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))
