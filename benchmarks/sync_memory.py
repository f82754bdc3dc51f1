"""What a sync costs as the pool grows, beside a reader that keeps everything in lists, against the simulated pool.

    python -m benchmarks.sync_memory [--sizes N,N] [--turns N]

Asserted: the peak memory of the whole process for the largest pool is at most 1.3 times that for the smallest, and a
second sync of an unchanged pool writes no resource rows and makes no generation.
"""

import argparse
import hashlib
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import ReadablePool, Size, running
from benchmarks.subject import rival_peer, sync_peer
from tests.fakes import simulated_pool as simulated

MOST_GROWTH = 1.3
OURS = "cognito-scim sync"
RIVAL = "boto3, lists"
UNCHANGED = "cognito-scim sync, unchanged pool"
PUBLISHED = ("users", "groups", "memberships", "generations", "landmarks", "tombstones")


def pool_at(endpoint: str) -> ReadablePool:
    """Return the simulated pool that answers there."""
    return ReadablePool(
        endpoint=endpoint,
        region=simulated.REGION,
        pool_id=simulated.POOL_ID,
        role_arn=simulated.ROLE_ARN,
        external_id=simulated.EXTERNAL_ID,
        access_key_id=simulated.USER.key_id,
        secret_access_key=simulated.USER.secret,
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What came out at one size."""

    size: Size
    ours: Measured
    unchanged: Measured
    rival: Measured

    @property
    def records(self) -> int:
        """How many user records Cognito sends: one for each user and one for each membership."""
        return self.size.users + self.size.memberships


def measure(size: Size, turns: int) -> Result:
    """Measure one size.

    Raises:
        SystemExit: a sync of the unchanged pool wrote something.
    """
    print(size, flush=True)
    with running("tests.fakes.simulated_pool", size) as told, tempfile.TemporaryDirectory() as folder:
        pool, store = pool_at(told.strip()), Path(folder, "store.db")
        measured = take_turns([sync_peer(OURS, pool, store, anew=True), rival_peer("lists", pool)], turns)
        before = fingerprint(store)
        again = take_turns([sync_peer(UNCHANGED, pool, store, anew=False)], turns)
        if fingerprint(store) != before or {turn.output["outcome"] for turn in again[UNCHANGED].turns} != {"unchanged"}:
            raise SystemExit("a sync of the unchanged pool wrote resource rows or made a generation")
    return Result(size, measured[OURS], again[UNCHANGED], measured[RIVAL])


def fingerprint(store: Path) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a digest of the rows of each table that holds what is published."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        prints = {}
        for name in PUBLISHED:
            digest, rows = hashlib.sha256(), 0
            for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - one of the names below
                digest.update(repr(row).encode())
                rows += 1
            prints[name] = (rows, digest.hexdigest())
    return prints


def judge(results: Sequence[Result]) -> float:
    """Return by which factor the peak memory of a sync grew from the smallest pool to the largest.

    Raises:
        SystemExit: it grew too much.
    """
    growth = results[-1].ours.peak_mib.median / results[0].ours.peak_mib.median
    if growth > MOST_GROWTH:
        raise SystemExit(f"peak memory grew {growth:.2f} times, more than {MOST_GROWTH}")
    return growth


def _report(results: Sequence[Result], turns: int) -> str:
    columns = ("pool", "reader", "s", "CPU s", "CPU µs per record", "peak MiB")
    rows = [
        (
            str(result.size),
            one.name,
            one.seconds.show(".1f"),
            one.cpu_seconds.show(".1f"),
            f"{one.cpu_seconds.median / result.records * 1e6:.0f}",
            one.peak_mib.show(".0f"),
        )
        for result in results
        for one in (result.ours, result.unchanged, result.rival)
    ]
    return (
        f"Median of {turns} turns (least to most); the peers took turns. A record is a user as Cognito sends one: "
        "once for each user, once for each membership. Every turn is a whole process.\n\n"
        f"{table(columns, rows)}\n\n"
        f"Peak memory of a sync, largest pool to smallest: {judge(results):.2f} (at most {MOST_GROWTH}). "
        f"Of the reader with lists: {results[-1].rival.peak_mib.median / results[0].rival.peak_mib.median:.2f}. "
        "Syncs of the unchanged pool changed no row of "
        f"{', '.join(PUBLISHED)}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the sizes that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_memory")
    parser.add_argument("--sizes", default="10000,100000", help="numbers of users, smallest first")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args(arguments)
    sizes = [Size(users, groups=100, memberships=3 * users) for users in map(int, asked.sizes.split(","))]
    results = [measure(size, asked.turns) for size in sizes]
    every = [
        replace(one, name=f"{one.name}: {result.size}")
        for result in results
        for one in (result.ours, result.unchanged, result.rival)
    ]
    record("sync_memory", "Memory and processor time of a sync as the pool grows", _report(results, asked.turns), every)


if __name__ == "__main__":
    main()
