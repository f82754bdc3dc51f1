"""Every request is a line of the log, and none holds what a caller would not want to find there."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS
from tests.web.fakes import TOKEN, FakeClients, sample_reader, services_of


def ask(
    path: str, caplog: pytest.LogCaptureFixture, *, token: str = TOKEN, logs: bool = True
) -> list[Mapping[str, Any]]:
    """Ask once, and return the fields of the lines about it."""
    services = services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, logs_requests=logs)
    with caplog.at_level(logging.INFO):
        create_app(services).test_client().get(path, headers={"Authorization": f"Bearer {token}"})
    return [vars(record)["fields"] for record in caplog.records if record.name.endswith(".requests")]


def test_a_request_is_a_line_with_what_was_asked_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    """P27: client, rows and generation; of the query, which may name people, and of the credential nothing."""
    (told,) = ask("/scim/v2/Users?count=2&attributes=nickName", caplog)

    assert (told["method"], told["path"], told["status"], told["rows"]) == ("GET", "/scim/v2/Users", 200, 2)
    assert isinstance(told["generation"], int)
    assert (told["client"] != "-", len(told["request_id"]), told["milliseconds"] >= 0) == (True, 32, True)
    assert [secret for secret in (TOKEN, "nickName") if secret in caplog.text] == []


def test_a_stranger_is_logged_where_lines_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has no credential fills no disk."""
    (told,) = ask("/scim/v2/Users", caplog, token="wrong")

    assert (told["status"], told["client"]) == (401, "-")
    assert "connector.web.requests" in {record.name for record in caplog.records}


def test_requests_are_not_logged_where_nobody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    """server.request_log: false."""
    assert ask("/scim/v2/Users", caplog, logs=False) == []
