"""One run at a time over all processes and replicas, on the database's clock (P20).

A lease is a row with an expiry and a fencing number that grows with every holder. Publishing proves the number inside
its own transaction, so a holder that slept through its expiry can do no harm. No connection is held, no pid file is
written.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from connector.errors import AlreadyRunning, LeaseLost, StoreError
from connector.store.database import Database
from connector.store.tables import leases

SYNC = "sync"
"""The lease that syncs and plans share; its row is there from the first migration on."""

TIME_TO_LIVE = 60.0
"""Seconds after which a holder that was killed is taken over."""

_WAIT = f"Wait for it to end, then try again; a run that died is taken over after {TIME_TO_LIVE:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write what `name` protects, for one run."""

    name: str
    run: int
    fence: int


def take(database: Database, connection: Connection, name: str, run: int) -> tuple[Lease, int | None]:
    """Take a lease in the caller's transaction.

    Returns:
        the lease, and the run that let it expire, if one did.

    Raises:
        AlreadyRunning: another run holds it.
    """
    held = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one()
    now = connection.execute(select(database.clock)).scalar_one()
    if held.expires_at > now:
        raise AlreadyRunning(held.run, remedy=_WAIT)
    lease = Lease(name, run, held.fence + 1)
    values = {"run": run, "fence": lease.fence, "expires_at": now + int(TIME_TO_LIVE * 1000)}
    connection.execute(update(leases).where(leases.c.name == name).values(values))
    return lease, held.run if held.expires_at else None


def prove(database: Database, connection: Connection, lease: Lease) -> None:
    """Make sure, in the caller's transaction, that the lease is still held.

    Raises:
        LeaseLost: it expired or another run took it.
    """
    kept = connection.execute(
        update(leases)
        .where(leases.c.name == lease.name, leases.c.fence == lease.fence, leases.c.expires_at > database.clock)
        .values(expires_at=database.clock + int(TIME_TO_LIVE * 1000))
    )
    if not kept.rowcount:
        raise LeaseLost(
            f"Run {lease.run} held its lease no longer, so it published nothing.",
            remedy="The store was out of reach for a minute, or another run took over. Try again.",
        )


def give_back(connection: Connection, lease: Lease) -> None:
    """Free the lease in the caller's transaction, if it is still ours."""
    connection.execute(
        update(leases).where(leases.c.name == lease.name, leases.c.fence == lease.fence).values(expires_at=0)
    )


@contextmanager
def kept_alive(database: Database, lease: Lease) -> Iterator[None]:
    """Renew the lease three times in its time to live while the block runs."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(TIME_TO_LIVE / 3):
            try:
                with database.writing() as connection:
                    prove(database, connection, lease)
            except LeaseLost:
                return
            except StoreError:
                continue

    thread = threading.Thread(target=renew, name=f"lease-{lease.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
