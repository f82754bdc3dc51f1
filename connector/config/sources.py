"""Where configuration comes from: YAML < environment < files that hold one secret each.

Every value keeps its origin, so that a fault can point at a line or a variable. Keys are spelled out with dots.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from connector.config.faults import Fault, show, suggest
from connector.config.keys import PREFIX, key_names, sections, spellings, variable
from connector.errors import ConfigError
from connector.file_access import read_file

_LARGEST_SECRET = 65_536
_LARGEST_CONFIGURATION = 4 * 1024 * 1024
# Kubernetes puts such variables into every container beside a service named cognito-scim….
_SERVICE_LINK = re.compile(
    r"COGNITO_SCIM_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT_[0-9]+_(?:TCP|UDP|SCTP)\w*)"
)
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")


@dataclass(frozen=True, slots=True)
class GivenValue:
    """A value and where it was found."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class ReadValues:
    """What one source, or several on top of each other, gave."""

    found: dict[str, GivenValue]
    faults: tuple[Fault, ...] = ()

    def under(self, upper: "ReadValues") -> "ReadValues":
        """Return both, where the upper one wins: over the same key, and over one written in another form."""
        kept = {
            key: found for key, found in self.found.items() if not any(_overlap(key, other) for other in upper.found)
        }
        return ReadValues({**kept, **upper.found}, self.faults + upper.faults)


def _overlap(key: str, other: str) -> bool:
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")


def read_environment(environment: Mapping[str, str]) -> ReadValues:
    """Return what the variables `COGNITO_SCIM_<SECTION>__<KEY>` say; an unknown one is a fault."""
    known = {variable(key): key for key in spellings()}
    found, faults = {}, []
    for name, value in sorted(environment.items()):
        if name in known:
            found[known[name]] = GivenValue(value, f"environment variable {name}")
        elif name.startswith(PREFIX) and not _is_service_link(name, value):
            faults.append(Fault(name, suggest(name, sorted(known), separator="__"), origin="environment variable"))
    for key in [key for key in found if key.rpartition(".")[0] in found]:
        faults.append(Fault(variable(key), f"{variable(key.rpartition('.')[0])} is given too; use one of them"))
        del found[key]
    return ReadValues(found, tuple(faults))


def _is_service_link(name: str, value: str) -> bool:
    return bool(_SERVICE_LINK.fullmatch(name) or (name.endswith("PORT") and _SERVICE_ADDRESS.match(value)))


def read_secret_files(reading: ReadValues) -> ReadValues:
    """Return the reading with each `<key>_file` read and put over its key."""
    found, faults = {}, []
    for key in key_names():
        named = reading.found.get(f"{key}_file")
        if named is None or not isinstance(named.value, str) or not named.value:
            continue
        try:
            found[key] = GivenValue(_read_secret(Path(named.value)), f"file {named.value}, named by {named.origin}")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            faults.append(Fault(f"{key}_file", reason, show(named.value, secret=False), named.origin))
    return reading.under(ReadValues(found, tuple(faults)))


def _read_secret(path: Path) -> str:
    content = read_file(path, largest=_LARGEST_SECRET)
    if not content.strip():
        raise ValueError("the file is empty")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None


def read_yaml(path: Path) -> ReadValues:
    """Return what a YAML file says.

    Raises:
        ConfigError: the file cannot be read or is not YAML.
    """
    try:
        root = _compose(read_file(path, largest=_LARGEST_CONFIGURATION))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            remedy="Name another with --config, or make one with: cognito-scim init",
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"The configuration {path} is not YAML: {_tell(error)}.", remedy=_YAML_REMEDY) from None
    except RecursionError:
        raise ConfigError(f"The configuration {path} is nested too deeply.", remedy=_YAML_REMEDY) from None
    leaves = _Leaves(path)
    if root is not None:
        leaves.visit(root, ())
    return ReadValues(leaves.found, tuple(leaves.faults))


_YAML_REMEDY = "Correct the file; config.example.yaml shows its form."


class _Loader(yaml.SafeLoader):
    """YAML without anchors, aliases and tags: a configuration needs none, and each has its traps."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors, aliases and tags have no meaning here", event.start_mark
            )
        return super().compose_node(parent, index)


def _compose(content: bytes) -> yaml.Node | None:
    loader = _Loader(content)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _tell(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


class _Leaves:
    """Collects the values of a YAML tree under dotted keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, int] = {}
        self.found: dict[str, GivenValue] = {}
        self.faults: list[Fault] = []

    def visit(self, node: yaml.Node, path: tuple[str, ...]) -> None:
        """Collect what is under a node."""
        key = ".".join(path)
        if isinstance(node, yaml.MappingNode) and (node.value or not path):
            for name, value in node.value:
                self._visit_entry(name, value, path)
        elif not path or key in sections():
            if not _is_null(node) and not isinstance(node, yaml.MappingNode):
                self._fault(key or "the file", node, "must be a section, with its keys under it")
        elif key not in spellings():
            self._fault(key, node, suggest(key, sorted(spellings())))
        elif not _is_null(node):
            self.found[key] = GivenValue(_construct(node), self._origin(node))

    def _visit_entry(self, name: yaml.Node, value: yaml.Node, path: tuple[str, ...]) -> None:
        part = name.value if isinstance(name, yaml.ScalarNode) else "?"
        key = ".".join((*path, part))
        if not part or "." in part or part == "?":
            self._fault(key, name, "a key is one word; write sections as nested mappings")
        elif key in self._lines:
            self._fault(key, name, f"given twice, first in line {self._lines[key]}")
        else:
            self._lines[key] = name.start_mark.line + 1
            self.visit(value, (*path, part))

    def _fault(self, key: str, node: yaml.Node, reason: str) -> None:
        self.faults.append(Fault(key, reason, origin=self._origin(node)))

    def _origin(self, node: yaml.Node) -> str:
        return f"{self._path}, line {node.start_mark.line + 1}"


def _is_null(node: yaml.Node) -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def _construct(node: yaml.Node) -> Any:
    """Return the value of a node; what YAML 1.1 takes for a date or cannot make a number of stays text."""
    if isinstance(node, yaml.SequenceNode):
        return [_construct(entry) for entry in node.value]
    if isinstance(node, yaml.MappingNode):
        return {}
    kind = node.tag.rpartition(":")[2]
    if kind not in {"null", "bool", "int", "float"}:
        return node.value
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, LookupError):
        return node.value
