"""The application over a directory in memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.web.app import create_app
from tests.web.fakes import TOKEN, FakeClients, FakeClock, FakeReader, FakeRuns, sample_reader, services_of

BASE_URL = "https://scim.example.com"
MAX_RESULTS = 20

Ask = Callable[..., TestResponse]


def document(answer: TestResponse) -> dict[str, Any]:
    """Return the JSON of an answer."""
    return dict(json.loads(answer.data))


@pytest.fixture
def reader() -> FakeReader:
    """A published directory of 25 people and 3 teams."""
    return sample_reader()


@pytest.fixture
def clients() -> FakeClients:
    """One importer and one operator."""
    return FakeClients()


@pytest.fixture
def clock() -> FakeClock:
    """The clock by which limits are counted."""
    return FakeClock()


@pytest.fixture
def runs() -> FakeRuns:
    """An empty queue of runs."""
    return FakeRuns()


@pytest.fixture
def app(reader: FakeReader, clients: FakeClients, clock: FakeClock, runs: FakeRuns) -> Flask:
    """The application."""
    return create_app(services_of(reader, clients, f"{BASE_URL}/", MAX_RESULTS, runs=runs, clock=clock))


@pytest.fixture
def stored_clients(tmp_path: Path) -> Iterator[Clients]:
    """Clients in a store."""
    database = open_database(f"sqlite:///{tmp_path}/clients.db")
    yield Clients(database)
    database.close()


@pytest.fixture
def served(reader: FakeReader, stored_clients: Clients, clock: FakeClock) -> FlaskClient:
    """A client, without credentials, of an application that knows the clients in the store."""
    return create_app(services_of(reader, stored_clients, BASE_URL, MAX_RESULTS, clock=clock)).test_client()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """A client without credentials."""
    return app.test_client()


@pytest.fixture
def ask(http: FlaskClient) -> Ask:
    """Ask as the importer."""

    def send(path: str, method: str = "GET", **options: object) -> TestResponse:
        headers = {"Authorization": f"Bearer {TOKEN}", **dict(options.pop("headers", {}))}  # type: ignore[call-overload]
        return http.open(path, method=method, headers=headers, **options)  # type: ignore[arg-type]

    return send
