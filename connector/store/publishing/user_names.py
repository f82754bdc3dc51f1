"""Give every staged user a name of their own, by the rule in `directory/contested_names.py` (P16).

Contested names are settled a slice at a time, in short transactions, round after round until none is contested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, or_, select, update

from connector.directory.contested_names import WANTED, NameClaim, losers
from connector.directory.rows import fold
from connector.store.sql.database import Database
from connector.store.sql.tables import FOREVER, staged_users, users

SLICE = 500


@dataclass(frozen=True, slots=True)
class Renamed:
    """A user who is served under another name than the wanted one."""

    user_id: str
    wanted: str
    served: str


def settle_names(database: Database, run: int) -> None:
    """Let contested names fall back until each is unique."""
    while _settle_round(database, run):
        pass


def renamed_users(database: Database, run: int, *, most: int) -> list[Renamed]:
    """Return some of the users who are served under another name than the wanted one."""
    fallen = (
        select(staged_users.c.id, staged_users.c.wanted, staged_users.c.user_name)
        .where(staged_users.c.run == run, staged_users.c.rank != WANTED)
        .order_by(staged_users.c.id)
        .limit(most)
    )
    with database.reading() as connection:
        return [Renamed(*row) for row in connection.execute(fallen)]


def _settle_round(database: Database, run: int) -> bool:
    """Move each loser of a contested name to its next choice, and say whether there was any."""
    last, anybody = "", False
    while keys := _contested_names(database, run, last):
        steps = _steps_down(database, run, keys)
        if steps:
            anybody = True
            with database.writing(durable=False) as connection:
                connection.execute(_step_down(run), steps)
        last = keys[-1]
    return anybody


def _contested_names(database: Database, run: int, after: str) -> Sequence[str]:
    """Return names that several want, or that are the sub of somebody else."""
    owner = staged_users.alias("owner")
    is_other = and_(owner.c.run == run, owner.c.id == staged_users.c.name_key, owner.c.id != staged_users.c.id)
    contested = (
        select(staged_users.c.name_key)
        .join_from(staged_users, owner, is_other, isouter=True)
        .where(staged_users.c.run == run, staged_users.c.name_key > after)
        .group_by(staged_users.c.name_key)
        .having(or_(func.count() > 1, func.count(owner.c.id) > 0))
        .order_by(staged_users.c.name_key)
        .limit(SLICE)
    )
    with database.reading() as connection:
        return connection.scalars(contested).all()


def _steps_down(database: Database, run: int, keys: Sequence[str]) -> list[dict[str, Any]]:
    with database.reading() as connection:
        rows = connection.execute(_claims(run, keys)).all()
    steps = []
    for _, claimants in groupby(rows, key=lambda row: row.name_key):
        by_id = {row.id: row for row in claimants}
        claims = [NameClaim(row.id, row.rank, row.published, row.created) for row in by_id.values()]
        owner = next(iter(by_id.values())).owner
        for claim in losers(claims, owner=owner):
            fallback = by_id[claim.user_id].external_id if claim.rank == WANTED else claim.user_id
            steps.append(
                {"of": claim.user_id, "user_name": fallback, "name_key": fold(fallback), "rank": claim.rank + 1}
            )
    return steps


def _claims(run: int, keys: Sequence[str]) -> Any:
    owner = staged_users.alias("owner")
    return (
        select(
            staged_users.c.name_key,
            staged_users.c.id,
            staged_users.c.external_id,
            staged_users.c.rank,
            staged_users.c.created,
            _published_under_this_name().label("published"),
            select(owner.c.id)
            .where(owner.c.run == run, owner.c.id == staged_users.c.name_key)
            .scalar_subquery()
            .label("owner"),
        )
        .where(staged_users.c.run == run, staged_users.c.name_key.in_(keys))
        .order_by(staged_users.c.name_key, staged_users.c.id)
    )


def _published_under_this_name() -> ColumnElement[bool]:
    served = exists().where(
        users.c.id == staged_users.c.id, users.c.until == FOREVER, users.c.name_key == staged_users.c.name_key
    )
    return case((served, True), else_=False)


def _step_down(run: int) -> Any:
    return (
        update(staged_users)
        .where(staged_users.c.run == run, staged_users.c.id == bindparam("of"))
        .values({name: bindparam(name) for name in ("user_name", "name_key", "rank")})
    )
