"""Refused plans that wait for their approval: for a day, while what they were compared with is published (P03)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from connector.directory.runs import RunKind, RunOutcome
from connector.directory.times import from_milliseconds
from connector.errors import ApprovalRefused, LeaseLost, StoreError
from connector.store.generations import newest
from connector.store.runs import lease as leases
from connector.store.runs.lease import Lease
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import runs
from connector.store.staging import CLEARED, clear_staging

APPROVABLE_MILLISECONDS = 24 * 60 * 60 * 1000
"""How long a refused plan waits for its approval."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A refused plan whose staging rows are kept: it can be published as it was shown."""

    run: int
    result: Mapping[str, Any]


def find_waiting(database: Database, digest: str) -> Waiting:
    """Return the refused plan of this digest.

    Raises:
        ApprovalRefused: no such plan waits: it is over a day old, or another generation was published since.
    """
    with database.reading() as connection:
        waiting = _all_waiting(connection)
    for plan in waiting:
        if plan.result["digest"] == digest:
            return plan
    raise ApprovalRefused(
        f"No refused plan with the digest {digest!r} waits for approval.",
        remedy="A plan waits for a day, until another is published. Run `cognito-scim sync` to make a new one.",
    )


def clear_left_over_staging(database: Database, *, under: Lease) -> None:
    """Remove what killed runs left behind; staging rows of refused plans wait for their approval.

    Raises:
        LeaseLost: another run took over, whose rows these might be.
    """
    try:
        with database.reading() as connection:
            waiting = {plan.run for plan in _all_waiting(connection)}
            staged = {run for table in CLEARED for run in connection.scalars(select(table.c.run).distinct())}
        clear_staging(database, sorted(staged - waiting), first=partial(leases.prove, lease=under))
    except LeaseLost:
        raise
    except StoreError as error:
        _log.warning("what earlier runs left in staging stays until the next run: %s", error)


def _all_waiting(connection: Connection) -> list[Waiting]:
    """Return the plans refused within a day against the generation that is still the newest, each once."""
    now = read_clock(connection)
    rows = connection.execute(
        select(runs.c.id, runs.c.result)
        .where(runs.c.kind == RunKind.SYNC, runs.c.outcome == RunOutcome.REFUSED)
        .where(runs.c.ended_at >= from_milliseconds(now - APPROVABLE_MILLISECONDS))
        .order_by(runs.c.id.desc())
    )
    generation = newest(connection)
    published = generation.number if generation else None
    latest: dict[str, Waiting] = {}
    for row in rows:
        plan = Waiting(row.id, json.loads(row.result))
        # An approval that came too late is refused too, but shows no plan of its own.
        if "digest" in plan.result and plan.result["generation"] == published:
            latest.setdefault(plan.result["digest"], plan)
    return list(latest.values())
