"""Read the configuration: YAML < environment < secret files, validated as a whole, every fault reported at once.

pydantic checks single values. The layers are read here, because pydantic-settings does not know the line that a value
came from, nor does it mind an unknown variable.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from connector.config.contradictions import GivenValues, find_contradictions, find_warnings
from connector.config.faults import Fault, error_of, show
from connector.config.keys import holds_secret, is_source, key_names, may_hold_secret, spellings
from connector.config.paths import find_left_behind, resolve_files, resolve_kept
from connector.config.settings import Settings
from connector.config.sources import GivenValue, ReadValues, read_environment, read_secret_files, read_yaml
from connector.file_access import describe_access

_PLAIN = {
    "missing": "missing",
    "string_type": "must be text: put it in quotes",
    "string_too_short": "must not be empty",
    "string_unicode": "is not Unicode text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "value_error": "{error}",
}


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One key of the configuration in effect, its secrets hidden."""

    key: str
    value: str
    origin: str


def find_config(named: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: the named one, `./config.yaml`, `~/.config/cognito-scim/config.yaml` or none."""
    if named is not None:
        return named
    home = Path(environment["HOME"]) / ".config" / "cognito-scim" if environment.get("HOME") else Path()
    places = (Path("config.yaml"), home / "config.yaml")
    return next((path for path in places if os.path.exists(path)), None)  # noqa: PTH110 - Path raises where it may not look


def load_settings(path: Path | None, environment: Mapping[str, str], *, reads_pool: bool) -> Settings:
    """Read, merge and validate the configuration.

    Args:
        path: the YAML file, or None to live by the environment alone.
        environment: the environment variables.
        reads_pool: whether what follows needs a user pool.

    Raises:
        ConfigError: something is wrong; names every fault.
    """
    file = read_yaml(path) if path else ReadValues({})
    reading = file.under(read_environment(environment))
    folder = path.absolute().parent if path else None
    reading = resolve_files(reading, folder)
    settings = _load(reading, reads_pool=reads_pool, folder=folder)
    settings._warnings = (*_warn_of_access(path, file, reading), *settings.warnings)  # noqa: SLF001 - set while it is made
    settings._file = path  # noqa: SLF001 - likewise
    return settings


def load_values(values: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Return the configuration that some values by key make, over the environment.

    Raises:
        ConfigError: something is wrong; names every fault.
    """
    given = ReadValues({key: GivenValue(value, "") for key, value in values.items()})
    return _load(read_environment(environment).under(given), reads_pool=True)


def _load(reading: ReadValues, *, reads_pool: bool, folder: Path | None = None) -> Settings:
    written = read_secret_files(reading)
    reading = resolve_kept(written, folder)
    settings, found = _validate(reading)
    faults = [*reading.faults, *found, *find_left_behind(written, folder)]
    given = GivenValues(reading, frozenset(fault.key for fault in faults))
    faults += find_contradictions(given, reads_pool=reads_pool)
    if settings is None or faults:
        raise error_of(faults)
    settings._warnings = tuple(find_warnings(given, reads_pool=reads_pool))  # noqa: SLF001 - set while it is made
    settings._origins = {key: found.origin for key, found in reading.found.items()}  # noqa: SLF001 - likewise
    return settings


def reason_against(key: str, text: str) -> str:
    """Return why a text cannot be the value of a key; empty when it can."""
    _, faults = _validate(ReadValues({key: GivenValue(text, "")}))
    return "; ".join(fault.reason for fault in faults)


def effective(settings: Settings) -> Iterator[EffectiveValue]:
    """Yield every key with the value in effect, redacted, and where it came from."""
    for key in key_names():
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        text = value.get_secret_value() if isinstance(value, SecretStr) else getattr(value, "attribute", value)
        origins = (settings.origins.get(spelling) for spelling in (key, f"{key}.attribute"))
        hidden = isinstance(value, SecretStr) and holds_secret(key, text)
        yield EffectiveValue(key, show(text, secret=hidden), next((origin for origin in origins if origin), "default"))


def _validate(reading: ReadValues) -> tuple[Settings | None, list[Fault]]:
    try:
        return Settings.model_validate(_nest(reading)), []
    except ValidationError as error:
        return None, [_fault_of(details, reading) for details in error.errors(include_url=False)]


def _nest(reading: ReadValues) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, found in reading.found.items():
        *path, name = key.split(".")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[name] = found.value
    return tree


def _fault_of(details: ErrorDetails, reading: ReadValues) -> Fault:
    key = ".".join(str(part) for part in details["loc"])
    while key and key not in spellings():
        key = key.rpartition(".")[0]
    found = reading.found.get(key) or _beside(key, reading)
    shown = "" if found.value is None else show(found.value, secret=may_hold_secret(key))
    reason = _PLAIN.get(details["type"], "{msg}").format(msg=details["msg"], **details.get("ctx", {}))
    return Fault(key, reason, shown, found.origin)


def _beside(key: str, reading: ReadValues) -> GivenValue:
    """Return where the other half of a source was found."""
    section = key.rpartition(".")[0]
    origins = (found.origin for name, found in reading.found.items() if name.startswith(f"{section}."))
    return GivenValue(None, next(origins, "") if is_source(section) else "")


def _warn_of_access(path: Path | None, file: ReadValues, reading: ReadValues) -> Iterator[str]:
    """Yield which files of the configuration others may read or change."""
    secrets = [
        key for key, found in file.found.items() if isinstance(found.value, str) and holds_secret(key, found.value)
    ]
    if path is not None:
        what = f"which holds {', '.join(secrets)}" if secrets else "the configuration"
        yield from _sentences(path, what, secret=bool(secrets))
    for key in (*(f"{key}_file" for key in key_names()), "server.tls_key"):
        named = reading.found.get(key)
        if named is not None and isinstance(named.value, str) and named.value:
            yield from _sentences(Path(named.value), f"named by {key}", secret=True)


def _sentences(path: Path, what: str, *, secret: bool) -> Iterator[str]:
    for detail, command in describe_access(path, what, secret=secret):
        yield f"{detail}; run: {command}"
