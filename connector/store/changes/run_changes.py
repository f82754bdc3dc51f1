"""Where the changes of a run are: in the generation that it published, in the plan that it made, or nowhere."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from connector.directory.changes import ChangeKind
from connector.errors import NoChangesKept
from connector.store.changes.planned import PlannedChanges
from connector.store.changes.published import PublishedChanges
from connector.store.changes.statements import Memberships, Resources
from connector.store.runs.queue import find_row
from connector.store.sql.tables import generations, runs

_CHANGING = ("sync", "plan", "delta")
_SEE = "See: cognito-scim runs show {run}"


@dataclass(frozen=True, slots=True)
class Nothing:
    """The changes of a run that changed nothing."""

    def is_kept(self, _connection: Connection) -> bool:
        """Tell so: nothing is always there."""
        return True

    def resources(self, _kind: ChangeKind) -> tuple[Resources, ...]:
        """Return none."""
        return ()

    def memberships(self) -> tuple[Memberships, ...]:
        """Return none."""
        return ()


def find_changes(connection: Connection, run: int) -> PlannedChanges | PublishedChanges | Nothing:
    """Return where to read what a run changed, or would change.

    Raises:
        NoSuchRun: there is no run of this number, or it is no longer kept.
        NoChangesKept: the run has not ended, changes no directory, or its changes are no longer kept.
    """
    row = find_row(connection, run)
    if row.kind not in _CHANGING:
        raise NoChangesKept(f"Run {run} is a {row.kind}, which changes no directory.", remedy=_SEE.format(run=run))
    if row.state != "ended":
        raise NoChangesKept(
            f"Run {run} is {row.state}; its changes are known when it has ended.", remedy=_SEE.format(run=run)
        )
    result = json.loads(row.result) if row.result else {}
    if row.kind != "plan" and row.outcome == "published":
        return _published_by(connection, run)
    if row.outcome not in {"published", "refused"} or "digest" not in result:
        return Nothing()
    planned = PlannedChanges(run, result.get("base") or result.get("generation") or 0)
    if planned.is_kept(connection):
        return planned
    approval = _approval_of(connection, row, result["digest"])
    if approval is None:
        raise NoChangesKept(
            f"The changes of run {run} are no longer kept.",
            remedy="What a plan would change is kept for a day, and until another is published.",
        )
    return _published_by(connection, approval)


def _published_by(connection: Connection, run: int) -> PublishedChanges:
    number = connection.scalar(select(generations.c.number).where(generations.c.run == run))
    source = PublishedChanges(number - 1, number) if number is not None else None
    if source is None or not source.is_kept(connection):
        raise NoChangesKept(
            f"The generation that run {run} published, or the one before it, is no longer kept.",
            remedy="Generations are kept as long as sync.retention says, at most 100 of them.",
        )
    return source


def _approval_of(connection: Connection, row: Row[tuple[object, ...]], digest: str) -> int | None:
    """Return the run that published a refused plan."""
    approved = runs.c.approve == digest, runs.c.outcome == "published", runs.c.id > row.id
    return connection.scalar(select(runs.c.id).where(*approved).order_by(runs.c.id).limit(1))
