"""How near a sync comes to the time that Cognito's quotas allow, beside the usual ways to read a pool.

    python -m benchmarks.sync_quota [--users N] [--groups N] [--memberships N] [--sample N]

The simulated pool answers after 40 ms and allows 30 lists of users a second, half a second's worth at once. Asserted:
the harvest takes at most 1.03 times the calls divided by 30 without one refusal, the whole run at most 1.08 times;
where the quota is halved in the middle, in silence, at most 1.10 times what is then possible.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import Measured, record, table, take_turns
from benchmarks.pools import Size, running
from benchmarks.subject import rival_peer, sync_peer
from benchmarks.sync_memory import pool_at

QUOTA = 30.0
ACCOUNT = ("--latency=0.04", f"--quota={QUOTA}", "--burst=0.5")
FORGIVING = ("--latency=0.04", f"--quota={QUOTA}", "--burst=1")
OURS, HALVED = "cognito-scim sync", "cognito-scim sync, quota halved in the middle"
PER_GROUP, PER_USER = "per-group-adaptive", "per-user-adaptive"
MOST = {"read": 1.03, "run": 1.08, "halved": 1.10}
CEILING: Mapping[str, str] = {"COGNITO__REQUESTS_PER_SECOND": str(QUOTA)}
POOL = "tests.fakes.simulated_pool"


def list_calls(one: Measured) -> int:
    """Return how many calls share the quota of lists of users."""
    calls = one.output["calls"]
    return int(calls.get("ListUsers", 0) + calls.get("ListUsersInGroup", 0))


def measure(size: Size, sample: Size) -> dict[str, Measured]:
    """Measure ours under both quotas, and the rivals: one of them on a sample, for it would take many minutes."""
    measured: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store.db")

        def sync(name: str, options: Sequence[str]) -> None:
            with running(POOL, size, *options) as told:
                peer = sync_peer(name, pool_at(told.strip()), store, anew=True, settings=CEILING)
                measured.update(take_turns([peer], 1))

        sync(OURS, ACCOUNT)
        sync(HALVED, (*FORGIVING, f"--halve-after={list_calls(measured[OURS]) // 2}"))
        for way, pool_size in ((PER_GROUP, size), (PER_USER, sample)):
            with running(POOL, pool_size, *FORGIVING) as told:
                measured.update(take_turns([rival_peer(way, pool_at(told.strip()))], 1))
    return measured


def ratios(measured: Mapping[str, Measured]) -> dict[str, float]:
    """Return our times as multiples of what the quotas allow."""
    ours, halved = measured[OURS], measured[HALVED]
    floor, calls = list_calls(ours) / QUOTA, list_calls(halved)
    halved_floor = calls // 2 / QUOTA + (calls - calls // 2) / (QUOTA / 2)
    return {
        "read": ours.output["spent"]["read"] / floor,
        "run": ours.seconds.median / floor,
        "halved": halved.output["spent"]["read"] / halved_floor,
    }


def judge(measured: Mapping[str, Measured]) -> None:
    """Hold what was measured to what was promised.

    Raises:
        SystemExit: it falls short.
    """
    faults = [f"{name}: {ratio:.3f} times the floor" for name, ratio in ratios(measured).items() if ratio > MOST[name]]
    if throttled := measured[OURS].output["throttled"]:
        faults.append(f"{throttled} calls were throttled")
    if faults:
        raise SystemExit("; ".join(faults))


def _report(measured: Mapping[str, Measured], size: Size, sample: Size) -> str:
    columns = ("reader", "calls", "throttled", "s", "harvest s", "CPU s", "peak MiB")
    rows = [
        (
            name if PER_USER not in name else f"{name}, {sample.users:,} users",
            f"{sum(one.output['calls'].values()):,}",
            f"{one.output['throttled']}",
            f"{one.seconds.median:.1f}",
            f"{one.output['spent']['read']:.1f}" if "spent" in one.output else "",
            f"{one.cpu_seconds.median:.1f}",
            f"{one.peak_mib.median:.0f}",
        )
        for name, one in measured.items()
    ]
    got = ratios(measured)
    per_user = next(one for name, one in measured.items() if PER_USER in name)
    whole = per_user.seconds.median * size.users / sample.users
    said = [
        f"Harvest: {got['read']:.3f} times the list calls / {QUOTA:.0f} s (at most {MOST['read']});",
        f"whole run: {got['run']:.3f} times (at most {MOST['run']});",
        f"quota halved: {got['halved']:.3f} times what is then possible (at most {MOST['halved']}).",
        f"The walk per user would take {whole:,.0f} s for all {size.users:,} users.",
    ]
    return f"{table(columns, rows)}\n\n{' '.join(said)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the size that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_quota")
    for name, default in (("users", 20_000), ("groups", 100), ("memberships", 60_000), ("sample", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args(arguments)
    size = Size(asked.users, asked.groups, asked.memberships)
    sample = Size(asked.sample, asked.groups, size.memberships * asked.sample // size.users)
    measured = measure(size, sample)
    record("sync_quota", f"A sync under Cognito's quotas: {size}", _report(measured, size, sample), measured.values())
    judge(measured)


if __name__ == "__main__":
    main()
