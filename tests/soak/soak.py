"""Sync, publish, walk and kill, all at once and for a while; afterwards nothing has happened that must not.

A disturbance of each kind in an order thrown by dice; after each, the next sync must succeed without repair (P22).
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine

from connector.store.clients import ClientRole, Clients
from connector.store.migrations import migrate, open_database
from connector.store.runs.queue import Runs
from connector.store.sql.database import Database
from tests.fakes.faults import Fault
from tests.fakes.simulated_pool import SimulatedPool
from tests.soak.drift import LivingPool
from tests.soak.importer import Caller, Importer
from tests.soak.processes import PATIENCE, Folder, Server, kill, serving, wait_until
from tests.soak.record import Record

IMPORTERS = 3
REFUSED_EXIT, DENIED_EXIT = 3, 77
FEWEST_CALLS = 10
"""A harvest of the living pool makes more."""

_GOOD = {"published", "unchanged"}
_WATCH_SECONDS = 0.5


@dataclass
class Soak:
    """One store under load.

    Args:
        pool: the source; `living` is who is in it.
        folder: where processes run.
        servers: those that serve the store.
        operator: asks for runs by HTTP.
        record: what was published.
        importers: who walks meanwhile.
        dice: decides what happens, and when.
    """

    pool: SimulatedPool
    living: LivingPool
    folder: Folder
    servers: list[Server]
    operator: Caller
    runs: Runs
    record: Record
    importers: list[Importer]
    dice: Random
    happened: Counter[str] = field(default_factory=Counter)

    def disturb_all(self) -> None:
        """Let each disturbance happen once, in any order, and sync after each."""
        disturbances: list[Callable[[], None]] = [
            self.kill_harvest,
            self.kill_later,
            self.kill_child,
            self.kill_server,
            self.refuse,
            self.fail,
        ]
        self.dice.shuffle(disturbances)
        for disturbance in disturbances:
            self._drift_meanwhile()
            disturbance()
            self.happened[disturbance.__name__] += 1
            self._drift_meanwhile()
            self.succeed()
            self.demand()

    def kill_harvest(self) -> None:
        """Kill a sync at one of its calls."""

        def meanwhile(process: Popen[str]) -> None:
            self.pool.before("*", call=self._soon(), do=process.kill)

        self.folder.sync(meanwhile)

    def kill_later(self) -> None:
        """Kill a sync some time after its harvest has begun, wherever it then is: comparing, publishing, tidying up."""

        def meanwhile(process: Popen[str]) -> None:
            begun = self.pool.calls["ListGroups"]
            wait_until(lambda: self.pool.calls["ListGroups"] > begun or process.poll() is not None, "no harvest")
            time.sleep(self.dice.random())
            process.kill()

        self.folder.sync(meanwhile)

    def kill_child(self) -> None:
        """Kill the process in which a server executes a run; the server records that."""
        run = self._ask_for_sync()
        word = f"execute-run {run} "
        found = wait_until(lambda: self.folder.processes(word) or self._has_ended(run), "no child")
        time.sleep(self.dice.random())
        for process in found if isinstance(found, list) else ():
            kill(process)
        wait_until(lambda: self._has_ended(run), f"run {run} was killed")

    def kill_server(self) -> None:
        """Kill a server while it executes a run, or another one does; what it was executing ends with it."""
        run, server = self._ask_for_sync(), self.dice.choice(self.servers)
        time.sleep(self.dice.random() * 2)
        server.kill()
        server.restart()
        wait_until(lambda: self._has_ended(run), f"run {run} lost its server")

    def refuse(self) -> None:
        """Let most of the pool seem to be gone, which the safeguard refuses."""
        with self.living.poisoned(emptied=True):
            code, result = self._sync_when_free()
        assert (code, result["outcome"]) == (REFUSED_EXIT, "refused"), result

    def fail(self) -> None:
        """Let the harvest fail for good at some call."""
        with self.living.poisoned(emptied=False):
            self.pool.fail("*", call=self._soon(), fault=Fault.ACCESS_DENIED, times=None)
            code, result = self._sync_when_free()
            self.pool.script.forget_faults()
        assert (code, result["outcome"]) == (DENIED_EXIT, "incomplete"), result

    def succeed(self) -> None:
        """Sync as a person would, trying again only while another run is under way."""
        code, result = self._sync_when_free()
        assert code == 0, result
        assert result["outcome"] in _GOOD, result
        self.happened[result["outcome"]] += 1

    def demand(self) -> None:
        """Demand all that must hold."""
        self.record.look()
        self.record.demand_living_runs()
        for importer in self.importers:
            if importer.fault:
                raise importer.fault

    def demand_the_pool(self) -> None:
        """Demand, while the pool rests, that a sync and a walk show exactly who is in it."""
        self.pool.script.forget_hooks()
        self.succeed()
        for importer in self.importers:
            importer.stop()
        self.demand()
        users, groups = self.importers[0].walk()
        names = {row["id"]: row["userName"] for row in users}
        members = {(row["displayName"], names[one["value"]]) for row in groups for one in row.get("members", ())}
        assert sorted(names.values()) == sorted(self.living.names())
        assert members ^ self.living.memberships() == set()
        self.record.demand_ended_runs()

    def _sync_when_free(self) -> tuple[int, Any]:
        """Sync, as soon as no other run is under way."""

        def attempt() -> Any:
            code, result = self.folder.sync()
            if result and result["run"] is None and result["cause"].startswith("Already running"):
                return None
            return code, result

        done: tuple[int, Any] = wait_until(attempt, "a run never ended")
        return done

    def _ask_for_sync(self) -> int:
        """Queue a sync by HTTP, as soon as none is under way."""

        def attempt() -> Any:
            self.runs.claim(())  # ends what died, as any look at the queue does
            try:
                return self.operator.ask("/api/v1/runs", {"kind": "sync"})["id"]
            except OSError:
                return None

        number: int = wait_until(attempt, "no run could be queued")
        return number

    def _has_ended(self, run: int) -> bool:
        return self.runs.find(run).state == "ended"

    def _soon(self) -> int:
        """Return the number of one of the calls that the next harvest makes."""
        return self.pool.calls["*"] + self.dice.randint(1, FEWEST_CALLS)

    def _drift_meanwhile(self) -> None:
        """Let the pool live on, now and at some of the next calls, and throttle some of them."""
        self.living.drift()
        for _ in range(3):
            self.pool.before("*", call=self._soon(), do=self.living.drift)


def soak(store_url: str, *, seed: int, servers: int, goes_on: Iterable[object]) -> Counter[str]:
    """Put one store under load, and return what happened how often.

    Args:
        store_url: an empty store.
        seed: for the dice; the same one throws the same disturbances, if not to the same millisecond.
        servers: how many processes serve it.
        goes_on: all disturbances happen once for each item.

    Raises:
        AssertionError: something happened that must not.
    """
    with _prepared(store_url, seed, servers) as under_load:
        for _ in goes_on:
            under_load.disturb_all()
        under_load.demand_the_pool()
        finished = sum(importer.finished for importer in under_load.importers)
        assert finished > len(under_load.importers), "hardly a walk was finished"
        counts = {"walks": finished, "expired walks": sum(importer.expired for importer in under_load.importers)}
        return under_load.happened + Counter({**counts, "generations": under_load.record.look()})


@contextmanager
def _prepared(store_url: str, seed: int, servers: int) -> Iterator[Soak]:
    dice = Random(seed)  # noqa: S311 - for disturbances, not for secrets
    living = LivingPool(Random(seed))  # noqa: S311 - likewise
    with ExitStack() as last, TemporaryDirectory(prefix="soak-") as place:
        pool = last.enter_context(SimulatedPool(population=living))
        pool.throttle(0.02, seed=seed)
        folder = Folder(Path(place), store_url, pool.endpoint_url)
        last.callback(folder.kill_all)
        store = _open(store_url)
        last.callback(store.close)
        assert folder.sync()[0] == 0, folder.log()
        record, clients = Record(store), Clients(store)
        operator = clients.create("operator", role=ClientRole.OPERATOR).token
        served = last.enter_context(serving(folder, servers))
        tokens = [clients.create(f"importer{number}").token for number in range(IMPORTERS)]
        importers = [Importer(Caller(served, token, Random(dice.random())), record) for token in tokens]  # noqa: S311
        caller = Caller(served, operator, dice)
        last.enter_context(_watching(record))
        for importer in importers:
            last.callback(importer.stop)
            importer.start()
        try:
            yield Soak(pool, living, folder, served, caller, Runs(store), record, importers, dice)
        except BaseException:
            sys.stderr.write(f"--- seed {seed}; the last that was logged:\n{folder.log()}")
            raise


def _open(store_url: str) -> Database:
    if store_url.startswith("postgresql"):
        fresh = Database(create_engine(store_url))
        migrate(fresh)
        fresh.close()
    return open_database(store_url)


@contextmanager
def _watching(record: Record) -> Iterator[None]:
    """Look at the store all the time, so that no generation comes and goes unseen."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_SECONDS):
            record.look()

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)
