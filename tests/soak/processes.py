"""The processes of a soak: commands and servers of one folder, any of which can be killed; none stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.simulated_pool import EXTERNAL_ID, POOL_ID, ROLE_ARN, USER

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds after which what has not come to pass never will."""

WALK_TIMEOUT = 45
_CONFIG = f"""\
cognito: {{user_pool_id: {POOL_ID}, requests_per_second: 1000}}
aws: {{role_arn: {ROLE_ARN}}}
server: {{port: 0}}
sync:
  walk_timeout: {WALK_TIMEOUT}s
  safeguard:
    max_removed_users: 30%
    max_removed_groups: 100%
    max_removed_memberships: 70%
    max_removed_members_per_group: 100%
"""


class Folder:
    """A configuration, and whatever runs with it.

    Args:
        place: an empty folder.
        store_url: where the store is.
        endpoint: where the simulated pool answers.
    """

    def __init__(self, place: Path, store_url: str, endpoint: str) -> None:
        self._place = place
        self._config = place / "config.yaml"
        self._config.write_text(_CONFIG)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COGNITO_SCIM_"))}
        self._environment = kept | {
            "PYTHONPATH": str(ROOT),
            "HOME": str(place),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint,
            "COGNITO_SCIM_STORE__URL": store_url,
            "COGNITO_SCIM_AWS__ACCESS_KEY_ID": USER.key_id,
            "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY": USER.secret,
            "COGNITO_SCIM_AWS__EXTERNAL_ID": EXTERNAL_ID,
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command, in a session of its own; what it logs goes to a file in the folder."""
        with (self._place / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.soak.hurried", "--config", str(self._config), *words],
                env=self._environment,
                cwd=self._place,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def sync(self, meanwhile: Callable[[subprocess.Popen[str]], object] = lambda _: None) -> tuple[int, Any]:
        """Run a sync; return its exit code and result, None of who was killed. `meanwhile` gets the process."""
        with self.start("sync", "--json") as process:
            try:
                meanwhile(process)
                printed, _ = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return process.returncode, json.loads(printed) if printed else None

    def log(self) -> str:
        """Return the last of what all of them logged."""
        return "".join((self._place / "log").read_text().splitlines(keepends=True)[-40:])

    def processes(self, word: str = "") -> list[int]:
        """Return the ids of this folder's processes whose command has a word."""
        listed = subprocess.run(["ps", "-axo", "pid=,args="], capture_output=True, text=True, check=True).stdout  # noqa: S607 - wherever it is
        mine = (line.split(maxsplit=1) for line in listed.splitlines() if str(self._config) in line)
        return [int(number) for number, command in mine if word in command]

    def kill_all(self) -> None:
        """Leave no process behind."""
        for number in self.processes():
            kill(number)


def kill(process: int) -> None:
    """Do what `kill -9` does, also to a process that has just ended."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


class Server:
    """One `serve`, which may be killed and started again on another port."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._start()

    def _start(self) -> None:
        self._process = self._folder.start("serve")
        assert self._process.stdout
        self.url = self._process.stdout.readline().removeprefix("SCIM base URL: ").strip().removesuffix("/scim/v2")
        assert self.url, self._folder.log()

    def kill(self) -> None:
        """Kill it with its worker."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=PATIENCE)

    def restart(self) -> None:
        """Start it again."""
        self._start()

    def stop(self) -> None:
        """End it as a service manager does."""
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)


@contextmanager
def serving(folder: Folder, number: int) -> Iterator[list[Server]]:
    """Run so many servers."""
    servers: list[Server] = []
    try:
        servers += [Server(folder) for _ in range(number)]
        yield servers
        for server in servers:
            server.stop()
    finally:
        folder.kill_all()


def wait_until(look: Callable[[], Any], what: str) -> Any:
    """Wait until something is so, and return it.

    Raises:
        AssertionError: it takes too long.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: it did not come to that"
        time.sleep(0.05)
    return found
