"""One run at a time over all processes and replicas, on the database's clock (P20).

A lease is a row with an expiry and a fencing number that grows with every holder. Publishing proves the number inside
its own transaction, so a holder that slept through its expiry can do no harm. No connection is held, no pid file is
written. Whoever changes a run under way together with its lease asks for the lease first: no two wait for each other.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, true, update

from connector.directory.runs import RunKind
from connector.errors import AlreadyRunning, LeaseLost
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.tables import leases

SYNC = "sync"
"""The lease that syncs, deltas and plans share."""

SHARING = frozenset({RunKind.SYNC, RunKind.DELTA, RunKind.PLAN})
"""The kinds of runs that share it."""

ROTATE = "rotate"
"""The lease of rotations, which wait for each other and for nothing else."""

SHARED = {SYNC: SHARING, ROTATE: frozenset({RunKind.ROTATE})}
"""The leases of more than one run, with the kinds that share each; their rows are there from the first migration on."""

TIME_TO_LIVE = 60.0
"""Seconds after which a holder that was killed is taken over."""

_WAIT = f"Wait for it to end, then try again; a run that died is taken over after {TIME_TO_LIVE:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write what `name` protects, for one run."""

    name: str
    run: int
    fence: int


def shared_by(kind: RunKind) -> str | None:
    """Return the name of the lease that runs of a kind share, None where they go beside anything."""
    return next((name for name, kinds in SHARED.items() if kind in kinds), None)


def name_of(kind: RunKind, run: int) -> str:
    """Return the name of the lease that a run needs: the shared one, or one of its own."""
    return shared_by(kind) or f"run {run}"


def refuse(run: int) -> AlreadyRunning:
    """Return the error that names the run which is under way or waits."""
    return AlreadyRunning(run, remedy=_WAIT)


def take(connection: Connection, name: str, run: int) -> tuple[Lease, int | None]:
    """Take a lease in the caller's transaction.

    Returns:
        the lease, and the run that let it expire, if one did.

    Raises:
        AlreadyRunning: another run holds it.
    """
    held = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one_or_none()
    now = read_clock(connection)
    expires_at = now + int(TIME_TO_LIVE * 1000)
    if held is None:
        connection.execute(insert(leases).values(name=name, run=run, fence=1, expires_at=expires_at))
        return Lease(name, run, 1), None
    if held.expires_at > now:
        raise refuse(held.run)
    lease = Lease(name, run, held.fence + 1)
    values = {"run": run, "fence": lease.fence, "expires_at": expires_at}
    connection.execute(update(leases).where(leases.c.name == name).values(values))
    return lease, held.run if held.expires_at else None


def prove(connection: Connection, lease: Lease) -> None:
    """Make sure, in the caller's transaction, that the lease is still held.

    Raises:
        LeaseLost: it expired or another run took it.
    """
    if not _keep(connection, lease, leases.c.expires_at > CLOCK):
        raise lost(lease.run)


def lost(run: int) -> LeaseLost:
    """Return the error of a run that no longer holds its lease."""
    return LeaseLost(
        f"Run {run} held its lease no longer, so it published nothing.",
        remedy="The store was out of reach for a minute, or another run took over. Try again.",
    )


def renew(connection: Connection, lease: Lease) -> None:
    """Give a lease its whole time again, at the end of a long transaction that began by proving it.

    Since that proof nobody else can have changed the row, however long ago it expired.
    """
    _keep(connection, lease, true())


def _keep(connection: Connection, lease: Lease, condition: ColumnElement[bool]) -> bool:
    ours = leases.c.name == lease.name, leases.c.fence == lease.fence, condition
    expires_at = CLOCK + int(TIME_TO_LIVE * 1000)
    return bool(connection.execute(update(leases).where(*ours).values(expires_at=expires_at)).rowcount)


def give_back(connection: Connection, lease: Lease) -> bool:
    """Free the lease in the caller's transaction, and tell whether it was still ours."""
    ours = leases.c.name == lease.name, leases.c.fence == lease.fence
    free = update(leases).values(expires_at=0) if lease.name in SHARED else delete(leases)
    return bool(connection.execute(free.where(*ours)).rowcount)


def lock(connection: Connection, name: str) -> None:
    """Keep everybody else from taking or proving a lease until the end of the caller's transaction."""
    connection.execute(select(leases.c.run).where(leases.c.name == name).with_for_update())


def expired(connection: Connection) -> list[Lease]:
    """Return the leases that their holders let expire, locked for the caller's transaction."""
    lapsed = select(leases.c.name, leases.c.run, leases.c.fence).where(
        leases.c.expires_at > 0, leases.c.expires_at <= CLOCK
    )
    return [Lease(*row) for row in connection.execute(lapsed.order_by(leases.c.name).with_for_update())]
