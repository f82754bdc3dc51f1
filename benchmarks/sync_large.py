"""What a sync of a million users costs, against the simulated pool without quota and latency.

    python -m benchmarks.sync_large [--users N] [--groups N] [--memberships N] [--largest N] [--postgresql]

Into an empty store; again, unchanged; again after every hundredth user changed and every group moved on by a member;
and 50 listed groups of 200 members each, out of the same users. Asserted: peak memory, the processor time of a record,
the time that the transaction of the small publish takes, and the calls of all four.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path

from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import ReadablePool, Size, running
from benchmarks.subject import UNPACED, sync_peer
from benchmarks.sync_calls import PAGE, fewest_calls
from benchmarks.sync_memory import pool_at
from connector.store.migrations import migrate
from connector.store.sql.database import connect
from tests.postgres import create_database, running_server

MOST_MIB = 300
MOST_MICROSECONDS = {"first": 90.0, "unchanged": 75.0}
MOST_PUBLISH_SECONDS = 5.0
LISTED, LISTED_MEMBERS = 50, 200
POOL = "tests.fakes.simulated_pool"


def group_sizes(size: Size, largest: int) -> list[int]:
    """Return how many members each group of the simulated pool has."""
    groups, shared = size.groups - 1, size.memberships - largest
    return [largest, *(shared // groups + (place < shared % groups) for place in range(groups))]


MakeStore = Callable[[str], str]
"""Makes an empty store of a name and returns its URL."""


@contextmanager
def sqlite_stores() -> Iterator[MakeStore]:
    """Make stores that are files in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        yield lambda name: f"sqlite:///{folder}/{name}.db"


@contextmanager
def postgresql_stores() -> Iterator[MakeStore]:
    """Make stores that are databases of a server of their own, on this machine."""
    with running_server() as server:

        def make(name: str) -> str:
            url = create_database(server.url, name)
            with closing(connect(url)) as database:
                migrate(database)
            return url

        yield make


def measure(size: Size, largest: int, make_store: MakeStore) -> Iterator[Measured]:
    """Yield the four syncs."""
    big = f"--largest={largest}"
    with tempfile.TemporaryDirectory() as folder:
        store, config = make_store("whole"), Path(folder, "sync.db")
        with running(POOL, size, big) as told:
            yield _run("first", pool_at(told.strip()), config, store)
            yield _run("unchanged", pool_at(told.strip()), config, store)
        with running(POOL, size, big, "--revision=1") as told:
            yield _run("changed", pool_at(told.strip()), config, store)
        few = Size(size.users, size.groups, LISTED_MEMBERS * size.groups)
        with running(POOL, few) as told:
            listed = [f"group-{number:05d}" for number in range(LISTED)]
            yield _run("listed", pool_at(told.strip()), config, make_store("listed"), listed)


def _run(name: str, pool: ReadablePool, beside: Path, store: str, groups: Sequence[str] = ()) -> Measured:
    settings = {**UNPACED, "COGNITO__GROUPS": "\n".join(groups), "STORE__URL": store}
    return take_turns([sync_peer(name, pool, beside, anew=False, settings=settings)], 1)[name]


def judge_calls(size: Size, largest: int, measured: Mapping[str, Measured]) -> None:
    """Hold the calls to the fewest that there can be.

    Raises:
        SystemExit: there were others.
    """
    whole = fewest_calls(size.users, group_sizes(size, largest))
    few = {"AssumeRole": 1, "GetGroup": LISTED, "ListUsersInGroup": LISTED * ceil(LISTED_MEMBERS / PAGE)}
    faults = [
        f"{name} made the calls {one.output['calls']}, expected {few if name == 'listed' else whole}"
        for name, one in measured.items()
        if one.output["calls"] != (few if name == "listed" else whole)
    ]
    if faults:
        raise SystemExit("; ".join(faults))


def judge(size: Size, measured: Mapping[str, Measured]) -> None:
    """Hold memory and times to what was promised.

    Raises:
        SystemExit: they fall short.
    """
    faults = [
        f"{one.name} took {one.peak_mib.median:.0f} MiB" for one in measured.values() if one.peak_mib.median > MOST_MIB
    ]
    faults += [
        f"{name} took {microseconds(measured[name], size):.0f} µs a record"
        for name, most in MOST_MICROSECONDS.items()
        if microseconds(measured[name], size) > most
    ]
    if (took := measured["changed"].output["spent"]["publish"]) > MOST_PUBLISH_SECONDS:
        faults.append(f"the small publish took {took:.1f} s")
    if faults:
        raise SystemExit("; ".join(faults))


def microseconds(one: Measured, size: Size) -> float:
    """Return the processor time of a record, a user or a membership as Cognito sends it."""
    return one.cpu_seconds.median / (size.users + size.memberships) * 1e6


def _report(size: Size, measured: Mapping[str, Measured], database: str) -> str:
    columns = ("sync", "outcome", "calls", "s", "CPU s", "CPU µs per record", "peak MiB", "publish s")
    rows = [
        (
            name,
            one.output["outcome"],
            f"{sum(one.output['calls'].values()):,}",
            f"{one.seconds.median:.0f}",
            f"{one.cpu_seconds.median:.1f}",
            "" if name == "listed" else f"{microseconds(one, size):.0f}",
            f"{one.peak_mib.median:.0f}",
            f"{one.output['spent']['publish']:.1f}" if "publish" in one.output["spent"] else "",
        )
        for name, one in measured.items()
    ]
    return f"One turn each, {database}, a whole process.\n\n{table(columns, rows)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_large")
    for name, default in (("users", 1_000_000), ("groups", 1000), ("memberships", 3_000_000), ("largest", 500_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--postgresql", action="store_true", help="into PostgreSQL; no figure is asserted, only calls")
    asked = parser.parse_args(arguments)
    size = Size(asked.users, asked.groups, asked.memberships)
    stores = postgresql_stores if asked.postgresql else sqlite_stores
    with stores() as make_store:
        measured = {one.name: one for one in measure(size, asked.largest, make_store)}
    database = "PostgreSQL" if asked.postgresql else "SQLite"
    title = f"A large sync: {size}, one group of {asked.largest:,}"
    name = "sync_large_postgresql" if asked.postgresql else "sync_large"
    record(name, title, _report(size, measured, database), measured.values())
    judge_calls(size, asked.largest, measured)
    if not asked.postgresql:
        judge(size, measured)


if __name__ == "__main__":
    main()
