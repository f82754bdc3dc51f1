"""Where a harvest waits, page by page, until it is complete: memory does not grow with the pool.

Rows belong to one run. The same user may come several times, as a member of several groups or because the walk moved
under it; the newest version wins (P11). Another record with the same id is another matter: it is noted as a rival.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, case, delete, exists, func, literal_column, select, text

from connector.directory.change_plan import Sizes
from connector.directory.rows import GroupRow, Kind, UserRow, fold, normalize
from connector.errors import StoreError
from connector.store.sql.database import Database
from connector.store.sql.prepared import Bulk
from connector.store.sql.slices import delete_in_slices
from connector.store.sql.tables import staged_changes, staged_groups, staged_memberships, staged_users
from connector.store.sql.upserts import INSERTS

BATCH = 2000
UNKNOWN = 100
"""The memberships of so many unknown users are dropped in one transaction; a user is in 100 groups at most."""
_BETWEEN = "\n"
"""Stands between usernames in a column; Cognito allows it in none of them."""
_ALIKE = "group name differs from another only in case"
_log = logging.getLogger(__name__)
STAGED = (staged_users, staged_groups, staged_memberships)
CLEARED = (*STAGED, staged_changes)


class Staging:
    """The staging rows of one run.

    Rows are written in batches; call `flush` before reading what was staged.
    """

    def __init__(self, database: Database, run: int) -> None:
        self.database = database
        self.run = run
        self._waiting: dict[Table, dict[tuple[str, ...], dict[str, Any]]] = {table: {} for table in STAGED}

    def add_users(self, rows: Iterable[UserRow]) -> None:
        """Stage users; of two versions of one user the one that Cognito changed last stays."""
        waiting = self._waiting[staged_users]
        for row in rows:
            known = waiting.get((row.id, row.external_id))
            if known is None or known["modified"] <= row.modified:
                waiting[row.id, row.external_id] = self._user(row)
        self._flush_when_full(staged_users)

    def add_groups(self, rows: Iterable[GroupRow]) -> None:
        """Stage groups."""
        for row in rows:
            self._waiting[staged_groups][row.id,] = {
                "run": self.run,
                "id": row.id,
                "name": row.name,
                "external_key": normalize(row.name),
                "name_key": fold(row.name),
                "head": row.head,
                "mention": row.mention,
            }
        self._flush_when_full(staged_groups)

    def add_members(self, group_id: str, user_ids: Iterable[str]) -> None:
        """Stage the members of a group."""
        for user_id in user_ids:
            row = {"run": self.run, "group_id": group_id, "user_id": user_id}
            self._waiting[staged_memberships][group_id, user_id] = row
        self._flush_when_full(staged_memberships)

    def unknown_members(self) -> Iterator[str]:
        """Name the members that no walk returned as users."""
        missing = (
            select(staged_memberships.c.user_id)
            .distinct()
            .where(staged_memberships.c.run == self.run)
            .where(~_is_staged(staged_memberships.c.user_id, self.run))
            .order_by(staged_memberships.c.user_id)
            .limit(BATCH)
        )
        last = ""
        while True:
            with self.database.reading() as connection:
                found = connection.scalars(missing.where(staged_memberships.c.user_id > last)).all()
            if not found:
                return
            yield from found
            last = found[-1]

    def take_out_shared(self) -> list[tuple[str, tuple[str, ...]]]:
        """Take out the users whose id several records have, and return each id with the usernames of its records."""
        shared = staged_users.c.run == self.run, staged_users.c.rivals != ""
        users = select(staged_users.c.id, staged_users.c.external_id, staged_users.c.rivals)
        with self.database.writing(durable=False) as connection:
            found = connection.execute(users.where(*shared).order_by(staged_users.c.id)).all()
            if found:
                connection.execute(delete(staged_users).where(*shared))
        return [(row.id, tuple(sorted({row.external_id, *row.rivals.split(_BETWEEN)[1:]}))) for row in found]

    def drop_group(self, group_id: str) -> None:
        """Take a group back that turned out to be gone."""
        self.flush()
        delete_in_slices(self.database, staged_memberships, within={"run": self.run, "group_id": group_id})
        with self.database.writing(durable=False) as connection:
            of_group = staged_groups.c.run == self.run, staged_groups.c.id == group_id
            connection.execute(delete(staged_groups).where(*of_group))

    def drop_unknown_members(self) -> int:
        """Drop memberships of users who are not in the directory (P18) and return their number."""
        self.flush()
        unknown, dropped = self.unknown_members(), 0
        while some := list(islice(unknown, UNKNOWN)):
            of_them = staged_memberships.c.run == self.run, staged_memberships.c.user_id.in_(some)
            with self.database.writing(durable=False) as connection:
                dropped += connection.execute(delete(staged_memberships).where(*of_them)).rowcount
        return dropped

    def sizes(self) -> Sizes:
        """Count what is staged."""
        with self.database.reading() as connection:
            counts = [connection.execute(_count(table, self.run)).scalar_one() for table in STAGED]
        return Sizes(*counts)

    def count_remarks(self) -> dict[str, int]:
        """Count the users behind each remark, and the groups that a comparison without case takes for one another."""
        users = staged_users.c
        alike = (
            select(func.count().label("groups"))
            .where(staged_groups.c.run == self.run)
            .group_by(staged_groups.c.name_key)
            .having(func.count() > 1)
            .subquery()
        )
        remarked = select(users.remarks, func.count()).where(users.run == self.run, users.remarks != "")
        counted: Counter[str] = Counter()
        with self.database.reading() as connection:
            for remarks, number in connection.execute(remarked.group_by(users.remarks)):
                counted.update(dict.fromkeys(remarks.split("\n"), number))
            if groups := connection.scalar(select(func.sum(alike.c.groups))):
                counted[_ALIKE] = int(groups)
        return dict(sorted(counted.items()))

    def flush(self) -> None:
        """Write what waits."""
        with self.database.writing(durable=False) as connection:
            for table in STAGED:
                self._write(connection, table)

    def complete(self) -> None:
        """Write what waits, and let the planner know how much there is now.

        PostgreSQL counts the rows of a table from time to time. Until it does, it takes those of a new run for few, and
        reads them again for every one of them.
        """
        self.flush()
        if self.database.dialect == "postgresql":
            with self.database.writing(durable=False) as connection:
                connection.execute(text(f"ANALYZE {', '.join(table.name for table in STAGED)}"))

    def clear(self) -> None:
        """Remove every row of this run; what cannot be removed now, a later run removes."""
        with self._tolerated():
            clear_staging(self.database, [self.run])

    def keep_changes(self) -> None:
        """Remove the rows of what does not change, so that what does can still be looked at."""
        noted = staged_changes.c
        for kind, table, column in (
            (Kind.USERS, staged_users, staged_users.c.id),
            (Kind.GROUPS, staged_groups, staged_groups.c.id),
            (Kind.USERS, staged_memberships, staged_memberships.c.user_id),
        ):
            changes = exists().where(noted.run == self.run, noted.kind == kind.value, noted.id == column)
            with self._tolerated():
                delete_in_slices(self.database, table, ~changes, within={"run": self.run})

    @contextmanager
    def _tolerated(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            _log.warning("staging rows of run %s stay until a later run: %s", self.run, error)

    def _flush_when_full(self, table: Table) -> None:
        if len(self._waiting[table]) >= BATCH:
            with self.database.writing(durable=False) as connection:
                self._write(connection, table)

    def _write(self, connection: Connection, table: Table) -> None:
        if rows := list(self._waiting[table].values()):
            _INSERTS[self.database.dialect, table].run(connection, rows)
            self._waiting[table].clear()

    def _user(self, row: UserRow) -> dict[str, Any]:
        return {
            "run": self.run,
            "id": row.id,
            "external_id": row.external_id,
            "external_key": normalize(row.external_id),
            "wanted": row.names[0],
            "user_name": row.names[0],
            "name_key": fold(row.names[0]),
            "rank": 0,
            "remarks": "\n".join(row.remarks),
            "display_key": fold(row.display_name),
            "email_key": fold(row.email),
            "active": row.active,
            "created": row.created,
            "modified": row.modified,
            "opening": row.opening,
            "closing": row.closing,
            "rivals": "",
        }


def clear_staging(
    database: Database, runs: Sequence[int], *, first: Callable[[Connection], object] = lambda _: None
) -> None:
    """Remove the staging rows of some runs; see `delete_in_slices`."""
    for run in runs:
        for table in CLEARED:
            delete_in_slices(database, table, within={"run": run}, first=first)


def _insert(insert: Any, table: Table) -> Bulk:
    """Return the statement that stages rows: the newest version of a user, anything else once."""
    names = table.c.keys()
    keys = [column.name for column in table.primary_key]
    if table is not staged_users:
        return Bulk(insert.on_conflict_do_nothing(index_elements=keys), names)
    known, new = staged_users.c, insert.excluded
    is_rival = new.external_id != known.external_id
    rivals = known.rivals + literal_column(f"'{_BETWEEN}'") + known.external_id
    newer = {name: new[name] for name in names if name not in keys}
    newer["rivals"] = case((is_rival, rivals), else_=known.rivals)
    is_newer = new.modified >= known.modified
    return Bulk(insert.on_conflict_do_update(index_elements=keys, set_=newer, where=is_newer | is_rival), names)


_INSERTS = {(dialect, table): _insert(insert(table), table) for dialect, insert in INSERTS.items() for table in STAGED}


def _count(table: Table, run: int) -> Any:
    return select(func.count()).select_from(table).where(table.c.run == run)


def _is_staged(user_id: Any, run: int) -> Any:
    return select(staged_users.c.id).where(staged_users.c.run == run, staged_users.c.id == user_id).exists()
