"""What the web application works with."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from connector.scim.base_url import scim_base_url
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.web.console.parts import ConsoleParts


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the application works with.

    Args:
        reader: the published directory.
        pins: which generation each walk reads.
        clients: who is let in.
        runs: what is done, and was.
        changes: who was changed by it.
        measures: what the store amounts to.
        audit: what callers did.
        public_base_url: where importers reach the server; every URL that is served begins with it.
        max_results: how many resources one response holds at most.
        trusted_proxies: how many proxies stand in front and tell the truth about the caller.
        requests_per_second_per_client: how fast one client may ask; None = as fast as it likes.
        logs_requests: whether every request is a line of the log.
        clock: seconds of any origin, never going back, by which limits are counted.
        sync_interval: seconds between two scheduled syncs at most; None = no schedule.
        next_rotation: when accounts are rotated next after a time, both in seconds since 1970; None = no schedule.
        walk_timeout: seconds after its last page for which a walk goes on; a cursor is good for as long.
        lending: lets what one request reads of the store go through one connection.
        console: what the console needs beside this; None = there is no console.
    """

    reader: DirectoryReader
    pins: Pins
    clients: Clients
    runs: Runs
    changes: ChangesReader
    measures: Measures
    audit: AuditTrail
    public_base_url: str
    max_results: int
    trusted_proxies: int = 0
    requests_per_second_per_client: float | None = None
    logs_requests: bool = False
    clock: Callable[[], float] = time.monotonic
    sync_interval: float | None = None
    next_rotation: Callable[[float], float] | None = None
    lending: Callable[[], AbstractContextManager[None]] = nullcontext
    console: ConsoleParts | None = None

    walk_timeout: float = 3600.0

    @property
    def scim_base_url(self) -> str:
        """The base URL of the SCIM endpoint, without a slash at its end."""
        return scim_base_url(self.public_base_url)
