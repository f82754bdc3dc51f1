"""Who takes part: `sync` as a whole process on a store of its own, and the ways in which others read a pool."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import Peer
from benchmarks.pools import ReadablePool
from connector.demo.local_environment import environment_for

# The quota of a real pool, 30 calls a second, would be all that is seen.
UNPACED: Mapping[str, str] = {"COGNITO__REQUESTS_PER_SECOND": "1000"}


def sync_peer(name: str, pool: ReadablePool, store: Path, *, anew: bool, settings: Mapping[str, str] = UNPACED) -> Peer:
    """Return a sync as a peer; it also tells how long its harvest and the transaction of its publish took.

    Args:
        name: what to call it.
        pool: what it reads.
        store: the SQLite file that it publishes into.
        anew: whether each turn begins without the store.
        settings: more of the configuration, by variable without prefix.
    """
    config = store.with_suffix(".yaml")
    config.write_text("{}\n")  # the environment says it all; no other file may have a say
    command = [sys.executable, "-m", "benchmarks.timed_sync", str(config)]
    return Peer(
        name, command, _settings(pool, store, settings), (lambda: remove_store(store)) if anew else (lambda: None)
    )


def _settings(pool: ReadablePool, store: Path, more: Mapping[str, str]) -> dict[str, str]:
    keys = {
        "COGNITO__USER_POOL_ID": pool.pool_id,
        "AWS__ACCESS_KEY_ID": pool.access_key_id,
        "AWS__SECRET_ACCESS_KEY": pool.secret_access_key,
        "AWS__ROLE_ARN": pool.role_arn,
        "AWS__EXTERNAL_ID": pool.external_id,
        "STORE__URL": f"sqlite:///{store}",
        **more,
    }
    settings = {f"COGNITO_SCIM_{key}": value for key, value in keys.items()}
    return {**environment_for(pool.endpoint, os.environ), **settings}


def rival_peer(way: str, pool: ReadablePool) -> Peer:
    """Return one of `benchmarks.rivals` as a peer."""
    environment = environment_for(pool.endpoint, os.environ) | {"BENCHMARK_POOL": json.dumps(asdict(pool))}
    return Peer(f"boto3, {way}", [sys.executable, "-m", "benchmarks.rivals", way], environment)


def remove_store(store: Path) -> None:
    """Remove a store and what SQLite keeps beside it."""
    for name in (store.name, f"{store.name}-wal", f"{store.name}-shm"):
        store.with_name(name).unlink(missing_ok=True)
