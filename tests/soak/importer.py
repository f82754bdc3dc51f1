"""An importer that walks over users, then groups, again and again, in pages of one size.

Each finished walk is held to what was published.
"""

import http.client
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.soak.drift import POISON
from tests.soak.processes import PATIENCE, WALK_TIMEOUT, Server
from tests.soak.record import Record, Shown

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_LARGEST_PAGE = 60
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
"""Of a server, which has another one after each start."""

_Rows = list[dict[str, Any]]


class Expired(Exception):
    """The walk was left alone for too long, and the server said so."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks any of the servers, and another when one is away.

    Args:
        servers: where to ask.
        token: what to sign in with.
        dice: decides whom to ask.
    """

    servers: Sequence[Server]
    token: str
    dice: Random

    def get(self, path: str) -> Any:
        """Read one page, however often it takes.

        Raises:
            Expired: the server refuses to go on with the walk.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask(path)
            except urllib.error.HTTPError as error:
                with error:
                    _demand_excuse(error)
            except (OSError, http.client.HTTPException):
                pass  # a server was killed
            assert time.monotonic() < deadline, f"{path}: nobody answers"
            time.sleep(0.1)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request, and return the document that answers it."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.dice.choice(self.servers).url}{path}"
        request = urllib.request.Request(url, data, {"Authorization": f"Bearer {self.token}"})  # noqa: S310 - loopback
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())


def _demand_excuse(error: urllib.error.HTTPError) -> None:
    """Accept that a server has no time just now, or says that a walk was left alone for too long; nothing else."""
    said = error.read().decode()
    if error.code == 400 and "begin again" in said:
        raise Expired(said)
    assert error.code == 503, f"{error.url}: {error.code} {said}"


class Importer:
    """Walks in a thread until it is stopped; `fault` is what was wrong.

    Args:
        caller: asks the servers.
        record: what was published.
    """

    def __init__(self, caller: Caller, record: Record) -> None:
        self._caller = caller
        self._record = record
        self._count = caller.dice.randint(_LARGEST_PAGE // 4, _LARGEST_PAGE)
        self._known: dict[str, tuple[str, str]] = {}
        self._last = 0
        self._stopped = threading.Event()
        self.finished = self.expired = 0
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="importer", daemon=True)

    def start(self) -> None:
        """Walk from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End after the walk under way."""
        self._stopped.set()
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    self.walk()
                except Expired:
                    self.expired += 1
        except BaseException as fault:  # noqa: BLE001 - told by who waits for the thread
            self.fault = fault

    def walk(self) -> tuple[_Rows, _Rows]:
        """Read everything once, and demand that it is exactly one generation, no older than the last one seen.

        Raises:
            Expired: it took too long between two pages.
        """
        least = max(self._last, 1)
        users = self._read("Users")
        paused = time.monotonic()
        groups = self._read("Groups", lambda: time.monotonic() - paused)
        for row in (*users, *groups):
            assert POISON not in json.dumps(row), row
        seen = Shown(
            {row["id"]: row["meta"]["lastModified"] for row in users},
            {row["id"]: row["meta"]["lastModified"] for row in groups},
            frozenset((row["id"], member["value"]) for row in groups for member in row.get("members", ())),
        )
        other_side = {(group["value"], row["id"]) for row in users for group in row.get("groups", ())}
        assert other_side == seen.members, "the two sides of the memberships differ"
        found = self._record.find(seen, range(least, self._record.look() + 1))
        assert found is not None, f"a walk from {least} on saw {self._record.nearest(seen)}"
        self._last = found
        self._demand_moved((*users, *groups))
        self.finished += 1
        return users, groups

    def _read(self, collection: str, paused: Callable[[], float] = lambda: 0.0) -> _Rows:
        count = self._count
        rows: _Rows = []
        totals: set[int] = set()
        while not totals or len(rows) < min(totals):
            page = self._caller.get(f"/scim/v2/{collection}?startIndex={len(rows) + 1}&count={count}")
            if paused() > WALK_TIMEOUT / 2 and not totals:
                raise Expired("the servers were away for so long that groups may be newer than users")
            totals.add(page["totalResults"])
            rows += page.get("Resources", ())
            assert len(totals) == 1, f"the total moved within a walk: {totals}"
            assert len(page.get("Resources", ())) == min(count, *totals, min(totals) - page["startIndex"] + 1)
        assert len(rows) == len({row["id"] for row in rows}) == min(totals)
        return rows

    def _demand_moved(self, rows: Sequence[dict[str, Any]]) -> None:
        """Demand that the time of the last change moves forward when a resource does, and only then."""
        for row in rows:
            text, moved = _without_time(row), row["meta"]["lastModified"]
            before, then = self._known.get(row["id"], (text, moved))
            assert (before == text) == (then == moved), f"{before} of {then} became {text} of {moved}"
            assert then <= moved, f"{row['id']} went back from {then} to {moved}"
            self._known[row["id"]] = text, moved


def _without_time(row: dict[str, Any]) -> str:
    """Return a resource as text, but for when it changed and whom it was asked of."""
    meta = {name: value for name, value in row["meta"].items() if name not in {"lastModified", "version"}}
    ordered = {name: sorted(row[name], key=json.dumps) for name in ("members", "groups") if name in row}
    return _ADDRESS.sub("", json.dumps({**row, **ordered, "meta": meta}, sort_keys=True))
