"""The servers that `serve` measures, each a process of its own: ours as shipped, and its rivals."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.directories import COPY
from benchmarks.serve_client import Client


@dataclass(frozen=True, slots=True)
class Served:
    """A server under way."""

    url: str
    process: int
    token: str

    def connect(self) -> Client:
        """Open a connection to it."""
        return Client(self.url, self.token)

    def peak_mib(self) -> float:
        """Return the peak resident memory of its one worker process (Linux only)."""
        process = Path("/proc", str(self.process))
        (worker,) = (process / "task" / process.name / "children").read_text().split()
        status = Path("/proc", worker, "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def ours(store: Path, token: str) -> AbstractContextManager[Served]:
    """Run `cognito-scim serve` as shipped, over a store."""
    config = store.with_suffix(".yaml")
    config.write_text("{}\n")  # no other file may have a say
    settings = {"COGNITO_SCIM_STORE__URL": f"sqlite:///{store}", "COGNITO_SCIM_SERVER__PORT": "0"}
    return _running(["connector", "--config", str(config), "serve"], token=token, settings=settings)


def bare(store: Path) -> AbstractContextManager[Served]:
    """Run the application that only joins the stored users."""
    copy = store.with_name("bare.db")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("ATTACH ? AS store", (str(store),))
        connection.executescript(COPY)
    return _running(["benchmarks.serve_rivals", "bare", str(copy)])


def scim2_server(folder: Path, documents: list[Any]) -> AbstractContextManager[Served]:
    """Run scim2-server over some users, given as they are served."""
    file = folder / "users.json"
    file.write_text(json.dumps(documents))
    return _running(["benchmarks.serve_rivals", "scim2-server", str(file)])


@contextmanager
def _running(command: list[str], *, token: str = "", settings: dict[str, str] | None = None) -> Iterator[Served]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COGNITO_SCIM_")}
    environment |= settings or {}
    started = [sys.executable, "-m", *command]
    with subprocess.Popen(  # noqa: S603 - ours
        started, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield Served(process.stdout.readline().rpartition(" ")[2].strip(), process.pid, token)
        finally:
            process.terminate()
