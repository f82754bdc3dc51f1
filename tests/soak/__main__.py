"""Soak a store of each kind, in turns, until the time is over.

    python -m tests.soak [--seconds N] [--seed N] [--store sqlite|postgresql]

Ends at the first thing that must not happen, and tells the seed with which to try again.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.postgres import create_database, running_server
from tests.soak.soak import soak

SERVERS = {"sqlite": 1, "postgresql": 2}


def main(arguments: Sequence[str] | None = None) -> None:
    """Soak for as long as was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - for disturbances
    parser.add_argument("--store", choices=list(SERVERS), action="append", help="may be given twice; both by default")
    asked = parser.parse_args(arguments)
    stores = asked.store or list(SERVERS)
    for kind in stores:
        sys.stdout.write(f"{kind}, seed {asked.seed}: ")
        sys.stdout.flush()
        with _empty_store(kind) as url:
            goes_on = _until(time.monotonic() + asked.seconds / len(stores))
            happened = soak(url, seed=asked.seed, servers=SERVERS[kind], goes_on=goes_on)
        sys.stdout.write(", ".join(f"{name} {times}" for name, times in sorted(happened.items())) + "\n")


def _until(deadline: float) -> Iterator[None]:
    yield
    while time.monotonic() < deadline:
        yield


@contextmanager
def _empty_store(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with TemporaryDirectory(prefix="soak-store-") as folder:
            yield f"sqlite:///{Path(folder)}/store.db"
        return
    with running_server() as server:
        yield create_database(server.url, "soak")


if __name__ == "__main__":
    main()
