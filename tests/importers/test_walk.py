"""The try of an importer: against the application behind a real socket, in the words of each importer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from connector.directory.runs import Cause, RunKind, RunState
from connector.errors import RunCancelled
from connector.importers.conversations import CONVERSATIONS
from connector.importers.importer_walk import STEPS
from connector.importers.line import Line, Stumble
from connector.importers.profiles import PROFILES
from connector.importers.walk_run import walk_as_importer
from connector.scim.evaluate import Evaluator
from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.queue import Runs
from connector.store.runs.run import take_up
from connector.store.sql.database import Database
from connector.store.sql.tables import clients, pins
from connector.web.app import create_app
from connector.web.console.words import WALK_STEPS
from tests.store.population import Directory, people, publish_directory, team
from tests.web.fakes import services_of

WALK = frozenset({RunKind.WALK})
App = Callable[[dict[str, Any], Any], Any]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


@dataclass
class Served:
    """A directory behind a socket."""

    database: Database
    address: str
    app: App | None = None

    def walk(self, importer: str) -> dict[str, Any]:
        """Try an importer, and return the result of the run."""
        queue = Runs(self.database)
        asked = queue.request(RunKind.WALK, cause=Cause.CONSOLE, importer=importer)
        claim = queue.claim(WALK)
        assert claim
        with take_up(self.database, asked.id, claim.lease.fence) as run:
            walk_as_importer(run, run.importer, f"{self.address}/scim/v2", f"{self.address}/oauth2/token")
        result = queue.find(asked.id).result
        assert result
        return dict(result)


@contextmanager
def _listening(answer: App) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """250 people, in two groups, behind a socket."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('walk')}/store.db")
    folk = people(250)
    members = {"g1": [one.id for one in folk], "g2": [folk[0].id]}
    publish_directory(database, Directory(folk, [team("g1", "Staff"), team("g2", "One")], members))
    made = Served(database, "")

    def answer(environ: dict[str, Any], start: Any) -> Any:
        assert made.app
        return made.app(environ, start)

    with _listening(answer) as address:
        services = services_of(
            DirectoryReader(database, Evaluator(f"{address}/scim/v2")),
            Clients(database),
            address,
            1000,
        )
        services = replace(services, pins=Pins(database, timeout=3600))
        made.address, made.app = address, create_app(services)
        yield made
    database.close()


def test_every_importer_has_its_conversation_and_every_step_its_title():
    """Who has a form can be tried."""
    assert set(PROFILES) == set(CONVERSATIONS)
    assert tuple(WALK_STEPS) == STEPS


@pytest.mark.parametrize("importer", sorted(CONVERSATIONS))
def test_each_importer_sees_everybody(served: Served, importer: str):
    """Every step passes, and what was seen is what is published."""
    result = served.walk(importer)

    assert [step["status"] for step in result["checks"]] == ["passed"] * len(STEPS), result["checks"]
    assert (result["users"], result["groups"], result["memberships"]) == (250, 2, 251)
    assert "all of generation" in result["checks"][-1]["detail"]


def test_a_try_leaves_no_client_behind(served: Served):
    """P29: its credential ends with it, and nothing of it stays in a list."""
    served.walk("okta")

    with served.database.reading() as connection:
        assert connection.execute(select(clients.c.name).where(clients.c.name.startswith("try of "))).all() == []
        assert connection.execute(select(pins.c.client)).all() == []


def test_a_wrong_address_is_the_step_that_fails(served: Served, unused_address: str):
    """The first step says that nobody answers and what to look at; nothing after it is tried."""
    there = Served(served.database, unused_address)

    result = there.walk("oci")

    first, *others = result["checks"]
    assert first["status"] == "failed"
    assert "server.public_base_url" in first["remedy"]
    assert {step["status"] for step in others} == {"skipped"}


def test_whoever_answers_in_its_place_is_noticed(served: Served):
    """A proxy that shows a page of its own is no endpoint."""

    def page(_environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [b"<html>Welcome</html>"]

    with _listening(page) as address:
        result = Served(served.database, address).walk("generic")

    assert "answers 200 to somebody without a credential" in result["checks"][0]["detail"]


def test_rows_that_are_withheld_are_noticed(served: Served, monkeypatch: pytest.MonkeyPatch):
    """P34: an endpoint that loses rows would have an importer remove people; the try says how many."""
    kept = Line.get

    def lossy(line: Line, path: str) -> Any:
        answer = kept(line, path)
        if path.startswith("/Users?") and "startIndex=201&" in path:
            answer.document["Resources"].pop()
        return answer

    monkeypatch.setattr(Line, "get", lossy)

    users = served.walk("oci")["checks"][4]

    assert users["status"] == "failed"
    assert "249 of 250" in users["detail"]


def test_a_try_can_be_cancelled(served: Served):
    """Whoever cancels ends it before its next request, and its credential with it."""
    queue = Runs(served.database)
    asked = queue.request(RunKind.WALK, cause=Cause.CONSOLE, importer="okta")
    claim = queue.claim(WALK)
    assert claim
    queue.cancel(asked.id)

    with pytest.raises(RunCancelled), take_up(served.database, asked.id, claim.lease.fence) as run:
        run.heed()

    assert queue.find(asked.id).state is RunState.ENDED


def test_a_line_without_tls_is_a_stumble_and_no_fault(served: Served):
    """No answer is a stumble with a remedy, never a traceback."""
    line = Line(served.address.replace("http:", "https:"), {}, lambda: None)

    with pytest.raises(Stumble) as stumble:
        line.get("/Users")

    assert "gave no answer" in stumble.value.detail
    assert stumble.value.remedy


@pytest.fixture
def unused_address() -> str:
    """An address at which nobody listens."""
    with _listening(lambda _environ, _start: []) as address:
        pass
    return address
