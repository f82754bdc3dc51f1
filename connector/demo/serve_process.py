"""`cognito-scim serve` as a process of its own, as it runs everywhere else."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from connector.errors import ConnectorError

HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05


def choose_port(wanted: int) -> int:
    """Return the wanted port, or a free one where it is taken or 0."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just left is free
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise ConnectorError(f"No port of {HOST} is free.", remedy="End a program that listens, and try again.")


@contextmanager
def serving(config: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the published directory for the length of a block.

    Args:
        config: the configuration, whose folder also takes the log of the server.
        port: the port that it names.

    Raises:
        ConnectorError: the server ended, or did not become ready.
    """
    log = config.with_name("serve.log")
    command = [sys.executable, "-m", "connector", "--config", str(config), "serve"]
    with log.open("wb") as output:
        # A session of its own, so that Ctrl-C reaches this process alone, which then ends the server in good order.
        process = subprocess.Popen(  # noqa: S603 - this interpreter and this program
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_ready(process, f"http://{HOST}:{port}/readyz", log)
        yield process
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            ending = " ".join(log.read_text(errors="replace").split())[-500:]
            raise ConnectorError(f"The server did not start: {ending or 'it said nothing'}", remedy="Try another port.")
        time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=_POLL_SECONDS * 20):
            return True
    except (OSError, HTTPException):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and all that it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
