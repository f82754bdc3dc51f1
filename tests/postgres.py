"""A PostgreSQL server of the tests' own: real, throw-away, on a loopback port nobody else uses."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

_SETTINGS = "fsync=off\nunix_socket_directories=''\nlisten_addresses='127.0.0.1'\nmax_connections=60\n"


def find_binaries() -> Path:
    """Return the folder with initdb and pg_ctl; `make test` installs them where it may."""
    found = shutil.which("initdb")
    places = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for place in places:
        if (place / "pg_ctl").exists():
            return place
    raise RuntimeError("PostgreSQL's initdb is not installed; see tests/parts")


@dataclass(frozen=True)
class Server:
    """A server that runs, and the URL of its maintenance database."""

    url: str
    control: tuple[object, ...]
    owner: str | None

    def restart(self) -> None:
        """Stop it at once, which ends every connection, and start it again."""
        _run(self.owner, *self.control, "-m", "immediate", "-w", "restart")

    def promote(self) -> None:
        """Make a standby the writer."""
        _run(self.owner, *self.control, "-w", "promote")

    def demote(self) -> None:
        """Take no more writes, on connections that are there already too."""
        _tell(self.url, "ALTER SYSTEM SET default_transaction_read_only = on")
        _tell(self.url, "SELECT pg_reload_conf()")


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server."""
    with _data_folder() as (data, owner):
        _run(
            owner,
            find_binaries() / "initdb",
            "-D",
            data,
            "-U",
            "tests",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        with _started(data, owner) as server:
            yield server


@contextmanager
def running_standby(primary: Server) -> Iterator[Server]:
    """Run a server that follows another and answers reads, until it is promoted."""
    with _data_folder() as (data, owner):
        source = make_url(primary.url)
        copy = ("-D", data, "-h", source.host, "-p", source.port, "-U", "tests", "-R", "-X", "stream", "-c", "fast")
        _run(owner, find_binaries() / "pg_basebackup", *copy)
        with _started(data, owner) as server:
            yield server


@contextmanager
def _data_folder() -> Iterator[tuple[Path, str | None]]:
    owner = _server_user()
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        if owner:
            shutil.chown(folder, owner)
        yield Path(folder) / "data", owner


@contextmanager
def _started(data: Path, owner: str | None) -> Iterator[Server]:
    port = _free_port()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}port={port}\n")
    control = (find_binaries() / "pg_ctl", "-D", data, "-l", data.parent / "log")
    _run(owner, *control, "-w", "start")
    try:
        yield Server(f"postgresql://tests@127.0.0.1:{port}/postgres", control, owner)
    finally:
        _run(owner, *control, "-m", "immediate", "-w", "stop")


def create_database(server: str, name: str) -> str:
    """Make a database on a server, both given by URL and name, and return its URL."""
    _tell(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Give the URL of a database of its own for the length of a block."""
    name = f"store_{uuid.uuid4().hex}"
    yield create_database(server, name)
    _tell(server, f"DROP DATABASE {name} WITH (FORCE)")


def _tell(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _server_user() -> str | None:
    """Name the user to run as: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(owner: str | None, *command: object) -> None:
    subprocess.run(
        [str(word) for word in command], check=True, user=owner, stdout=subprocess.DEVNULL, cwd="/", timeout=60
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
