"""What was published, read from the tables alone, against which every walk of an importer is held."""

import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Table, select

from connector.store.runs.queue import Runs
from connector.store.sql.clock import CLOCK
from connector.store.sql.database import Database
from connector.store.sql.tables import generations, groups, leases, memberships, runs, users

OVERDUE_MILLISECONDS = 10_000
"""So long after its lease a run may still be called running, on a machine where everything waits its turn."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a generation shows: users and groups with the times of their last change; memberships as group and user."""

    users: dict[str, str]
    groups: dict[str, str]
    members: frozenset[tuple[str, str]]


class Record:
    """Everything that was ever published in a store; `look` often enough to miss nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._shown: dict[int, Shown] = {}
        self._times: dict[int, str] = {}

    def look(self) -> int:
        """Take note of what is new, demand what must hold at any time, and return the newest generation."""
        with self._lock:
            with self._database.reading() as connection:
                rows = connection.execute(select(generations).order_by(generations.c.number)).all()
                for row in rows:
                    if row.number not in self._shown:
                        shown = self._shown[row.number] = _read(connection, row.number)
                        sizes = (len(shown.users), len(shown.groups), len(shown.members))
                        assert sizes == (row.users, row.groups, row.memberships), f"generation {row.number} has {sizes}"
                        assert {user for _, user in shown.members} <= shown.users.keys()
                        self._times[row.number] = row.published_at
            times = [self._times[number] for number in sorted(self._times)]
            assert all(earlier < later for earlier, later in pairwise(times)), times
            assert sorted(self._times) == list(range(1, len(self._times) + 1)), "a generation was left out"
            return len(self._times)

    def find(self, seen: Shown, among: range) -> int | None:
        """Return the generation that is exactly what was seen."""
        with self._lock:
            return next((number for number in among if self._shown[number] == seen), None)

    def nearest(self, seen: Shown) -> str:
        """Say which generation is most like what was seen, and how it differs."""
        with self._lock:
            differences = {
                number: (
                    len(shown.users.items() ^ seen.users.items()),
                    len(shown.groups.items() ^ seen.groups.items()),
                    len(shown.members ^ seen.members),
                )
                for number, shown in self._shown.items()
            }
        number = min(differences, key=lambda one: sum(differences[one]))
        return "generation {} but for {} users, {} groups, {} memberships".format(number, *differences[number])

    def demand_living_runs(self) -> None:
        """Demand that no run is called running for longer than its lease."""
        overdue = leases.c.expires_at < CLOCK - OVERDUE_MILLISECONDS
        held = select(runs.c.id).join(leases, leases.c.run == runs.c.id).where(runs.c.state == "running", overdue)
        with self._database.reading() as connection:
            found = connection.scalars(held.where(leases.c.expires_at > 0)).all()
            freed = connection.scalars(
                select(runs.c.id).where(runs.c.state == "running", runs.c.id.not_in(_holders()))
            ).all()
        assert (found, freed) == ([], []), "a dead run is called running"

    def demand_ended_runs(self) -> None:
        """Demand that no run is under way or waits."""
        left = [run.id for run in Runs(self._database).history(count=1000) if run.state != "ended"]
        assert left == [], "a run was left open"


def _holders() -> Any:
    return select(leases.c.run).where(leases.c.expires_at > 0)


def _read(connection: Connection, number: int) -> Shown:
    def living(table: Table) -> Any:
        return (table.c.since <= number) & (table.c.until > number)

    def times(table: Table) -> dict[str, str]:
        rows = connection.execute(select(table.c.id, table.c.modified).where(living(table)))
        return {row.id: row.modified for row in rows}

    pairs = connection.execute(select(memberships.c.group_id, memberships.c.user_id).where(living(memberships)))
    return Shown(times(users), times(groups), frozenset((row.group_id, row.user_id) for row in pairs))
