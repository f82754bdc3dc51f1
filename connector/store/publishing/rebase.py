"""Whether a waiting plan still fits: nothing that it touches was published since it was compared (P03).

So an approval is possible while deltas come. What is published beside the plan stays as it is.
"""

from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select

from connector.directory.rows import Kind
from connector.store.publishing.compare import CREATED, REMOVED
from connector.store.sql.tables import FOREVER, PUBLISHED, staged_changes, staged_users, tombstones, users


def is_untouched(connection: Connection, run: int, base: int) -> bool:
    """Tell whether all that a plan changes is as it was when it was compared, and the plan is still kept.

    Args:
        connection: sees what is published now.
        run: the run whose changes are noted.
        base: the generation that it was compared with.
    """
    if connection.execute(select(staged_changes.c.id).where(staged_changes.c.run == run).limit(1)).first() is None:
        return False
    touching = (*(_touched(run, kind, base) for kind in Kind), _contested(run))
    return all(connection.execute(statement.limit(1)).first() is None for statement in touching)


def _touched(run: int, kind: Kind, base: int) -> Any:
    noted, published = staged_changes.c, PUBLISHED[kind]
    lives = published.c.id.is_not(None)
    buried = exists().where(
        tombstones.c.kind == kind.value, tombstones.c.id == noted.id, tombstones.c.generation > base
    )
    return (
        select(noted.id)
        .select_from(
            staged_changes.outerjoin(published, and_(published.c.id == noted.id, published.c.until == FOREVER))
        )
        .where(noted.run == run, noted.kind == kind.value)
        .where(
            or_(
                and_(noted.change == CREATED, or_(lives, buried)),
                and_(noted.change != CREATED, or_(~lives, published.c.since > base)),
            )
        )
    )


def _contested(run: int) -> Any:
    """Return the statement for user names of the plan that somebody else has who is not in it."""
    noted, staged = staged_changes.c, staged_users.c
    of_plan = staged_changes.alias("of_plan")
    is_in_it = exists().where(of_plan.c.run == run, of_plan.c.kind == Kind.USERS.value, of_plan.c.id == users.c.id)
    return (
        select(noted.id)
        .join_from(staged_changes, staged_users, and_(staged.run == noted.run, staged.id == noted.id))
        .join(users, and_(users.c.name_key == staged.name_key, users.c.until == FOREVER, users.c.id != noted.id))
        .where(noted.run == run, noted.kind == Kind.USERS.value, noted.change != REMOVED, ~is_in_it)
    )
