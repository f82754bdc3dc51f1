"""The file config.yaml as text: the form with its answers, and changes to a file that leave all else as it is.

A secret never stands in it: each has a file of its own, which it names.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

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


STORE = "cognito-scim.db"
"""The file of the store, beside the configuration."""

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
class FieldAnswer:
    """What was said to a field: its text, or the file that has it."""

    field: Field
    text: str = ""
    file: str = ""


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, as a whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def render(answers: Iterable[FieldAnswer], folder: Path) -> str:
    """Return the configuration file of some answers, each under its name on the form.

    Args:
        answers: what was said.
        folder: where the file goes, and the store beside it.
    """
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
    lines += [
        "",
        "store:",
        "  # The database in which the directory is kept.",
        f"  url: {_quote(f'sqlite:///{folder}/{STORE}')}",
    ]
    return "\n".join([*lines, ""])


def _setting(name: str, answer: FieldAnswer | None, field: Field) -> str:
    if answer is not None and answer.file:
        return f"  {name}_file: {_quote(answer.file)}"
    if answer is None or not answer.text:
        return f"  # {name}_file:" if field.secret else f"  # {name}:"
    if field.key == "cognito.groups":
        return "\n".join([f"  {name}:", *(f"    - {_quote(group)}" for group in answer.text.splitlines())])
    return f"  {name}: {_quote(answer.text)}"


def _quote(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def set_values(text: str, values: Mapping[str, str | list[str] | None]) -> str:
    """Return the text of a configuration file with some keys set, or removed where the value is None.

    Comments, order and every other key stay as they are.

    Raises:
        ConfigError: the file is written in a way that cannot be changed line by line.
    """
    for key, value in values.items():
        changed = _set(text, key, value)
        if not _says(changed, _with(_load(text), key, value)):
            raise ConfigError(
                f"{key} cannot be changed in the configuration file without touching what stands around it.",
                remedy=f"Set it by hand: {key}: {'(remove it)' if value is None else json.dumps(value)}",
            )
        text = changed
    return text


def _set(text: str, key: str, value: str | list[str] | None) -> str:
    section, _, name = key.partition(".")
    heading, branch = _find(yaml.compose(text), section)
    if heading is None:
        return text if value is None else f"{text.rstrip()}\n\n{section}:\n  {name}: {_quote(value)}\n".lstrip()
    leaf, old = _find(branch, name)
    lines = text.splitlines(keepends=True)
    if leaf is None:
        if value is None:
            return text
        children = branch.value if isinstance(branch, yaml.MappingNode) else []
        indent = children[0][0].start_mark.column if children else 2
        at = heading.end_mark.line + 1
        return "".join([*lines[:at], f"{' ' * indent}{name}: {_quote(value)}\n", *lines[at:]])
    if value is None:
        return "".join([*lines[: leaf.start_mark.line], *lines[old.end_mark.line + 1 :]])
    return text[: old.start_mark.index] + _quote(value) + text[old.end_mark.index :]


def _find(mapping: yaml.Node | None, name: str) -> tuple[yaml.Node | None, Any]:
    """Return the nodes of a key and of its value, None and None where it is not there."""
    for key, value in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
        if key.value == name:
            return key, value
    return None, None


def _says(text: str, wanted: Mapping[str, Mapping[str, Any]]) -> bool:
    try:
        return _load(text) == wanted
    except yaml.YAMLError:
        return False


def _load(text: str) -> dict[str, dict[str, Any]]:
    loaded = yaml.safe_load(text) or {}
    return {section: dict(keys) for section, keys in loaded.items() if keys}


def _with(
    loaded: Mapping[str, Mapping[str, Any]], key: str, value: str | list[str] | None
) -> dict[str, dict[str, Any]]:
    section, _, name = key.partition(".")
    kept = {other: given for other, given in loaded.get(section, {}).items() if other != name}
    changed = kept if value is None else {**kept, name: value}
    return {other: dict(keys) for other, keys in {**loaded, section: changed}.items() if keys}
