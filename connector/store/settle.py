"""Give every staged user a name of their own, by the rule in `directory/names.py` (P16)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, or_, select, update

from connector.directory.names import WANTED, Claim, losers
from connector.directory.rows import fold
from connector.store.database import Database
from connector.store.tables import FOREVER, staged_users, users


@dataclass(frozen=True, slots=True)
class Renamed:
    """A user who is served under another name than the wanted one."""

    user_id: str
    wanted: str
    served: str


def settle_names(database: Database, run: int) -> list[Renamed]:
    """Let contested names fall back until each is unique, and report who is served under another name."""
    wanted: dict[str, str] = {}
    served: dict[str, str] = {}
    with database.writing() as connection:
        while fallen := _fall_back_once(connection, run):
            for user_id, name, fallback in fallen:
                wanted.setdefault(user_id, name)
                served[user_id] = fallback
    return [Renamed(user_id, name, served[user_id]) for user_id, name in sorted(wanted.items())]


def _fall_back_once(connection: Connection, run: int) -> list[tuple[str, str, str]]:
    """Take one step down for every loser of a contested name."""
    fallen = []
    for key, rows in _contests(connection, run):
        claims = {row.id: Claim(row.id, row.rank, row.published, row.created) for row in rows}
        names = {row.id: (row.user_name, row.external_id if row.rank == WANTED else row.id) for row in rows}
        owner = connection.scalar(_owner(run, key))
        fallen += [(claim.user_id, *names[claim.user_id]) for claim in losers(claims.values(), owner=owner)]
    for user_id, _, fallback in fallen:
        connection.execute(
            update(staged_users)
            .where(staged_users.c.run == run, staged_users.c.id == user_id)
            .values(user_name=fallback, name_key=fold(fallback), rank=staged_users.c.rank + 1)
        )
    return fallen


def _contests(connection: Connection, run: int) -> Iterator[tuple[str, list[Row[str, str, str, str, int, str, bool]]]]:
    rows = connection.execute(_contested(run)).all()
    for key, claims in groupby(rows, key=lambda row: row.name_key):
        yield key, list(claims)


def _contested(run: int) -> Select[str, str, str, str, int, str, bool]:
    other = staged_users.alias("other")
    twice = (
        select(staged_users.c.name_key)
        .where(staged_users.c.run == run)
        .group_by(staged_users.c.name_key)
        .having(func.count() > 1)
    )
    taken_from_its_owner = exists().where(
        and_(other.c.run == run, other.c.id == staged_users.c.name_key, other.c.id != staged_users.c.id)
    )
    return (
        select(
            staged_users.c.name_key,
            staged_users.c.id,
            staged_users.c.user_name,
            staged_users.c.external_id,
            staged_users.c.rank,
            staged_users.c.created,
            _published_under_this_name().label("published"),
        )
        .where(staged_users.c.run == run)
        .where(or_(staged_users.c.name_key.in_(twice), taken_from_its_owner))
        .order_by(staged_users.c.name_key, staged_users.c.id)
    )


def _published_under_this_name() -> ColumnElement[bool]:
    served = exists().where(
        users.c.id == staged_users.c.id, users.c.until == FOREVER, users.c.name_key == staged_users.c.name_key
    )
    return case((served, True), else_=False)


def _owner(run: int, key: str) -> Select[str]:
    return select(staged_users.c.id).where(staged_users.c.run == run, staged_users.c.id == key)
