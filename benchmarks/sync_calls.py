"""How many calls a sync makes, beside the two ways in which tools read a pool, against moto's server.

    python -m benchmarks.sync_calls [--users N] [--groups N] [--memberships N] [--turns N]

The calls are exact and are asserted: ceil(users/60) + ceil(groups/60) + one walk for each group, and one AssumeRole.
The seconds are those of moto, which scans the pool for every page; on AWS the quota turns the ratio of the calls into
the ratio of the times.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import ReadablePool, Size, running
from benchmarks.subject import rival_peer, sync_peer

PAGE = 60
OURS = "cognito-scim sync"


def fewest_calls(users: int, group_sizes: Sequence[int]) -> dict[str, int]:
    """Return the calls that it takes to read everything once, in pages of 60."""
    return {
        "AssumeRole": 1,
        "ListUsers": max(1, ceil(users / PAGE)),
        "ListGroups": max(1, ceil(len(group_sizes) / PAGE)),
        "ListUsersInGroup": sum(max(1, ceil(size / PAGE)) for size in group_sizes),
    }


def measure(size: Size, turns: int) -> None:
    """Measure, compare and record.

    Raises:
        SystemExit: a sync made another number of calls.
    """
    with running("benchmarks.moto_pool", size) as told, tempfile.TemporaryDirectory() as folder:
        described = json.loads(told)
        pool = ReadablePool(**described["pool"])
        peers = [
            sync_peer(OURS, pool, Path(folder, "store.db"), anew=True),
            rival_peer("per-group", pool),
            rival_peer("per-user", pool),
        ]
        measured = take_turns(peers, turns)
    expected = fewest_calls(size.users, described["group_sizes"])
    for turn in measured[OURS].turns:
        if turn.output["calls"] != expected:
            raise SystemExit(f"expected the calls {expected}, but sync made {turn.output['calls']}")
    record("sync_calls", f"Calls of a sync: {size} on moto's server", _report(measured, turns), measured.values())


def _report(measured: Mapping[str, Measured], turns: int) -> str:
    ours = measured[OURS]
    columns = ("reader", "calls", "of them", "s", "times our s", "CPU s", "peak MiB")
    rows = [
        (
            one.name,
            f"{sum(one.output['calls'].values()):,}",
            ", ".join(f"{name} {count:,}" for name, count in sorted(one.output["calls"].items())),
            one.seconds.show(".2f"),
            f"{one.seconds.median / ours.seconds.median:.2f}",
            one.cpu_seconds.show(".2f"),
            one.peak_mib.show(".0f"),
        )
        for one in measured.values()
    ]
    return f"Median of {turns} turns (least to most); the peers took turns.\n\n{table(columns, rows)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_calls")
    for name, default in (("users", 10_000), ("groups", 100), ("memberships", 30_000), ("turns", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args(arguments)
    measure(Size(asked.users, asked.groups, asked.memberships), asked.turns)


if __name__ == "__main__":
    main()
