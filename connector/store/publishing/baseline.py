"""The baseline: the generation as the last full sync or approval left the directory.

The safeguard judges a delta by all that deltas took away since, so that a drip cannot pass where a flood may not (P41).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from connector.directory.change_plan import Sizes
from connector.store.generations import Generation
from connector.store.sql.tables import baselines


@dataclass(frozen=True, slots=True)
class Baseline:
    """A generation, and how much it held."""

    generation: int
    sizes: Sizes


def set_baseline(connection: Connection, generation: Generation) -> None:
    """Begin the sum anew, in the caller's transaction."""
    sizes = {"users": generation.users, "groups": generation.groups, "memberships": generation.memberships}
    connection.execute(delete(baselines))
    connection.execute(insert(baselines).values(generation=generation.number, **sizes))


def read_baseline(connection: Connection) -> Baseline | None:
    """Return the baseline; None before the first full sync of a release that has one."""
    row = connection.execute(select(baselines)).one_or_none()
    return Baseline(row.generation, Sizes(row.users, row.groups, row.memberships)) if row else None
