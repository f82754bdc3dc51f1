"""What importers wait for while the pool is read, compared and published, against what they wait for at rest.

    python -m benchmarks.serve_during_sync [--users N] [--groups N] [--memberships N] [--rest S]

One keep-alive client walks over the users in pages of 100, again and again without a pause: at rest, during a sync of
a pool in which every hundredth user and every group has changed, and at rest again. The sync is a process of its own on
the same SQLite store, against the simulated pool without quota and latency, so it takes whatever a processor gives: on
a machine with fewer processors than processes the ratio tells of the scheduler too. Asserted: p99 during the sync is at
most three times that at rest.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import cycle
from pathlib import Path

from benchmarks import servers
from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import Size, running
from benchmarks.serve_client import Client, Sample
from benchmarks.subject import sync_peer
from benchmarks.sync_large import POOL
from benchmarks.sync_memory import pool_at
from connector.store.clients import Clients
from connector.store.migrations import open_database

PAGE = 100
MOST_TIMES = 3.0


def percentile(sample: Sample, percent: int) -> float:
    """Return the time within which so many per cent of the answers came."""
    return statistics.quantiles(sample.seconds, n=100, method="inclusive")[percent - 1]


def read_until(is_over: Callable[[], bool], name: str, client: Client, targets: Iterator[str]) -> Sample:
    """Read one page after the other until it is over; the first two do not count."""
    taken: list[float] = []
    while len(taken) < PAGE or not is_over():
        taken.append(client.get(next(targets)).whole)
    return Sample(name, tuple(taken[2:]))


def pages_of(users: int) -> Iterator[str]:
    """Name the pages of one walk after the other; the first and the last page of each write its pin."""
    return cycle([f"/Users?startIndex={start}&count={PAGE}" for start in range(1, users + 1, PAGE)])


def measure(size: Size, rest: float) -> tuple[list[Sample], Measured]:
    """Return the samples at rest, during the sync and at rest again, and the sync."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store.db")
        with running(POOL, size) as told:
            take_turns([sync_peer("first", pool_at(told.strip()), store, anew=False)], 1)
        with closing(open_database(f"sqlite:///{store}")) as database:
            token = Clients(database).create("benchmark").token
        with running(POOL, size, "--revision=1") as told, servers.ours(store, token) as ours:
            client, targets = ours.connect(), pages_of(size.users)
            before = read_until(_after(rest), "at rest", client, targets)
            under_way = _Aside(lambda: take_turns([sync_peer("sync", pool_at(told.strip()), store, anew=False)], 1))
            during = read_until(under_way.is_over, "during the sync", client, targets)
            after = read_until(_after(rest), "at rest again", client, targets)
    return [before, during, after], under_way.result()["sync"]


class _Aside:
    """Does something in a thread beside the reading; the thread only waits for a process."""

    def __init__(self, do: Callable[[], dict[str, Measured]]) -> None:
        self._do = do
        self._done: dict[str, Measured] = {}
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        self._done = self._do()

    def is_over(self) -> bool:
        """Tell whether it is done."""
        return not self._thread.is_alive()

    def result(self) -> dict[str, Measured]:
        """Return what came of it.

        Raises:
            SystemExit: it failed.
        """
        self._thread.join()
        if not self._done:
            raise SystemExit("The sync failed.")
        return self._done


def _after(seconds: float) -> Callable[[], bool]:
    until = time.perf_counter() + seconds
    return lambda: time.perf_counter() > until


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a pool of the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve_during_sync")
    for name, default in (("users", 100_000), ("groups", 100), ("memberships", 300_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--rest", type=float, default=20.0, help="seconds for which it is measured at rest, twice")
    asked = parser.parse_args(arguments)
    size = Size(asked.users, asked.groups, asked.memberships)
    samples, sync = measure(size, asked.rest)
    before, during, after = samples
    at_rest = Sample("at rest, both times", before.seconds + after.seconds)
    times = {percent: percentile(during, percent) / percentile(at_rest, percent) for percent in (50, 99)}
    rows = [
        (one.name, f"{len(one.seconds):,}", _ms(percentile(one, 50)), _ms(percentile(one, 99)), _ms(max(one.seconds)))
        for one in (*samples, at_rest)
    ]
    text = (
        f"Pages of {PAGE}, SQLite; the sync took {sync.seconds.median:.1f} s and ended as {sync.output['outcome']}.\n\n"
        f"{table(('when', 'pages', 'p50', 'p99', 'longest'), rows)}\n\n"
        f"During the sync p50 is {times[50]:.2f} times, p99 {times[99]:.2f} times that at rest."
    )
    record("serve_during_sync", f"Serving during a sync: {size}", text, samples)
    if times[99] > MOST_TIMES:
        raise SystemExit(
            f"p99 during the sync is {times[99]:.1f} times that at rest, at most {MOST_TIMES:g} is promised"
        )


if __name__ == "__main__":
    main()
