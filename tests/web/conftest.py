"""The application over a directory in memory."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.web.app import create_app
from connector.web.services import Services
from tests.web.fakes import TOKEN, FakeClients, FakeReader, sample_reader

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
def app(reader: FakeReader, clients: FakeClients) -> Flask:
    """The application."""
    return create_app(Services(reader, clients, f"{BASE_URL}/", MAX_RESULTS))


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
