"""Publish a plan: one transaction that writes what changed and ends by moving the pointer (P22).

The newest row of `generations` is the pointer. Readers see the old directory or the new one, never a mixture; a crash
leaves the old one and needs no repair.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, and_, insert, literal, literal_column, select, update

from connector.directory.change_plan import ChangePlan
from connector.directory.rows import Kind
from connector.directory.runs import RunOutcome
from connector.directory.stored_body import ending, user_body
from connector.directory.times import from_milliseconds, to_milliseconds
from connector.errors import LeaseLost
from connector.store.generations import Generation, newest
from connector.store.publishing.baseline import set_baseline
from connector.store.publishing.compare import CREATED, REMOVED, UPDATED
from connector.store.publishing.harvest_plan import ids_of_changed, left_members, new_members
from connector.store.runs import lease as leases
from connector.store.runs.lease import Lease
from connector.store.runs.run import now_of, record_end
from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import (
    FOREVER,
    PUBLISHED,
    STAGING,
    STRIDE,
    generations,
    landmarks,
    memberships,
    staged_changes,
    staged_groups,
    staged_memberships,
    staged_users,
    tombstones,
)

Record = Callable[[Generation], Mapping[str, Any]]
"""Makes the result of a run that published a generation."""
_HEADS = {
    Kind.USERS: user_body(staged_users.c.opening, staged_changes.c.middle, staged_users.c.closing),
    Kind.GROUPS: staged_groups.c.head,
}
"""What a staged resource shows, up to the time of its last change."""


def publish(  # noqa: PLR0913 - what is published, by which right, and what it means
    database: Database, run: int, plan: ChangePlan, *, under: Lease, record: Record, is_delta: bool = False
) -> Generation:
    """Make the staged directory the newest generation, and end the run that holds the lease.

    Args:
        database: the store.
        run: whose staging rows to publish.
        plan: what they amount to.
        under: the lease that allows it.
        record: makes the result of the run, once all of it is written.
        is_delta: whether the safeguard goes on summing; a full sync and an approval begin its sum anew.

    Raises:
        LeaseLost: another run took over, or another generation was published since the comparison.
        StoreError: the database cannot answer; nothing was published.
    """
    with database.writing() as connection:
        leases.prove(connection, under)
        last = newest(connection)
        if (last.number if last else 0) != plan.base:
            raise LeaseLost(f"Generation {last.number if last else 0} was published since this plan was made.")
        generation = Generation(
            plan.base + 1,
            _next_moment(connection, last),
            plan.harvested.users,
            plan.harvested.groups,
            plan.harvested.memberships,
        )
        for kind in Kind:
            _bury(connection, run, kind, generation)
        _move_members(connection, run, generation.number)
        for kind in Kind:
            _end_changed(connection, run, kind, generation.number)
            _write_changed(connection, run, kind, generation)
        for kind in Kind:
            _set_landmarks(connection, kind, generation.number)
        _point_to(connection, generation, plan, under.run)
        if not is_delta:
            set_baseline(connection, generation)
        record_end(connection, under.run, RunOutcome.PUBLISHED, record(generation), at=now_of(connection))
        leases.renew(connection, under)  # all this may have taken longer than the lease lives
    return generation


def confirm(database: Database, plan: ChangePlan, *, under: Lease) -> None:
    """Remember that a full sync found the published directory to be what this list of groups, mapping and release make.

    Raises:
        LeaseLost: another run took over.
    """
    with database.writing() as connection:
        leases.prove(connection, under)
        origin = {
            "chosen_groups": json.dumps(plan.source.groups),
            "mapping": json.dumps(plan.making.mapping),
            "release": plan.making.release,
        }
        connection.execute(update(generations).where(generations.c.number == plan.base).values(origin))
        if generation := newest(connection):
            set_baseline(connection, generation)


def _next_moment(connection: Connection, last: Generation | None) -> str:
    """Return the time of the generation: now, but never that of an earlier one, whatever the clock says."""
    now = read_clock(connection)
    return from_milliseconds(max(now, to_milliseconds(last.published_at) + 1 if last else 0))


def _bury(connection: Connection, run: int, kind: Kind, generation: Generation) -> None:
    """Leave a tombstone, id and time, for every resource that is gone."""
    told = literal(kind.value), literal(generation.number), literal(generation.published_at)
    gone = ids_of_changed(run, kind, REMOVED).add_columns(*told)
    connection.execute(insert(tombstones).from_select(["id", "kind", "generation", "removed_at"], gone))


def _end_changed(connection: Connection, run: int, kind: Kind, number: int) -> None:
    published, ends = PUBLISHED[kind], ids_of_changed(run, kind, UPDATED, REMOVED)
    connection.execute(
        update(published).where(published.c.until == FOREVER, published.c.id.in_(ends)).values(until=number)
    )


def _write_changed(connection: Connection, run: int, kind: Kind, generation: Generation) -> None:
    published, staged, noted = PUBLISHED[kind], STAGING[kind], staged_changes
    given: dict[str, Any] = {
        "modified": literal(generation.published_at),
        "since": literal(generation.number),
        "until": literal(FOREVER),
        "digest": noted.c.digest,
        "members": noted.c.members,
        "body": _HEADS[kind] + ending(generation.published_at),
    }
    names = [column.name for column in published.c if column.name != "position"]
    values = [given[name] if name in given else staged.c[name] for name in names]
    of_the_run = noted.c.run == run, noted.c.kind == kind.value, noted.c.change.in_((CREATED, UPDATED))
    rows = (
        select(*values)
        .join_from(noted, staged, and_(staged.c.run == noted.c.run, staged.c.id == noted.c.id))
        .where(*of_the_run)
        .order_by(noted.c.id)
    )
    connection.execute(insert(published).from_select(names, rows))


def _move_members(connection: Connection, run: int, number: int) -> None:
    connection.execute(update(memberships).where(left_members(run)).values(until=number))
    new = select(staged_memberships.c.group_id, staged_memberships.c.user_id, literal(number), literal(FOREVER)).where(
        new_members(run)
    )
    connection.execute(insert(memberships).from_select(["group_id", "user_id", "since", "until"], new))


def _set_landmarks(connection: Connection, kind: Kind, number: int) -> None:
    """Step through the living rows from one landmark to the next, in an index that holds nothing but positions."""
    table = PUBLISHED[kind]
    living = select(table.c.position).where(table.c.until == literal_column(str(FOREVER))).order_by(table.c.position)
    first = select(literal(0).label("ordinal"), living.limit(1).scalar_subquery().label("position"))
    found = first.cte("found", recursive=True)
    next_position = living.where(table.c.position > found.c.position).limit(1).offset(STRIDE - 1).scalar_subquery()
    found = found.union_all(select(found.c.ordinal + STRIDE, next_position).where(found.c.position.is_not(None)))
    every = select(literal(number), literal(kind.value), found.c.ordinal, found.c.position).where(
        found.c.position.is_not(None)
    )
    connection.execute(insert(landmarks).from_select(["generation", "kind", "ordinal", "position"], every))


def _point_to(connection: Connection, generation: Generation, plan: ChangePlan, run: int) -> None:
    connection.execute(
        insert(generations).values(
            number=generation.number,
            published_at=generation.published_at,
            run=run,
            account=plan.source.account,
            region=plan.source.region,
            pool_id=plan.source.pool_id,
            chosen_groups=json.dumps(plan.source.groups),
            mapping=json.dumps(plan.making.mapping),
            release=plan.making.release,
            ended=plan.versions_ended,
            users=generation.users,
            groups=generation.groups,
            memberships=generation.memberships,
        )
    )
