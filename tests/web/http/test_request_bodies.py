"""Bodies that are cut off, malformed or too large, as a server hands them over and on real sockets."""

import io
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from connector.web.http.request_bodies import MAX_CONTENT_BYTES
from tests.web.fakes import OPERATOR_TOKEN, TOKEN, FakeRuns

CHECK = b'{"kind": "check"}'
READERS = [
    ("/oauth2/token", ""),
    ("/api/v1/runs", OPERATOR_TOKEN),
    ("/scim/v2/.search", TOKEN),
    ("/scim/v2/Users/.search", TOKEN),
]
"""Every address that reads a body, and who may send one."""


class InvalidChunk(Exception):
    """What a server raises, of a class that nobody else knows."""


class Malformed(io.BytesIO):
    """A body that its server cannot read."""

    def readinto(self, _: Any, /) -> int:
        """Fail as a server does whose client sends no chunks."""
        raise InvalidChunk


def send(app: Flask, address: str, token: str, body: io.IOBase, length: str = "") -> TestResponse:
    """Post a body as a server hands it over that knows its end, with or without a length."""
    return app.test_client().post(
        address,
        input_stream=body,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": length},
    )


@pytest.mark.parametrize(("address", "token"), READERS)
def test_a_malformed_body_is_the_callers_fault(
    app: Flask, address: str, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P31: 400, and nothing in the log, which anybody could fill."""
    answer = send(app, address, token, Malformed())

    assert (answer.status_code, caplog.text) == (400, "")


@pytest.mark.parametrize(("address", "token"), READERS)
def test_a_body_that_ends_early_is_refused(app: Flask, address: str, token: str) -> None:
    """RFC 9112, section 8: an incomplete message is not processed, even where it could be."""
    answer = send(app, address, token, io.BytesIO(CHECK), length=str(len(CHECK) + 1))

    assert answer.status_code == 400


@pytest.mark.parametrize(("address", "token"), READERS)
def test_a_body_without_length_is_refused_when_it_is_too_large(app: Flask, address: str, token: str) -> None:
    """P32: what stands in the first 64 KiB is not executed."""
    answer = send(app, address, token, io.BytesIO(b"{}".ljust(MAX_CONTENT_BYTES) + b"!"))

    assert answer.status_code == 413


@pytest.mark.parametrize(("address", "token"), READERS[1:])
def test_a_json_body_with_a_name_twice_is_refused(app: Flask, runs: FakeRuns, address: str, token: str) -> None:
    """RFC 8259, section 4: it means one thing here and another elsewhere, so it starts and finds nothing."""
    body = b'{"\\ud800": 1, "kind": "check", "\\ud800": 2}'
    answer = send(app, address, token, io.BytesIO(body))

    assert (answer.status_code, runs.known) == (400, [])
    assert json.loads(answer.data)["detail"] == "The name '\\ud800' comes twice in an object of the body."


def test_a_body_without_length_may_be_as_large_as_another(app: Flask, runs: FakeRuns) -> None:
    """64 KiB are not over 64 KiB."""
    answer = send(app, "/api/v1/runs", OPERATOR_TOKEN, io.BytesIO(CHECK.ljust(MAX_CONTENT_BYTES)))

    assert (answer.status_code, len(runs.known)) == (202, 1)


def test_what_is_over_the_limit_starts_nothing(app: Flask, runs: FakeRuns) -> None:
    """A run is asked for by a whole request."""
    answer = send(app, "/api/v1/runs", OPERATOR_TOKEN, io.BytesIO(CHECK.ljust(MAX_CONTENT_BYTES) + b"}"))

    assert (answer.status_code, json.loads(answer.data)["status"], runs.known) == (413, 413, [])
