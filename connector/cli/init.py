"""`init`: the values of the configuration form, under its names, become a commented config.yaml.

A secret stands neither in an argument list, which `ps` shows to everybody, nor in config.yaml: each has its own file.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say
from connector.config import load_values, reason_against, variable
from connector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form.

    Args:
        name: its name on the form.
        key: its key in the configuration.
        why: what it is for.
        secret: whether it is asked without echo and kept in a file of its own.
    """

    name: str
    key: str
    why: str
    secret: bool = False

    @property
    def option(self) -> str:
        """The parameter that takes the field from the command line."""
        return self.key.rpartition(".")[2] + ("_file" if self.secret else "")


FORM = (
    Field("Region", "cognito.region", "AWS Region of the user pool; empty takes it from the pool id."),
    Field("User Pool Id", "cognito.user_pool_id", "The user pool that is read."),
    Field(
        "List of Groups", "cognito.groups", "Only these groups and their members, one name a line; empty: everybody."
    ),
    Field("Access Key ID", "aws.access_key_id", "Key of the service user; empty: the default credentials of AWS."),
    Field("Secret Access Key", "aws.secret_access_key", "Its secret access key.", secret=True),
    Field("External ID", "aws.external_id", "The ExternalId that the role's trust policy asks for.", secret=True),
    Field("Role ARN", "aws.role_arn", "The role that the service user assumes to read the pool."),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a field: its text, or the file that has it."""

    field: Field
    text: str = ""
    file: str = ""


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
def init(invocation: Invocation, /, *, force: bool, **given: str | tuple[str, ...] | None) -> None:
    """Ask for the values of the configuration form and write config.yaml.

    On a terminal, what no option gives is asked for; a secret that the environment holds is left there.
    """
    path = (invocation.config or Path("config.yaml")).absolute()
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already.", remedy="Replace it with --force, or name another with --config.")
    answers = list(_answers(given, invocation.environment))
    load_values({_key(answer): answer.text or answer.file for answer in answers}, invocation.environment)
    written = _write(path, answers)
    if invocation.json:
        print_json({"written": [str(file) for file in written]})
        return
    for file in written:
        say(f"Wrote {file}")
    option = f" --config {path}" if invocation.config else ""
    say(f"Next: cognito-scim{option} check")


def _key(answer: Answer) -> str:
    return f"{answer.field.key}_file" if answer.file else answer.field.key


def _answers(given: Mapping[str, str | tuple[str, ...] | None], environment: Mapping[str, str]) -> Iterator[Answer]:
    for field in FORM:
        value = given[field.option]
        if field.secret and isinstance(value, str):
            from_stdin = value == "-"
            text = sys.stdin.readline().rstrip("\r\n") if from_stdin else ""
            yield Answer(field, text, file="" if from_stdin else str(Path(value).absolute()))
        elif value:
            yield Answer(field, value if isinstance(value, str) else "\n".join(value))
        elif sys.stdin.isatty() and variable(field.key) not in environment:
            yield Answer(field, _ask(field))


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


def _write(path: Path, answers: list[Answer]) -> list[Path]:
    folder = path.parent / "secrets"
    secrets = {folder / answer.field.key.rpartition(".")[2]: answer for answer in answers if _is_kept(answer)}
    named = [replace(answer, text="", file=str(file)) for file, answer in secrets.items()]
    others = [answer for answer in answers if not _is_kept(answer)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if secrets:
            folder.mkdir(mode=0o700, exist_ok=True)
        for file, answer in secrets.items():
            _write_private(file, f"{answer.text}\n")
        _write_private(path, render([*others, *named]))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be written: {error.strerror}.", remedy="Name another file with --config."
        ) from error
    return [*secrets, path]


def _is_kept(answer: Answer) -> bool:
    return answer.field.secret and bool(answer.text)


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, as a whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def render(answers: Iterable[Answer]) -> str:
    """Return the configuration file of some answers, each under its name on the form."""
    given = {answer.field: answer for answer in answers}
    lines = ["# Configuration of cognito-scim; config.example.yaml explains every key there is."]
    section = ""
    for field in FORM:
        heading, _, name = field.key.partition(".")
        if heading != section:
            lines += ["", f"{heading}:"]
            section = heading
        lines.append(f"  # {field.name}: {field.why}")
        lines.append(_setting(name, given.get(field), field))
    return "\n".join([*lines, ""])


def _setting(name: str, answer: Answer | None, field: Field) -> str:
    if answer is not None and answer.file:
        return f"  {name}_file: {_quote(answer.file)}"
    if answer is None or not answer.text:
        return f"  # {name}_file:" if field.secret else f"  # {name}:"
    if field.key == "cognito.groups":
        return "\n".join([f"  {name}:", *(f"    - {_quote(group)}" for group in answer.text.splitlines())])
    return f"  {name}: {_quote(answer.text)}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
