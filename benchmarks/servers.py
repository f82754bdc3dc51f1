"""The servers that `serve` measures, each a process of its own: ours as shipped, and its rivals."""

import getpass
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
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
        """Return the peak resident memory of its one process (Linux only)."""
        status = Path("/proc", str(self.process), "status").read_text()
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
def scimmy(folder: Path, documents: list[Any]) -> Iterator[Served]:
    """Run SCIMMY over some users; npm gets it."""
    place = folder / "scimmy"
    shutil.copytree(_SCIMMY, place)
    subprocess.run(  # noqa: S603 - ours
        [_program("npm"), "install", "--silent", "--no-audit", "--no-fund"], cwd=place, check=True
    )
    file = place / "users.json"
    file.write_text(json.dumps(documents))
    with _running([str(place / "server.mjs"), str(file)], program=[_program("node")], token=ANY) as served:
        yield served


@contextmanager
def static(folder: Path, page: bytes) -> Iterator[Served]:
    """Run nginx with one worker over one file, at the address of a page."""
    place = folder / "static"
    (place / "files").mkdir(parents=True)
    (place / "files" / "Users").write_bytes(page)
    port = _free_port()
    (place / "nginx.conf").write_text(_NGINX.format(place=place, port=port, user=getpass.getuser()))
    with subprocess.Popen(  # noqa: S603 - ours
        [_program("nginx"), "-p", str(place), "-c", str(place / "nginx.conf")], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield Served(f"http://127.0.0.1:{port}", process.pid, "")
        finally:
            process.terminate()


ANY = "any"
"""SCIMMY's server checks no token, but wants one."""

_SCIMMY = Path(__file__).with_name("scimmy")
_NGINX = """
daemon off; user {user}; worker_processes 1; pid {place}/pid; error_log {place}/error.log;
events {{}}
http {{
  access_log off; default_type application/scim+json; keepalive_requests 1000000; sendfile on; tcp_nopush on;
  client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place}; uwsgi_temp_path {place};
  scgi_temp_path {place};
  server {{ listen 127.0.0.1:{port}; root {place}/files; }}
}}
"""


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"The rivals need {name}; install it, or leave them out with --only-python.")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > until:
            raise SystemExit("nginx did not start")
        time.sleep(0.05)


@contextmanager
def _running(
    command: list[str],
    *,
    token: str = "",
    settings: dict[str, str] | None = None,
    program: Sequence[str] = (sys.executable, "-m"),
) -> Iterator[Served]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COGNITO_SCIM_")}
    environment |= settings or {}
    started = [*program, *command]
    with subprocess.Popen(  # noqa: S603 - ours
        started, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield Served(process.stdout.readline().rpartition(" ")[2].strip(), process.pid, token)
        finally:
            process.terminate()
