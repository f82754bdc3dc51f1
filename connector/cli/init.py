"""`init`: the values of the configuration form, under its names, become a commented config.yaml.

A secret stands neither in an argument list, which `ps` shows to everybody, nor in config.yaml: each has its own file.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from connector.bootstrap.aws_side import AwsOptions
from connector.cli.aws.apply import apply_and_check
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say
from connector.config import load_values, reason_against, variable
from connector.config.file import FORM, Field, FieldAnswer, render, write_private
from connector.errors import ConfigError, SetUpUnfit
from connector.provisioning.design.arns import parse_pool_arn


@click.command()
@click.option("--region", help="AWS Region of the user pool.")
@click.option("--user-pool-id", help="Id of the user pool.")
@click.option("--groups", multiple=True, metavar="NAME", help="Only this group and its members; may be repeated.")
@click.option("--access-key-id", help="Access key id of the service user.")
@click.option(
    "--secret-access-key-file", metavar="FILE", help="File with its secret access key; - reads a line of stdin."
)
@click.option("--external-id-file", metavar="FILE", help="File with the ExternalId; - reads a line of stdin.")
@click.option("--role-arn", help="ARN of the role to assume.")
@click.option("--force", is_flag=True, help="Replace a configuration that is there.")
@json_option
@pass_invocation
def init(invocation: Invocation, /, *, force: bool, **given: str | tuple[str, ...] | None) -> int:
    """Ask for the values of the configuration form and write config.yaml.

    On a terminal, what no option gives is asked for; a secret that the environment holds is left there. Without any
    option it offers to set up the AWS side, as `aws apply` does, which needs no value but the pool's ARN.
    """
    path = (invocation.config or Path("config.yaml")).absolute()
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already.", remedy="Replace it with --force, or name another with --config.")
    if sys.stdin.isatty() and not any(given.values()) and _offer_set_up():
        return apply_and_check(invocation, AwsOptions(pool_arn=_ask_pool_arn()), yes=False)
    answers = list(_answers(given, invocation.environment))
    load_values({_key(answer): answer.text or answer.file for answer in answers}, invocation.environment)
    written = _write(path, answers)
    if invocation.json:
        print_json({"written": [str(file) for file in written]})
        return 0
    for file in written:
        say(f"Wrote {file}")
    option = f" --config {path}" if invocation.config else ""
    say(f"Next: cognito-scim{option} check")
    return 0


def _offer_set_up() -> bool:
    click.echo(
        "Role, policies, service user and key can be made now, if you are signed in to AWS as an admin.", err=True
    )
    wanted: bool = click.confirm("Shall I set up the AWS side?", err=True)
    return wanted


def _ask_pool_arn() -> str:
    while True:
        text = _ask_line("ARN of the user pool", hidden=False)
        try:
            return str(parse_pool_arn(text))
        except SetUpUnfit as error:
            click.echo(f"  {error.message} {error.remedy}", err=True)


def _key(answer: FieldAnswer) -> str:
    return f"{answer.field.key}_file" if answer.file else answer.field.key


def _answers(
    given: Mapping[str, str | tuple[str, ...] | None], environment: Mapping[str, str]
) -> Iterator[FieldAnswer]:
    for field in FORM:
        value = given[field.option]
        if field.secret and isinstance(value, str):
            from_stdin = value == "-"
            text = sys.stdin.readline().rstrip("\r\n") if from_stdin else ""
            yield FieldAnswer(field, text, file="" if from_stdin else str(Path(value).absolute()))
        elif value:
            yield FieldAnswer(field, value if isinstance(value, str) else "\n".join(value))
        elif sys.stdin.isatty() and variable(field.key) not in environment:
            yield FieldAnswer(field, _ask(field))


def _ask(field: Field) -> str:
    while True:
        click.echo(f"{field.why}", err=True)
        text = _ask_lines(field) if field.key == "cognito.groups" else _ask_line(field.name, hidden=field.secret)
        reason = reason_against(field.key, text) if text else _reason_to_ask_again(field)
        if not reason:
            return text
        click.echo(f"  {field.name}: {reason}", err=True)


def _ask_line(name: str, *, hidden: bool) -> str:
    answer: str = click.prompt(name, default="", show_default=False, hide_input=hidden, err=True)
    return answer.strip()


def _ask_lines(field: Field) -> str:
    lines = iter(lambda: _ask_line(f"{field.name} (an empty line ends it)", hidden=False), "")
    return "\n".join(lines)


def _reason_to_ask_again(field: Field) -> str:
    return "is needed" if field.key == "cognito.user_pool_id" else ""


def _write(path: Path, answers: list[FieldAnswer]) -> list[Path]:
    folder = path.parent / "secrets"
    secrets = {folder / answer.field.key.rpartition(".")[2]: answer for answer in answers if _is_kept(answer)}
    named = [replace(answer, text="", file=str(file)) for file, answer in secrets.items()]
    others = [answer for answer in answers if not _is_kept(answer)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if secrets:
            folder.mkdir(mode=0o700, exist_ok=True)
        for file, answer in secrets.items():
            write_private(file, f"{answer.text}\n")
        write_private(path, render([*others, *named], path.parent))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be written: {error.strerror}.", remedy="Name another file with --config."
        ) from error
    return [*secrets, path]


def _is_kept(answer: FieldAnswer) -> bool:
    return answer.field.secret and bool(answer.text)
