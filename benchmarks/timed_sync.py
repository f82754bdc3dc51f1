"""`sync --json` with a watch on the harvest and on the transaction of the publish.

python -m benchmarks.timed_sync CONFIG
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connector.bootstrap.runs import run_sync
from connector.config import load_settings
from connector.sync import full_sync
from connector.sync.harvest import Harvest
from connector.sync.progress import Silence


def watched(do: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    """Return a function that also notes how long it took."""

    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return do(*given, **named)
        finally:
            spent[name] = time.perf_counter() - began

    return timed


def main(config: str) -> None:
    """Run a sync and print its result."""
    spent: dict[str, float] = {}
    for owner, name in ((full_sync, "publish"), (Harvest, "read")):
        setattr(owner, name, watched(getattr(owner, name), spent, name))
    result = run_sync(load_settings(Path(config), os.environ, reads_pool=True), Silence())
    if result.fault:
        raise SystemExit(str(result.fault))
    print(json.dumps({**result.as_json(), "spent": spent}))


if __name__ == "__main__":
    main(sys.argv[1])
