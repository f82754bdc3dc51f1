"""Executes queued runs, each in a child process, so that serving never shares an interpreter with a harvest (P20).

The child is this program again, with the same configuration and the same stderr. It holds the reading end of a pipe:
when its parent is gone, however that came, the pipe is closed and the child ends its run.
"""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from connector.directory.runs import RunKind
from connector.errors import StoreError
from connector.store.runs.lease import Lease
from connector.store.runs.queue import Claim

POLL_SECONDS = 1.0
"""How often an executor looks for a run."""

STOP_SECONDS = 8.0
"""How long a child may take to end its run cleanly; shorter than the grace that a stopping server has."""

_GLANCE_SECONDS = 0.1
_log = logging.getLogger(__name__)


class Claims(Protocol):
    """Gives runs to execute; see `connector.store.runs.queue`."""

    def claim(self, kinds: Collection[RunKind], /) -> Claim | None:
        """Take a queued run of some kinds, or raise StoreError."""

    def abandon(self, lease: Lease, cause: str, /) -> str | None:
        """End a claimed run as failed, unless it has ended, and return how it did, or raise StoreError."""


class Executor:
    """Executes the runs of some kinds, one after the other.

    Args:
        runs: the queue.
        kinds: of the runs; any other is left to others.
        command: the beginning of the command that executes a run, to which its number and fencing number are added.
        is_wanted: tells whether to go on; once it says no, the run under way is ended and no other is begun.
        spares: whether a child that takes long to end is left to its end, not killed.
    """

    def __init__(
        self,
        runs: Claims,
        kinds: Collection[RunKind],
        command: Sequence[str],
        is_wanted: Callable[[], bool],
        *,
        spares: bool = False,
    ) -> None:
        self._runs = runs
        self._kinds = kinds
        self._command = tuple(command)
        self._is_wanted = is_wanted
        self._spares = spares
        self._told = ""
        self._unrecorded: tuple[Lease, str] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"execute-{'-'.join(sorted(kinds))}", daemon=True)

    def start(self) -> None:
        """Execute from now on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the run under way, and wait for that."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while self._goes_on(POLL_SECONDS):
            try:
                self._record_end()
                claim = self._runs.claim(self._kinds)
                if claim:
                    self._execute(claim)
            except StoreError as fault:
                self._tell_once(f"no run can be executed: {fault}")
            except Exception as fault:  # noqa: BLE001 - whatever it was, the next run shall be executed
                self._tell_once(f"no run could be executed: {type(fault).__name__}")
            else:
                self._told = ""

    def _tell_once(self, fault: str) -> None:
        """Log a fault when it begins, not each second that it lasts."""
        if fault != self._told:
            _log.warning("%s", fault)
        self._told = fault

    def _goes_on(self, seconds: float) -> bool:
        """Wait, and tell whether to go on."""
        deadline = time.monotonic() + seconds
        while self._is_wanted() and not self._stopped.wait(_GLANCE_SECONDS):
            if time.monotonic() >= deadline:
                return True
        return False

    def _execute(self, claim: Claim) -> None:
        run = claim.lease.run
        _log.info("run %s (%s) begins", run, claim.kind)
        try:
            code = self._await_child([*self._command, str(run), "--fence", str(claim.lease.fence)])
            cause = _explain(code) if code is not None else ""
        except OSError as error:
            code, cause = None, f"No process could be started for it: {error.strerror}."
        if not cause:
            _log.info("run %s comes to its end by itself", run)
            return
        if code != 0:
            _log.warning("run %s: %s", run, cause)
        self._unrecorded = claim.lease, cause
        self._record_end()

    def _record_end(self) -> None:
        """Record how the last run ended, unless it did so itself; a store that is away is asked again."""
        if self._unrecorded is None:
            return
        lease, cause = self._unrecorded
        _log.info("run %s ended: %s", lease.run, self._runs.abandon(lease, cause))
        self._unrecorded = None

    def _await_child(self, command: Sequence[str]) -> int | None:
        """Return the child's exit code, None when it was left to its end."""
        # A session of its own, because a terminal sends Ctrl-C to the whole group, and one signal is enough.
        child = subprocess.Popen(  # noqa: S603 - this interpreter and this program
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        assert child.stdin
        with child.stdin:
            while child.poll() is None and self._goes_on(_GLANCE_SECONDS):
                pass
            return self._end(child) if child.poll() is None else child.returncode

    def _end(self, child: subprocess.Popen[bytes]) -> int | None:
        child.terminate()
        try:
            return child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            if self._spares:
                threading.Thread(target=child.wait, name="reap", daemon=True).start()
                return None
        child.kill()
        return child.wait()


def _explain(code: int) -> str:
    if code < 0:
        return f"Its process was ended by signal {-code}."
    return f"Its process ended with exit code {code}; the log of serve says why."
