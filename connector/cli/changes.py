"""How the command shows a list of changes: as a table, as JSON, as CSV; line by line, so that its length is free."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from connector.cli.invocation import say, telling
from connector.directory.changes import Change, ChangeFilter, csv_lines
from connector.logs import escape_controls

FEW = 20
"""At most this many changes are shown without being asked for."""

_CHANGE, _KIND, _NAME, _VALUE = 8, 11, 28, 60
"""Cells of each column; a value that is longer is in the other formats as a whole."""


def write_changes(changes: Iterator[Change], *, form: str) -> None:
    """Write changes as `table`, `json` (a document a line) or `csv`; a table is paged on a terminal."""
    lines = _FORMS[form](changes)
    if form == "table":
        first = next(lines)
        second = next(lines, None)
        if second is None:
            say("No changes.")
            return
        click.echo_via_pager(chain((first, second), lines))
        return
    with telling():
        for line in lines:
            click.echo(line, nl=False)


def say_changes(changes: Iterator[Change]) -> None:
    """Print a few changes for people."""
    for line in _table(changes):
        say(line.rstrip("\n"))


def print_json_list(document: Mapping[str, Any], name: str, items: Iterator[Mapping[str, Any]]) -> None:
    """Print the one JSON document of a command, of which a list of any length is the last member."""
    before = json.dumps(document, indent=2).removesuffix("}").rstrip()
    with telling():
        click.echo(f"{before}{',' if document else ''}\n  {json.dumps(name)}: [", nl=False)
        separator = ""
        for item in items:
            click.echo(f"{separator}\n    {json.dumps(item)}", nl=False)
            separator = ","
        click.echo("\n  ]\n}")


def what_changed(change: Change) -> str:
    """Say in a line which attributes of a remaining user or group changed, from what to what."""
    if change.change != ChangeFilter.UPDATED:
        return ""
    attributes = change.attributes()
    return "; ".join(f"{path}: {_cut(was) or '(none)'} -> {_cut(now) or '(none)'}" for path, was, now in attributes)


def _table(changes: Iterator[Change]) -> Iterator[str]:
    yield _line("change", "kind", "name", "what changed")
    for change in changes:
        yield _line(change.change, change.kind.value, change.name, what_changed(change))


def _line(change: str, kind: str, name: str, what: str) -> str:
    name = escape_controls(name)
    padded = name if cell_len(name) > _NAME else set_cell_size(name, _NAME)
    return f"{change:<{_CHANGE}} {kind:<{_KIND}} {padded} {escape_controls(what)}".rstrip() + "\n"


def _json_lines(changes: Iterator[Change]) -> Iterator[str]:
    return (json.dumps(change.as_json()) + "\n" for change in changes)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 3]}..."


_FORMS: dict[str, Callable[[Iterator[Change]], Iterator[str]]] = {
    "table": _table,
    "json": _json_lines,
    "csv": csv_lines,
}
FORMS = tuple(_FORMS)
