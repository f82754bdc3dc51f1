"""`execute-run`: the child process in which `serve` executes a run; not for people."""

import os
import signal
import threading
from types import FrameType
from typing import Never

import click

from connector.bootstrap import execute_run
from connector.cli.invocation import Invocation, pass_invocation
from connector.config import Settings
from connector.errors import ConfigError
from connector.rotation_runs import run_rotations


@click.command("execute-run", hidden=True)
@click.argument("run", type=int)
@click.option("--fence", type=int, required=True)
@pass_invocation
def execute(invocation: Invocation, run: int, fence: int) -> None:
    """Execute the RUN that was claimed under a fencing number, until stdin ends with the process that asked."""
    _end_with_parent()
    store = invocation.settings(reads_pool=False, tell_warnings=False)
    execute_run(store, _pool_settings(invocation), run_rotations, number=run, fence=fence)


def _pool_settings(invocation: Invocation) -> Settings | ConfigError:
    try:
        return invocation.settings(reads_pool=True)
    except ConfigError as error:
        return error


def _end_with_parent() -> None:
    """End the run on SIGTERM, and when the parent is gone; no second signal disturbs the tidying up."""

    def stop(_number: int, _frame: FrameType | None) -> Never:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    threading.Thread(target=watch, name="parent", daemon=True).start()
