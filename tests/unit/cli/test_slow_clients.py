"""`serve` under clients that open connections and then keep still: a promise to those who wait behind them."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.cli.certificates import make_certificate
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_serve import serving

PATIENCE_SECONDS = 60
"""Far above the time a request has to arrive in, and far below what a silent client used to hold up."""

HALF_A_HEADER = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
HALF_A_BODY = b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\ng"
HALF_A_HANDSHAKE = b"\x16\x03\x01"


@contextmanager
def silent(url: str, *beginnings: bytes) -> Iterator[None]:
    """Keep connections open on which no more than a beginning is ever sent."""
    with ExitStack() as stack:
        for beginning in beginnings:
            stack.enter_context(connect(url)).sendall(beginning)
        yield


def connect(url: str) -> socket.socket:
    """Return a connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_SECONDS)


def ask_alive(connection: socket.socket) -> bytes:
    """Return the first line of the answer to the question whether it lives."""
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection.makefile("rb").readline()


@pytest.mark.usefixtures("run")
def test_silent_clients_do_not_keep_others_out() -> None:
    """More connections than threads, each with half a header or half a body, are let go in bounded time."""
    with serving() as (_, url), silent(url, *[HALF_A_BODY, HALF_A_HEADER] * 20), connect(url) as connection:
        assert ask_alive(connection) == b"HTTP/1.1 200 OK\r\n"


def test_silent_handshakes_do_not_keep_others_out(folder: Path, run: Run) -> None:
    """Nor do connections that begin TLS and do not go on."""
    run("client", "create", "importer")
    chain, key = make_certificate(folder)
    files = {"COGNITO_SCIM_SERVER__TLS_CERTIFICATE": str(chain), "COGNITO_SCIM_SERVER__TLS_KEY": str(key)}
    context = ssl.create_default_context(cafile=str(chain))
    with (
        serving(**files) as (_, url),
        silent(url, *[HALF_A_HANDSHAKE] * 40),
        connect(url) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        assert ask_alive(connection) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.usefixtures("run")
def test_half_a_body_is_answered_with_400() -> None:
    """Who was too slow is told so, and no traceback is logged."""
    with serving() as (process, url), connect(url) as connection:
        connection.sendall(HALF_A_BODY)
        answer = connection.makefile("rb").readline()
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (answer, "Traceback" in err) == (b"HTTP/1.1 400 BAD REQUEST\r\n", False)


@pytest.mark.usefixtures("run")
def test_a_malformed_chunk_is_answered_with_400() -> None:
    """P31: nobody fills the log with tracebacks by bodies that are no chunks."""
    with serving() as (process, url), connect(url) as connection:
        connection.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        answer = connection.makefile("rb").readline()
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (answer, "Traceback" in err) == (b"HTTP/1.1 400 BAD REQUEST\r\n", False)
