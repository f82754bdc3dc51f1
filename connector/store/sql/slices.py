"""Delete many rows in short transactions, so that nobody waits long for the right to write.

SQLite has one writer at a time: while a run deletes millions of rows in one go, its own heartbeat, the first page of a
walk and the issue of a token would wait, and at last give up.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, select, true, tuple_

from connector.store.sql.database import Database

ROWS = 5000
"""At most this many rows are looked at, or deleted, in one transaction."""

_PAUSE = 0.25
"""A pause as a part of the time of the slice before it; who waits tries ten times in a quarter of a second."""

_LONGEST_PAUSE_SECONDS = 0.1
_EVERYWHERE: Mapping[str, Any] = MappingProxyType({})


def delete_in_slices(
    database: Database,
    table: Table,
    where: ColumnElement[bool] | None = None,
    *,
    within: Mapping[str, Any] = _EVERYWHERE,
    first: Callable[[Connection], object] = lambda _: None,
) -> int:
    """Delete rows of a table a slice of its primary key at a time, and return their number.

    Args:
        database: the store.
        table: the table.
        where: which rows to delete, None = all.
        within: values of the first columns of the key; only rows that have them are looked at.
        first: called at the beginning of each transaction; what it raises ends the deleting.
    """
    among = and_(true(), *(table.c[name] == value for name, value in within.items()))
    # Without the given columns, or SQLite takes any index of theirs and looks at all that is left, slice by slice.
    key = [column for column in table.primary_key if column.name not in within]
    wanted = true() if where is None else where
    with database.reading() as connection:
        if not connection.scalar(select(exists().where(among, wanted))):
            return 0
    deleted, beyond = 0, among
    while True:
        last = _end_of_slice(database, key, beyond)
        part = beyond if last is None else beyond & (tuple_(*key) <= last)
        began = time.monotonic()
        with database.writing(durable=False) as connection:
            first(connection)
            deleted += connection.execute(delete(table).where(part, wanted)).rowcount
        if last is None:
            return deleted
        # SQLite's writers do not queue: who waits looks from time to time whether the right to write is free.
        time.sleep(min(_PAUSE * (time.monotonic() - began), _LONGEST_PAUSE_SECONDS))
        beyond = among & (tuple_(*key) > last)


def _end_of_slice(database: Database, key: Sequence[ColumnElement[Any]], beyond: ColumnElement[bool]) -> Any:
    """Return the key of the last row of a slice that others follow."""
    with database.reading() as connection:
        row = connection.execute(select(*key).where(beyond).order_by(*key).offset(ROWS - 1).limit(1)).one_or_none()
    return tuple_(*row) if row else None
