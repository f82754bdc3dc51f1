"""The demonstration's server and client say what went wrong, and leave nothing running."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from connector.demo.serve_process import choose_port, serving
from connector.demo.walk import ClientWalk, Comparison, walk_directory
from connector.errors import ConnectorError


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer as a server does that does not know the client."""
        body = b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "401", "detail": "Who?"}'
        self.send_response(401)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def refusing_server() -> Iterator[str]:
    """A SCIM endpoint that lets nobody in."""
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/scim/v2"
        server.shutdown()
        thread.join()


def test_free_port_is_taken_as_wished() -> None:
    """A port that somebody has just left counts as free."""
    wanted = choose_port(0)

    assert wanted == choose_port(wanted)


def test_taken_port_is_replaced() -> None:
    """Somebody listens already."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        assert taken != choose_port(taken)


def test_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Its own message comes through, in one line."""
    config = tmp_path / "config.yaml"
    config.write_text("server:\n  port: not-a-port\n")

    with pytest.raises(ConnectorError, match=r"did not start: .*server\.port"), serving(config, choose_port(0)):
        pass


def test_walk_that_is_refused_says_why() -> None:
    """The client's error becomes one message of ours."""
    with refusing_server() as base_url, pytest.raises(ConnectorError, match="ended early"):
        walk_directory(base_url, "ccs_unknown")


def test_walk_to_nobody_says_why() -> None:
    """Nothing listens there."""
    with pytest.raises(ConnectorError, match="ended early"):
        walk_directory(f"http://127.0.0.1:{choose_port(0)}/scim/v2", "ccs_unknown")


@pytest.mark.parametrize(("users", "groups", "exact"), [(250, 12, True), (249, 12, False), (250, 13, False)])
def test_comparison_is_exact_only_when_everybody_was_met(*, users: int, groups: int, exact: bool) -> None:
    """One user too few or one group too many, and the demonstration fails."""
    comparison = Comparison(ClientWalk(users, groups, pages=4), users=250, groups=12)

    assert exact == comparison.is_exact
    assert comparison.sentence() == f"walked {users} of 250 users and {groups} of 12 groups in 4 pages of 100"
