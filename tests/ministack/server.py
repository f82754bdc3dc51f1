"""Run ministack on loopback, in a virtual environment of its own: it pins a botocore that is not ours."""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REQUIREMENT = "ministack>=1.5.33,<1.6"
HOME = Path(sys.prefix) / "ministack"
REGION = "eu-west-1"
ACCOUNT = "000000000000"
ROOT_KEY = "test"
"""Access key and secret of the account's root, to whom everything is allowed."""
_STARTS_WITHIN = 60


@dataclass(frozen=True, slots=True)
class MiniStack:
    """One that runs.

    Args:
        url: where every service answers.
    """

    url: str

    def client(self, service: str, key: tuple[str, str, str] = (ROOT_KEY, ROOT_KEY, "")) -> Any:
        """Return a client with a key id, a secret and a session token; without, one of the account's root."""
        key_id, secret, token = key
        session = boto3.Session(key_id, secret, token or None, region_name=REGION)
        make: Any = session.client
        return make(service, endpoint_url=self.url)


def install() -> Path:
    """Install ministack where it is not, and return its interpreter; one process at a time does."""
    python, done = HOME / "bin/python", HOME / "installed"
    HOME.mkdir(exist_ok=True)
    with (HOME.parent / "ministack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != REQUIREMENT:
            venv.create(HOME, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
            subprocess.run(command, check=True, timeout=300)
            done.write_text(REQUIREMENT)
    return python


@contextlib.contextmanager
def running_ministack() -> Iterator[MiniStack]:
    """Run ministack for the length of a block; with AUTH it checks signatures, IAM policies and trust."""
    python, port = install(), _free_port()
    with tempfile.TemporaryDirectory(prefix="ministack-") as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": folder,
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [python, "-m", "ministack"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _await_health(process, url, Path(folder) / "log")
            yield MiniStack(url)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_health(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):  # noqa: S310 - on loopback
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"ministack did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    install()
