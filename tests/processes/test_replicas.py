"""Two `serve` processes on one PostgreSQL are one service: whichever is asked, the answer is the same."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.clients import ClientRole, Clients, Grant
from connector.store.migrations import migrate, open_database
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from tests.postgres import new_database
from tests.store.population import Directory, people, publish_directory
from tests.web.described import demand

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def document(self):
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Replica:
    """One process that serves."""

    base: str

    def ask(self, path, token="", body=None, method=None):
        """Send a request."""
        data = None if body is None else body.encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.base}{path}", data, headers, method=method)  # noqa: S310 - loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())


@dataclass(frozen=True)
class Service:
    """Two replicas and what they share."""

    replicas: tuple[Replica, Replica]
    store: Database
    importer: str
    operator: str


@contextmanager
def serving(store_url, folder):
    """Serve a store on a free port."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COGNITO_"))}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
        "COGNITO_SCIM_STORE__URL": store_url,
        "COGNITO_SCIM_SERVER__PORT": "0",
    }
    with (folder / f"{uuid.uuid4().hex}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", "serve"],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Replica(process.stdout.readline().removeprefix("SCIM base URL: ").strip().removesuffix("/scim/v2"))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def store_url(postgresql):
    """A database of its own for this module."""
    with new_database(postgresql) as url:
        yield url


@pytest.fixture(scope="module")
def service(store_url, tmp_path_factory):
    """Two replicas, an importer and an operator."""
    fresh = Database(create_engine(store_url))
    migrate(fresh)
    fresh.close()
    store, folder = open_database(store_url), tmp_path_factory.mktemp("replicas")
    tokens = Clients(store).create("idp").token, Clients(store).create("ops", role=ClientRole.OPERATOR).token
    with serving(store_url, folder) as one, serving(store_url, folder) as other:
        yield Service((one, other), store, *tokens)
    store.close()


def follow(replica, path, token):
    """Look at a run until it has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (run := replica.ask(path, token).document)["state"] != "ended":
        assert time.monotonic() < deadline, run
        time.sleep(0.1)
    return run


def test_one_walk_is_answered_from_one_generation_by_both(service):
    """P14: the pin is in the store, so the next page may be asked anywhere, whatever was published meanwhile."""
    publish_directory(service.store, Directory(people(5)))
    one, other = service.replicas
    first = one.ask("/scim/v2/Users?startIndex=1&count=2", service.importer).document
    publish_directory(service.store, Directory(people(3)))
    rest = [
        replica.ask(f"/scim/v2/Users?startIndex={start}&count=2", service.importer).document
        for replica, start in ((other, 3), (one, 5))
    ]

    assert [len(page["Resources"]) for page in (first, *rest)] == [2, 2, 1]
    assert [row["id"] for page in (first, *rest) for row in page["Resources"]] == [f"u{at:05}" for at in range(1, 6)]
    assert {page["totalResults"] for page in (first, *rest)} == {5}
    assert other.ask("/scim/v2/Users?startIndex=1&count=2", service.importer).document["totalResults"] == 3


def test_a_client_is_let_in_and_shut_out_by_both_at_once(service):
    """P29: made, given a token by one replica, known to the other, and gone from both with the next request."""
    clients = Clients(service.store)
    token = clients.create("oci").token
    oauth = clients.create("sailpoint", grant=Grant.CLIENT_CREDENTIALS)
    one, other = service.replicas
    pair = urllib.parse.urlencode({"client_id": oauth.client_id, "client_secret": oauth.client_secret})
    access = one.ask("/oauth2/token", body=f"grant_type=client_credentials&{pair}").document["access_token"]
    before = [replica.ask("/scim/v2/Schemas", key).status for replica in (one, other) for key in (token, access)]
    clients.revoke("oci")
    clients.revoke("sailpoint")
    after = [replica.ask("/scim/v2/Schemas", key).status for replica in (other, one) for key in (token, access)]

    assert (before, after) == ([200] * 4, [401] * 4)


def test_both_know_the_run_under_way(service):
    """P20: a sync anywhere is a sync everywhere; asked for a second time, both name it."""
    with begin(service.store, RunKind.SYNC, cause=Cause.COMMAND) as run:
        answers = [replica.ask("/api/v1/runs", service.operator, '{"kind": "sync"}') for replica in service.replicas]
        seen = [replica.ask(f"/api/v1/runs/{run.id}", service.operator).document for replica in service.replicas]
        run.end(RunOutcome.UNCHANGED, {})

    assert [(answer.status, answer.document["run"]) for answer in answers] == [(409, run.id)] * 2
    assert [found["state"] for found in seen] == ["running"] * 2


def test_a_run_asked_of_one_is_in_the_history_of_both(service):
    """P20: whichever replica executes it, it is one run, and both tell how it ended and count it once."""
    one, other = service.replicas
    before = counts(one, service.importer)
    asked = one.ask("/api/v1/runs", service.operator, '{"kind": "check"}')
    number = asked.document["id"]
    ended = follow(other, f"/api/v1/runs/{number}", service.operator)
    histories = [replica.ask("/api/v1/runs?count=100", service.operator).document["runs"] for replica in (one, other)]
    after = [counts(replica, service.importer) for replica in (one, other)]

    assert (asked.status, asked.headers["location"]) == (202, f"{one.base}/api/v1/runs/{number}")
    assert (ended["cause"], ended["outcome"]) == ("api", "failed")  # there is no pool to be reached
    demand("Run", ended)
    demand("RunList", one.ask("/api/v1/runs", service.operator).document)
    assert histories[0] == histories[1]
    assert [run["id"] for run in histories[0]].count(number) == 1
    assert after[0] == after[1]
    assert after[0]["check", "failed"] == before["check", "failed"] + 1


def counts(replica, token):
    """Return how many runs ended, as a replica tells it."""
    families = text_string_to_metric_families(replica.ask("/metrics", token).text)
    return {
        (sample.labels["kind"], sample.labels["outcome"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "cognito_scim_runs_total"
    }


def test_both_are_ready_for_the_same_reasons(service):
    """P21: readiness is about the store they share."""
    publish_directory(service.store, Directory(people(4)))
    answers = [replica.ask("/readyz") for replica in service.replicas]

    assert [(answer.status, answer.document) for answer in answers] == [(200, {"ready": True, "reasons": []})] * 2
