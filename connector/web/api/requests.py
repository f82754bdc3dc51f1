"""What a caller of the API asks for, read strictly: whatever is not understood is refused by its name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.directory.runs import RunKind
from connector.scim.json_text import NameTwice, read_json
from connector.web.api.problems import Problem

KINDS = (RunKind.CHECK, RunKind.PLAN, RunKind.SYNC)
"""What can be started here; a rotation is not."""

MOST_RUNS = 100
_USUAL_RUNS = 20
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
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


def read_run_request(body: bytes) -> WantedRun:
    """Return what a body asks for, whatever its content type says.

    Raises:
        Problem: it is no JSON, or a member is unknown, missing, of the wrong type or there twice.
    """
    try:
        document = read_json(body)
    except NameTwice as fault:
        raise Problem(400, str(fault), field=fault.name) from None
    except ValueError as fault:
        raise Problem(400, str(fault)) from None
    if not isinstance(document, dict):
        raise Problem(400, 'The body is no JSON object such as {"kind": "sync"}.')
    _refuse_unknown(document, ("kind", "approve"))
    return WantedRun(_read_kind(document), _read_approval(document))


def read_page_request(arguments: Iterable[tuple[str, str]]) -> WantedPage:
    """Return which part of the history a query string asks for.

    Raises:
        Problem: a parameter is unknown, came twice or is no number within its bounds.
    """
    pairs = list(arguments)
    named = dict(pairs)
    _refuse_unknown(named, ("count", "before"))
    if len(named) < len(pairs):
        raise Problem(400, "A parameter came twice.")
    count = _read_number(named, "count", most=MOST_RUNS) or _USUAL_RUNS
    return WantedPage(count, _read_number(named, "before"))


def read_run_id(text: str) -> int | None:
    """Return the number that a path names, None for anything that is no number of a run."""
    return int(text) if _NUMBER.fullmatch(text) else None


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
        raise _wrong("approve", "must be the digest of a refused plan, 64 hexadecimal digits")
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
            raise Problem(400, f"Only {' and '.join(known)} are known here.", field=name[:100])


def _wrong(field: str, what: str) -> Problem:
    return Problem(400, f"{field} {what}.", field=field)
