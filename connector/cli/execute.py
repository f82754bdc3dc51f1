"""`execute-run`: the child process in which `serve` executes a run; not for people."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

import click

from connector.bootstrap.rotation_runs import run_rotations
from connector.bootstrap.runs import execute_run
from connector.cli.invocation import INTERRUPTED, Invocation, pass_invocation
from connector.config import Settings
from connector.errors import ConfigError, ConnectorError, UnforeseenFault
from connector.logs import name_run, run_context

_log = logging.getLogger(__name__)


@click.command("execute-run", hidden=True)
@click.argument("run", type=int)
@click.option("--fence", type=int, required=True)
@pass_invocation
def execute(invocation: Invocation, run: int, fence: int) -> None:
    """Execute the RUN that was claimed under a fencing number, until stdin ends with the process that asked."""
    _end_with_parent()
    with run_context(), _logged():
        name_run(str(run))
        store = invocation.settings(reads_pool=False, tell_warnings=False)
        execute_run(store, _pool_settings(invocation), run_rotations, number=run, fence=fence)


@contextmanager
def _logged() -> Iterator[None]:
    """Tell a fault in the log, which this process shares with others, not in words that name no run."""
    try:
        yield
    except KeyboardInterrupt:
        _log.warning("interrupted")
        raise click.exceptions.Exit(INTERRUPTED) from None
    except ConnectorError as error:
        fault = error
    except Exception as error:  # noqa: BLE001 - nobody above could name the run
        fault = UnforeseenFault(error)
    else:
        return
    _log.error("%s", fault, exc_info=fault.__cause__ if isinstance(fault, UnforeseenFault) else None)
    raise click.exceptions.Exit(fault.exit_code)


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
