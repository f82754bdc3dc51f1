"""What pages are asked for, read strictly: a number that is none is an address that is none."""

import re

from flask import g, request

from connector.directory.runs import Cause
from connector.errors import NoSuchRun
from connector.store.audit import Actor
from connector.store.runs.queue import RunRecord, Runs
from connector.web.access.limits import LONGEST_ADDRESS
from connector.web.console.access import PageRefused

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def number_of(text: str) -> int | None:
    """Return the number that a text is, None for anything else."""
    return int(text) if _NUMBER.fullmatch(text) else None


def asked_number(name: str) -> int | None:
    """Return the number that the query names, None where it names none.

    Raises:
        Refused: it names something else.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    number = number_of(text)
    if number is None:
        raise PageRefused(400, "The address is mistyped.", f"{name} must be a number from 1 on.")
    return number


def asked_text(name: str, *, most: int = 300) -> str:
    """Return a text of the query, cut where it is longer than any name."""
    return request.args.get(name, "").strip()[:most].replace("\0", "")


def entered(name: str) -> str:
    """Return a field of the form."""
    return str(g.form.get(name, "")).strip()


def who_asks() -> Actor:
    """Return the operator whose request this is, for the audit trail."""
    return Actor(g.session.operator, Cause.CONSOLE, (request.remote_addr or "")[:LONGEST_ADDRESS], g.request_id)


def find_run(runs: Runs, text: str) -> RunRecord:
    """Return the run that an address names.

    Raises:
        Refused: there is none.
    """
    number = number_of(text)
    try:
        if number is not None:
            return runs.find(number)
    except NoSuchRun as fault:
        raise PageRefused(404, fault.message, "The history of runs shows those that are kept.") from fault
    raise PageRefused(404, "There is no such run.", "The history of runs shows those that are kept.")
