"""`rotate`: passwords of Cognito users and IAM users, which are never lost.

A password is printed only where --vault stdout asks for it: it alone is on stdout then, and all else on stderr.
"""

from collections.abc import Callable, Mapping
from typing import Any, TextIO

import click

from connector.bootstrap.rotation_factory import AccountKind, RotationRequest
from connector.bootstrap.rotation_runs import (
    recover_journal_on_record,
    recover_on_record,
    rotate_on_record,
    rotate_secret_on_record,
)
from connector.bootstrap.rotations import SecretRequest, verify_account
from connector.cli.invocation import (
    Command,
    Invocation,
    describe_error,
    json_option,
    pass_invocation,
    print_json,
    say,
    say_aside,
)
from connector.cli.password_output import PasswordOutput
from connector.cli.rotation_copies import COPY, forget_copies, tell_copies
from connector.cli.rotation_status import status
from connector.config import Settings
from connector.config.values import vault as check_vault
from connector.rotation.engine.backoff import Backoff
from connector.rotation.engine.engine import Options
from connector.rotation.model.results import RotationOutcome, RotationResult
from connector.rotation.model.secret import Secret
from connector.rotation.vaults.secret_document import Mode

NOT_PROVEN = 4
_POLL_SECONDS = 3


def _read_vault(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    try:
        return check_vault(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from None


_LONGEST_LINE = 65_536
"""Characters; a password has 256 at most (Cognito: PasswordType)."""


def _read_mode(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Mode | None:
    return Mode(text) if text else None


def _read_current(_context: click.Context, _parameter: click.Parameter, file: TextIO | None) -> Secret | None:
    if file is None:
        return None
    try:
        with file:
            text = file.readline(_LONGEST_LINE).rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.BadParameter("it is not UTF-8 text") from None
    if not text or len(text) == _LONGEST_LINE:
        raise click.BadParameter("its first line is far too long" if text else "its first line is empty")
    return Secret(text)


_vault = click.option(
    "--vault",
    default="",
    callback=_read_vault,
    metavar="secretsmanager:ID|stdout",
    help="Where the password is kept; rotation.vault if left out.",
)
_mode = click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    callback=_read_mode,
    show_default="what the secret or the journal says, else admin",
    help="Set it as an administrator, or as the user, who knows the current one.",
)
_verify = click.option(
    "--verify/--no-verify", default=True, show_default=True, help="Prove the new password by signing in."
)
_sign_out = click.option("--sign-out", is_flag=True, help="End the sessions begun with the old password.")
_UNFIT = "a pending password that the account refuses, once a sign-in proves that it is not live"
_discard = click.option("--discard-unfit", is_flag=True, help=f"Replace {_UNFIT}.")
_undo = click.option(
    "--discard-unfit", is_flag=True, help=f"Forget {_UNFIT}; nothing is set, `rotate` makes another one."
)
_current = click.option(
    "--current-password-file",
    "current",
    type=click.File("r", encoding="utf-8"),
    callback=_read_current,
    help="File whose first line is the current password (- reads stdin), for --mode self with --vault stdout.",
)
_kind = click.argument("kind", type=click.Choice([kind.value for kind in AccountKind]))


def _with(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a command several options."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group()
def rotate() -> None:
    """Rotate passwords: each is kept before it is set, and proved before it is promoted."""


@rotate.command("cognito-user")
@click.argument("name")
@_with(_vault, _mode, _verify, _sign_out, _discard, _current, json_option)
@pass_invocation
def cognito_user(invocation: Invocation, /, name: str, **asked: Any) -> None:
    """Give the user NAME of the configured pool a new password."""
    output = PasswordOutput(as_json=invocation.json)
    _tell(
        invocation,
        rotate_on_record(_settings(invocation), _request(AccountKind.COGNITO_USER, name, asked), output),
        output,
    )


@rotate.command("iam-user")
@click.argument("name")
@_with(_vault, _discard, json_option)
@pass_invocation
def iam_user(invocation: Invocation, /, name: str, **asked: Any) -> None:
    """Give the IAM user NAME a new console password; IAM has no sign-in that could prove it."""
    output = PasswordOutput(as_json=invocation.json)
    _tell(
        invocation, rotate_on_record(_settings(invocation), _request(AccountKind.IAM_USER, name, asked), output), output
    )


@rotate.command()
@click.argument("secret_id")
@_with(_mode, _verify, _sign_out, _discard, json_option)
@click.option(
    "--wait",
    type=click.IntRange(0, 3600),
    default=120,
    show_default=True,
    help="Seconds to wait for the secret's own function.",
)
@pass_invocation
def secret(invocation: Invocation, /, secret_id: str, wait: int, mode: Mode | None, **asked: Any) -> None:
    """Rotate the secret SECRET_ID: by its own function if it has one, else here.

    Without a function, the secret says whose password it is: a JSON object with username, password and clientid.
    """
    output = PasswordOutput(as_json=invocation.json)
    backoff = Backoff((_POLL_SECONDS,) * (wait // _POLL_SECONDS))
    request = SecretRequest(secret_id, mode, _options(asked), backoff)
    _tell(invocation, rotate_secret_on_record(_settings(invocation), request, output), output)


@rotate.command()
@_kind
@click.argument("name")
@_with(_vault, _mode, json_option)
@pass_invocation
def verify(invocation: Invocation, /, kind: str, name: str, **asked: Any) -> int:
    """Tell which of the values that the vault keeps of an account signs in; changes nothing."""
    request = _request(AccountKind(kind), name, asked)
    found = verify_account(_settings(invocation), request, PasswordOutput(as_json=invocation.json))
    if invocation.json:
        print_json(found.as_json())
    else:
        say(found.sentence())
    return 0 if found.ok else NOT_PROVEN


@rotate.command()
@click.argument("kind", type=click.Choice([kind.value for kind in AccountKind]), required=False)
@click.argument("name", required=False)
@_with(_vault, _mode, _verify, _undo, json_option)
@click.option(
    "--forget",
    is_flag=True,
    help="Forget the copy of what was handed over on stdout, or without a name all: it arrived.",
)
@pass_invocation
def recover(invocation: Invocation, /, kind: str | None, name: str | None, forget: bool, **asked: Any) -> int:  # noqa: FBT001 - click's
    """Bring to its end what an interrupted rotation began; no new one is begun.

    Without KIND and NAME, everything that the journal keeps. With them, and --vault stdout, a password that was handed
    over is printed again.
    """
    if kind is not None and not name:
        raise click.UsageError("Missing argument 'NAME'.")
    account = (kind, name) if kind and name else None
    if forget:
        return forget_copies(invocation, _settings(invocation), account)
    if account is None:
        return _recover_all(invocation, _options(asked))
    output, request = PasswordOutput(as_json=invocation.json), _request(AccountKind(account[0]), account[1], asked)
    _tell(invocation, recover_on_record(_settings(invocation), request, output), output)
    return 0


rotate.add_command(status)


def _recover_all(invocation: Invocation, options: Options) -> int:
    """Recover each entry of the journal; --json makes one list of what was handed over, was discarded, and failed."""
    output = PasswordOutput(as_json=invocation.json, in_list=True)
    codes, done = [], 0
    for outcome in recover_journal_on_record(_settings(invocation), options, output):
        if isinstance(outcome, RotationResult):
            done += 1
            say_aside(_describe(outcome))
            if invocation.json and outcome.outcome is RotationOutcome.DISCARDED:
                output.put(outcome.as_json())
            continue
        codes.append(outcome.exit_code)
        if invocation.json:
            output.put(describe_error(outcome))
        say_aside(f"cognito-scim: {outcome}")
    output.end_list()
    if not (codes or done):
        say_aside("Nothing is pending in the journal.")
    tell_copies(_settings(invocation))
    return codes[0] if codes else 0


def _settings(invocation: Invocation) -> Settings:
    return invocation.settings(reads_pool=False)


def _request(kind: AccountKind, name: str, asked: Mapping[str, Any]) -> RotationRequest:
    return RotationRequest(
        kind,
        name,
        vault=asked.get("vault", ""),
        mode=asked.get("mode"),
        options=_options(asked),
        current=asked.get("current"),
    )


def _options(asked: Mapping[str, Any]) -> Options:
    return Options(
        verify=asked.get("verify", True),
        sign_out=asked.get("sign_out", False),
        discard_unfit=asked.get("discard_unfit", False),
    )


def _tell(invocation: Invocation, result: RotationResult, output: PasswordOutput) -> None:
    """Tell a result: on stderr where stdout has the password."""
    if output.gave:
        say_aside(_describe(result))
        say_aside(f"  {COPY}")
    elif invocation.json:
        print_json(result.as_json())
    else:
        say(_describe(result))


def _describe(result: RotationResult) -> str:
    return "\n".join((result.sentence(), *(f"  {note}" for note in result.as_json()["notes"])))
