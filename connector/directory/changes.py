"""One change of the directory, with the attributes that changed: what they were and what they are.

Attributes are those of the SCIM resource without `id`, `schemas` and `meta`, which every change moves, and without
`$ref`, which follows from the ids. Of a group, `members` is their number; who came and who left are other changes.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_BESIDE = frozenset({"id", "schemas", "meta"})
_FORMULA = ("=", "+", "-", "@")
"""With these a spreadsheet begins a formula; control characters, with which it does too, are escaped (OWASP)."""

CSV_COLUMNS = ("kind", "change", "id", "name", "group_id", "group", "user_id", "user", "was", "now")


class ChangeKind(StrEnum):
    """What a change is about."""

    USERS = "users"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"


class ChangeFilter(StrEnum):
    """Which changes are wanted; those after `REMOVED` are some of those that are updated."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    RENAMED = "renamed"
    DEACTIVATED = "deactivated"
    EMAIL_CHANGED = "email-changed"
    EMPTIED = "emptied"


@dataclass(frozen=True, slots=True)
class IdAndName:
    """A user or a group, by id and name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a user, a group or a membership.

    Args:
        kind: what it is about.
        change: `created`, `updated` or `removed`.
        of: the user or group; None of a membership.
        group: the group of a membership.
        user: the user of a membership.
        was: the attributes that changed, as they were; of what is created none, of what is removed all.
        now: the attributes that changed, as they are; of what is removed none, of what is created all.
        key: a list goes on after the change that has it.
    """

    kind: ChangeKind
    change: str
    of: IdAndName | None = None
    group: IdAndName | None = None
    user: IdAndName | None = None
    was: Mapping[str, Any] = field(default_factory=dict)
    now: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        if self.of:
            return self.of.name
        return f"{self.user.name if self.user else ''} in {self.group.name if self.group else ''}"

    def as_json(self) -> dict[str, Any]:
        """Return the document that scripts read."""
        who: dict[str, Any] = {"id": self.of.id, "name": self.of.name} if self.of else {}
        for role, one in (("group", self.group), ("user", self.user)):
            if one:
                who[role] = {"id": one.id, "name": one.name}
        return {"kind": self.kind.value, **who, "change": self.change, "was": dict(self.was), "now": dict(self.now)}

    def attributes(self) -> Iterator[tuple[str, str, str]]:
        """Yield each attribute that changed, by its path, with the old and the new value as people read them."""
        was, now = dict(_leaves(self.was)), dict(_leaves(self.now))
        for path in [*was, *(path for path in now if path not in was)]:
            yield path, was.get(path, ""), now.get(path, "")


def attributes_of(body: str) -> dict[str, Any]:
    """Return the attributes of a rendered resource that a change can be about."""
    document: dict[str, Any] = json.loads(body, strict=False)  # placeholders are control characters, see `rows`
    return {name: _without_references(value) for name, value in document.items() if name not in _BESIDE}


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what two states of a resource do not share: each its own part, whole values but for nested objects."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in [*was, *(name for name in now if name not in was)]:
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            before, after = difference(before, after)
        if before not in (None, {}):
            old[name] = before
        if after not in (None, {}):
            new[name] = after
    return old, new


def csv_lines(changes: Iterator[Change]) -> Iterator[str]:
    """Yield changes as lines of CSV (RFC 4180), every cell in quotes; the first line names the columns.

    A spreadsheet takes a text for a formula by its first character; such a text gets an apostrophe before it. Control
    characters of a name are escaped. `was` and `now` are JSON objects, which begin with a brace.
    """
    yield _csv_line(CSV_COLUMNS)
    for change in changes:
        named = (one or IdAndName("", "") for one in (change.of, change.group, change.user))
        texts = [_harmless(text) for one in named for text in (one.id, one.name)]
        yield _csv_line((change.kind.value, change.change, *texts, json.dumps(change.was), json.dumps(change.now)))


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue()


def _harmless(text: str) -> str:
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _without_references(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_references(part) for name, part in value.items() if name != "$ref"}
    return [_without_references(part) for part in value] if isinstance(value, list) else value


def _leaves(attributes: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in attributes.items():
        path = f"{above}{_short(name)}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, _as_text(value)


def _short(name: str) -> str:
    """Return `cognito` for `urn:ietf:params:scim:schemas:extension:cognito:2.0:User`."""
    return name.split(":")[-3] if name.startswith("urn:") else name


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    if isinstance(value, dict):
        known = value.get("display") or value.get("value")
        return known if isinstance(known, str) and "name" not in value else json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value)
