"""The names of all keys, in the file and in the environment, and the JSON Schema of the file, taken from the models."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from connector.config.section import Section
from connector.config.settings import Settings
from connector.config.values import Source

PREFIX = "COGNITO_SCIM_"


@cache
def sections() -> dict[str, type[Section]]:
    """Return every section by its key, in order."""
    return dict(_sections("", Settings))


@cache
def key_names() -> tuple[str, ...]:
    """Return every key, in order."""
    return tuple(_names("", Settings))


def is_source(key: str) -> bool:
    """Tell whether a key names a Cognito attribute and may also be written as attribute and trusted."""
    return key in key_names() and field_of(key).annotation is Source


@cache
def secret_keys() -> frozenset[str]:
    """Return the keys whose values are secrets: those whose type hides them."""
    return frozenset(key for key in key_names() if field_of(key).annotation is SecretStr)


def may_hold_secret(key: str) -> bool:
    """Tell whether a refused value must not be shown: a secret, or where its neighbour's may be by mistake."""
    return key in secret_keys() or key == "aws.access_key_id"


def holds_secret(key: str, value: str) -> bool:
    """Tell whether a value is one that others must not read; a database URL may hold a password or not."""
    if key == "store.url":
        user, at, _ = value.partition("//")[2].partition("@")
        return not value.startswith("sqlite:") and ("password" in value or bool(at and ":" in user))
    return bool(value) and key in secret_keys()


@cache
def spellings() -> frozenset[str]:
    """Return every key that may be written: a source also as its attribute and whether it is trusted."""
    return frozenset(
        spelling
        for key in key_names()
        for spelling in ((key, f"{key}.attribute", f"{key}.trusted") if is_source(key) else (key,))
    )


def meaning_of(key: str) -> str:
    """Return what a key means, as its model says."""
    section, _, name = key.rpartition(".")
    return " ".join((sections()[section].model_fields[name].description or "").split())


def variable(key: str) -> str:
    """Return the environment variable of a key."""
    return PREFIX + key.replace(".", "__").upper()


def schema() -> str:
    """Return the JSON Schema of the configuration file, as text."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of cognito-scim",
        **_tidy(Settings.model_json_schema()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tidy(part: Any) -> Any:
    """Leave out titles, which repeat the names, and defaults of whole sections; put each description on one line."""
    if isinstance(part, list):
        return [_tidy(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    return {
        name: " ".join(value.split()) if name == "description" else _tidy(value)
        for name, value in part.items()
        if not (name == "title" and isinstance(value, str)) and not (name == "default" and isinstance(value, dict))
    }


def field_of(key: str) -> FieldInfo:
    """Return the field of a key in its model."""
    path, _, name = key.rpartition(".")
    return sections()[path].model_fields[name]


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[Section]]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            key = f"{path}.{name}".lstrip(".")
            yield key, kind
            yield from _sections(key, kind)


def _names(path: str, model: type[BaseModel]) -> Iterator[str]:
    for name in model.model_fields:
        key = f"{path}.{name}".lstrip(".")
        if key in sections():
            yield from _names(key, sections()[key])
        else:
            yield key
