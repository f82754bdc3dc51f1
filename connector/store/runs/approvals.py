"""Refused plans that wait for their approval: for a day, while nothing that they touch is published anew (P03)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.directory.runs import RunKind, RunOutcome, RunState
from connector.directory.times import from_milliseconds
from connector.errors import ApprovalRefused, LeaseLost, NothingToDiscard, StoreError
from connector.store.generations import newest
from connector.store.publishing.rebase import is_untouched
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

    @property
    def digest(self) -> str:
        """The digest of the plan."""
        return str(self.result["digest"])

    @property
    def base(self) -> int:
        """The generation that it was compared with, 0 for none."""
        return int(self.result.get("base") or self.result.get("generation") or 0)


def find_waiting(database: Database, digest: str) -> Waiting:
    """Return the refused plan of this digest.

    Args:
        database: the store.
        digest: the digest or its beginning, in either case.

    Raises:
        ApprovalRefused: no such plan waits: it is over a day old, was discarded, or something that it touches was
            published since; or several begin like this.
    """
    with database.reading() as connection:
        waiting = _all_waiting(connection)
    found = [plan for plan in waiting if plan.digest.startswith(digest.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise ApprovalRefused(
            f"{len(found)} refused plans wait whose digests begin with {digest!r}.",
            remedy="Write more of the digest: " + ", ".join(sorted(plan.digest for plan in found)),
        )
    raise ApprovalRefused(
        f"No refused plan with the digest {digest!r} waits for approval.",
        remedy="A plan waits for a day, while nothing that it touches changes. Run `cognito-scim sync` for a new one.",
    )


def discard(connection: Connection, row: Row[Any], mark: Mapping[str, str]) -> None:
    """Discard, in the caller's transaction, the refused plan of a run, so that nobody can approve it any more.

    Whatever run refused the same plan is marked as well. The staging rows go when the next run begins.

    Args:
        connection: the caller's transaction, which holds the lease of syncs.
        row: the run.
        mark: who discarded it (`by`), when (`at`) and why (`reason`).

    Raises:
        NothingToDiscard: its plan does not wait, or is being approved.
    """
    see = f"See: cognito-scim runs show {row.id}"
    if row.discarded:
        known = json.loads(row.discarded)
        raise NothingToDiscard(f"The plan of run {row.id} was discarded by {known['by']} at {known['at']}.", remedy=see)
    refused = _all_refused(connection)
    digest = next((plan.digest for plan in refused if plan.run == row.id), None)
    if digest is None:
        raise NothingToDiscard(f"Run {row.id} has no refused plan that waits for approval.", remedy=see)
    approving = select(runs.c.id).where(runs.c.approve == digest, runs.c.state != RunState.ENDED)
    approval = connection.scalar(approving.limit(1))
    if approval is not None:
        raise NothingToDiscard(f"Run {approval} is publishing the plan of run {row.id}.", remedy=see)
    same = [plan.run for plan in refused if plan.digest == digest]
    connection.execute(update(runs).where(runs.c.id.in_(same)).values(discarded=json.dumps(mark)))


def list_waiting(database: Database) -> list[Waiting]:
    """Return the refused plans that wait for approval, newest first."""
    with database.reading() as connection:
        return _all_waiting(connection)


def list_waiting_runs(connection: Connection) -> list[int]:
    """Return the runs whose refused plans wait for approval."""
    return [plan.run for plan in _all_refused(connection)]


def clear_left_over_staging(database: Database, *, under: Lease) -> None:
    """Remove what killed runs left behind; staging rows of refused plans wait for their approval.

    Raises:
        LeaseLost: another run took over, whose rows these might be.
    """
    try:
        with database.reading() as connection:
            waiting = {plan.run for plan in _all_waiting(connection)} | _newest_plan(connection)
            staged = {run for table in CLEARED for run in connection.scalars(select(table.c.run).distinct())}
        clear_staging(database, sorted(staged - waiting), first=partial(leases.prove, lease=under))
    except LeaseLost:
        raise
    except StoreError as error:
        _log.warning("what earlier runs left in staging stays until the next run: %s", error)


def _all_waiting(connection: Connection) -> list[Waiting]:
    """Return the plans that wait for approval, each once, by the newest run that was refused with it."""
    latest: dict[str, Waiting] = {}
    for plan in _all_refused(connection):
        latest.setdefault(plan.digest, plan)
    return list(latest.values())


def _newest_plan(connection: Connection) -> set[int]:
    """Return the newest run of kind `plan`, whose changes can be looked at for as long as a refused plan waits."""
    since = from_milliseconds(read_clock(connection) - APPROVABLE_MILLISECONDS)
    made = select(runs.c.id).where(runs.c.kind == RunKind.PLAN, runs.c.ended_at >= since)
    return set(connection.scalars(made.order_by(runs.c.id.desc()).limit(1)))


def _all_refused(connection: Connection) -> list[Waiting]:
    """Return the runs refused within a day and not discarded since whose plan still fits, newest first."""
    now = read_clock(connection)
    rows = connection.execute(
        select(runs.c.id, runs.c.result)
        .where(runs.c.kind.in_((RunKind.SYNC, RunKind.DELTA)), runs.c.outcome == RunOutcome.REFUSED)
        .where(runs.c.ended_at >= from_milliseconds(now - APPROVABLE_MILLISECONDS), runs.c.discarded.is_(None))
        .order_by(runs.c.id.desc())
    )
    generation = newest(connection)
    published = generation.number if generation else 0
    refused = [Waiting(row.id, json.loads(row.result)) for row in rows]
    # An approval that came too late is refused too, but shows no plan of its own.
    return [
        plan
        for plan in refused
        if "digest" in plan.result and (plan.base == published or is_untouched(connection, plan.run, plan.base))
    ]
