"""Which runs stay in the history. The others are removed, or a sync every quarter of an hour leaves 35,000 a year.

Kept are the runs of the time that the configuration gives the past, the newest ones however old they are, whatever
something else in the store names, and the newest of each kind and outcome. What runs amount to is counted elsewhere.
"""

from typing import Any

from sqlalchemy import CompoundSelect, Connection, func, select, union

from connector.directory.times import from_milliseconds
from connector.store.runs.approvals import APPROVABLE_MILLISECONDS
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.slices import delete_in_slices
from connector.store.sql.tables import generations, rotated_accounts, runs

NEWEST_RUNS = 1000
"""This many of the newest runs stay, whatever their age: as many as one listing shows."""


def forget_runs(database: Database, *, older_than: float, newest: int = NEWEST_RUNS) -> int:
    """Remove runs that nobody looks at any more, a slice at a time, and return their number.

    A run under way has no end and stays; so does a refused plan for as long as it can be approved.

    Args:
        database: the store.
        older_than: seconds since a run ended.
        newest: how many of the newest runs stay in any case.
    """
    with database.reading() as connection:
        now = read_clock(connection)
        ended = runs.c.ended_at < from_milliseconds(now - max(int(older_than * 1000), APPROVABLE_MILLISECONDS))
        always = find_first_of_newest(connection, newest)
        last = connection.scalar(select(func.max(runs.c.id)).where(ended, runs.c.id < always)) if always else None
    if last is None:
        return 0
    return delete_in_slices(database, runs, (runs.c.id <= last) & ended & runs.c.id.not_in(_named()))


def find_first_of_newest(connection: Connection, newest: int = NEWEST_RUNS) -> int | None:
    """Return the number of the first of the newest runs; None while there are fewer, and none was ever removed."""
    return connection.scalar(select(runs.c.id).order_by(runs.c.id.desc()).offset(newest - 1).limit(1))


def _named() -> CompoundSelect[Any]:
    """Return the numbers of the runs that others name, and of the newest of each kind and outcome."""
    return union(
        select(generations.c.run),
        select(rotated_accounts.c.run).where(rotated_accounts.c.run.is_not(None)),
        select(func.max(runs.c.id)).group_by(runs.c.kind, runs.c.outcome),
    )
