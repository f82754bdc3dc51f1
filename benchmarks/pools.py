"""Pools that run in a process of their own, so that they are not measured with whoever reads them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadablePool:
    """What it takes to read a pool."""

    endpoint: str
    region: str
    pool_id: str
    role_arn: str
    external_id: str
    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is in a pool."""

    users: int
    groups: int
    memberships: int

    def options(self) -> list[str]:
        """Return the options by which both pools are made this large."""
        return [f"--users={self.users}", f"--groups={self.groups}", f"--memberships={self.memberships}"]

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.groups:,} groups, {self.memberships:,} memberships"


@contextmanager
def running(module: str, size: Size, *options: str) -> Iterator[str]:
    """Run a pool for the length of a block, and give the line with which it says that it is ready."""
    command = [sys.executable, "-m", module, *size.options(), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
