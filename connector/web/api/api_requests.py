"""What a caller of the API asks for, read strictly: whatever is not understood is refused by its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.directory.runs import RunKind
from connector.scim.json_text import NameTwice, read_json
from connector.store.changes.statements import Wanted
from connector.web.api.problems import Problem

Word = TypeVar("Word", bound=StrEnum)

KINDS = (RunKind.CHECK, RunKind.PLAN, RunKind.SYNC, RunKind.DELTA)
"""What can be started here; a rotation is not."""

MOST_RUNS = 100
_USUAL_RUNS = 20
MOST_CHANGES = 1000
_USUAL_CHANGES = 100
LONGEST_REASON = 1000
_LONGEST_TEXT = 500
_DIGEST = re.compile(r"[0-9a-fA-F]{8,64}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WantedRun:
    """A run to be started; `approve` is the digest of the refused plan to publish."""

    kind: RunKind
    approve: str | None


@dataclass(frozen=True, slots=True)
class WantedPage:
    """Some runs of the history: how many, and all before the run of which number."""

    count: int
    before: int | None


@dataclass(frozen=True, slots=True)
class WantedChanges:
    """Some changes of a run: which, how many, and all after the one of which key."""

    wanted: Wanted
    count: int
    after: str

    def query(self, *, after: str) -> str:
        """Return the query string of the same changes after another key."""
        given = {"kind": self.wanted.kind, "change": self.wanted.change, "filter": self.wanted.text}
        return urlencode(
            {name: value for name, value in given.items() if value} | {"count": self.count, "after": after}
        )


def read_run_request(body: bytes) -> WantedRun:
    """Return what a body asks for, whatever its content type says.

    Raises:
        Problem: it is no JSON, or a member is unknown, missing, of the wrong type or there twice.
    """
    document = _read_object(body, '{"kind": "sync"}')
    _refuse_unknown(document, ("kind", "approve"))
    return WantedRun(_read_kind(document), _read_approval(document))


def read_discard_request(body: bytes) -> str:
    """Return the reason why a refused plan is discarded; errors are those of `read_run_request`."""
    document = _read_object(body, '{"reason": "…"}')
    _refuse_unknown(document, ("reason",))
    reason = document.get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        raise _wrong("reason", f"must say why, in 1 to {LONGEST_REASON} characters")
    return reason


def read_changes_request(arguments: Iterable[tuple[str, str]]) -> WantedChanges:
    """Return which changes a query string asks for; errors are those of `read_page_request`."""
    named = _read_once(arguments, ("kind", "change", "filter", "count", "after"))
    text = named.get("filter", "")
    if len(text) > _LONGEST_TEXT:
        raise _wrong("filter", f"must have at most {_LONGEST_TEXT} characters")
    wanted = Wanted(_read_word(named, "kind", ChangeKind), _read_word(named, "change", ChangeFilter), text)
    count = _read_number(named, "count", most=MOST_CHANGES) or _USUAL_CHANGES
    return WantedChanges(wanted, count, named.get("after", ""))


def _read_object(body: bytes, example: str) -> dict[str, Any]:
    try:
        document = read_json(body)
    except NameTwice as fault:
        raise Problem(400, str(fault), field=fault.name) from None
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if not isinstance(document, dict):
        raise Problem(400, f"The body is no JSON object such as {example}.")
    return document


def read_page_request(arguments: Iterable[tuple[str, str]]) -> WantedPage:
    """Return which part of the history a query string asks for.

    Raises:
        Problem: a parameter is unknown, came twice or is no number within its bounds.
    """
    named = _read_once(arguments, ("count", "before"))
    count = _read_number(named, "count", most=MOST_RUNS) or _USUAL_RUNS
    return WantedPage(count, _read_number(named, "before"))


def read_run_id(text: str) -> int | None:
    """Return the number that a path names, None for anything that is no number of a run."""
    return int(text) if _NUMBER.fullmatch(text) else None


def _read_once(arguments: Iterable[tuple[str, str]], known: tuple[str, ...]) -> dict[str, str]:
    pairs = list(arguments)
    named = dict(pairs)
    _refuse_unknown(named, known)
    if len(named) < len(pairs):
        raise Problem(400, "A parameter came twice.")
    return named


def _read_word(named: Mapping[str, str], name: str, words: type[Word]) -> Word | None:
    """Return a word that is given, None if it is not."""
    if name not in named:
        return None
    try:
        return words(named[name])
    except ValueError:
        raise _wrong(name, f"must be one of {', '.join(words)}") from None


def _read_kind(document: Mapping[str, Any]) -> RunKind:
    if "kind" not in document:
        raise _wrong("kind", "is missing")
    kind = document["kind"]
    if kind == RunKind.ROTATE:
        raise _wrong("kind", "cannot be rotate: rotations are started by their own command")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _wrong("kind", f"must be one of {', '.join(KINDS)}")
    return RunKind(kind)


def _read_approval(document: Mapping[str, Any]) -> str | None:
    if "approve" not in document:
        return None
    digest = document["approve"]
    if document["kind"] != RunKind.SYNC:
        raise _wrong("approve", "goes with the kind sync alone")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _wrong("approve", "must be the digest of a refused plan, 64 hexadecimal digits or at least 8 of them")
    return digest


def _read_number(named: Mapping[str, str], name: str, *, most: int | None = None) -> int | None:
    """Return a number from 1 on that is given, None if it is not."""
    if name not in named:
        return None
    number = read_run_id(named[name])
    if number is None or (most is not None and number > most):
        raise _wrong(name, f"must be a number from 1 {'on' if most is None else f'to {most}'}")
    return number


def _refuse_unknown(named: Iterable[str], known: tuple[str, ...]) -> None:
    """Refuse the first unknown name; it is the caller's text, so no more than its beginning is given back."""
    for name in named:
        if name not in known:
            raise Problem(400, f"Here is known only: {', '.join(known)}.", field=name[:100])


def _wrong(field: str, what: str) -> Problem:
    return Problem(400, f"{field} {what}.", field=field)
