"""What a sync of a million users costs, against the simulated pool without quota and latency.

    python -m benchmarks.sync_large [--users N] [--groups N] [--memberships N] [--largest N]

Into an empty store; again, unchanged; again after every hundredth user changed and every group moved on by a member;
and 50 listed groups of 200 members each, out of the same users. Asserted: peak memory, the processor time of a record,
the time that the transaction of the small publish takes, and the calls of all four.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path

from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import ReadablePool, Size, running
from benchmarks.subject import UNPACED, sync_peer
from benchmarks.sync_calls import PAGE, fewest_calls
from benchmarks.sync_memory import pool_at

MOST_MIB = 300
MOST_MICROSECONDS = {"first": 90.0, "unchanged": 75.0}
MOST_PUBLISH_SECONDS = 5.0
LISTED, LISTED_MEMBERS = 50, 200
POOL = "tests.fakes.simulated_pool"


def group_sizes(size: Size, largest: int) -> list[int]:
    """Return how many members each group of the simulated pool has."""
    groups, shared = size.groups - 1, size.memberships - largest
    return [largest, *(shared // groups + (place < shared % groups) for place in range(groups))]


def measure(size: Size, largest: int) -> Iterator[Measured]:
    """Yield the four syncs."""
    big = f"--largest={largest}"
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store.db")
        with running(POOL, size, big) as told:
            yield _run("first", pool_at(told.strip()), store)
            yield _run("unchanged", pool_at(told.strip()), store)
        with running(POOL, size, big, "--revision=1") as told:
            yield _run("changed", pool_at(told.strip()), store)
        few = Size(size.users, size.groups, LISTED_MEMBERS * size.groups)
        with running(POOL, few) as told:
            listed = [f"group-{number:05d}" for number in range(LISTED)]
            yield _run("listed", pool_at(told.strip()), Path(folder, "listed.db"), listed)


def _run(name: str, pool: ReadablePool, store: Path, groups: Sequence[str] = ()) -> Measured:
    settings = {**UNPACED, "COGNITO__GROUPS": "\n".join(groups)}
    return take_turns([sync_peer(name, pool, store, anew=False, settings=settings)], 1)[name]


def judge(size: Size, largest: int, measured: Mapping[str, Measured]) -> None:
    """Hold what was measured to what was promised.

    Raises:
        SystemExit: it falls short.
    """
    whole = fewest_calls(size.users, group_sizes(size, largest))
    few = {"AssumeRole": 1, "GetGroup": LISTED, "ListUsersInGroup": LISTED * ceil(LISTED_MEMBERS / PAGE)}
    faults = [
        f"{name} made the calls {one.output['calls']}, expected {few if name == 'listed' else whole}"
        for name, one in measured.items()
        if one.output["calls"] != (few if name == "listed" else whole)
    ]
    faults += [
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


def _report(size: Size, measured: Mapping[str, Measured]) -> str:
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
    return f"One turn each, SQLite, a whole process.\n\n{table(columns, rows)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_large")
    for name, default in (("users", 1_000_000), ("groups", 1000), ("memberships", 3_000_000), ("largest", 500_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args(arguments)
    size = Size(asked.users, asked.groups, asked.memberships)
    measured = {one.name: one for one in measure(size, asked.largest)}
    title = f"A large sync: {size}, one group of {asked.largest:,}"
    record("sync_large", title, _report(size, measured), measured.values())
    judge(size, asked.largest, measured)


if __name__ == "__main__":
    main()
