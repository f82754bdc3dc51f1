"""`serve` under clients that open connections and then keep still: a promise to those who wait behind them."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest

from tests.cli.certificates import make_certificate
from tests.cli.conftest import Run
from tests.cli.test_serve import serving

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


@pytest.mark.usefixtures("run")
def test_connections_that_were_answered_once_do_not_keep_others_out() -> None:
    """Nor do clients that fall silent within their second request."""
    with serving() as (_, url), ExitStack() as stack:
        for _ in range(20):
            kept = stack.enter_context(connect(url))
            assert ask_alive(kept) == b"HTTP/1.1 200 OK\r\n"
            kept.sendall(b"G")

        assert ask_alive(stack.enter_context(connect(url))) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.usefixtures("run")
def test_a_body_may_come_after_its_header_on_a_connection_that_is_kept() -> None:
    """P31: importers send both apart, and the second request has as much time as the first."""
    with serving() as (_, url), connect(url) as connection, connection.makefile("rb") as answers:
        for _ in range(3):
            connection.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n")
            time.sleep(0.2)
            connection.sendall(b"grant_type=client_credentials&x=1")

            assert read_answer(answers) == b"HTTP/1.1 401 Unauthorized\r\n"


def read_answer(answers: BinaryIO) -> bytes:
    """Read an answer to its end and return its first line."""
    first, length = answers.readline(), 0
    while (line := answers.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    answers.read(length)
    return first


@pytest.mark.usefixtures("run")
def test_what_comes_after_a_body_that_was_too_slow_is_no_request() -> None:
    """RFC 9112, section 9.3: a body that was given up leaves nothing on the connection to be taken for a request."""
    with serving() as (_, url), connect(url) as connection, connection.makefile("rb") as answers:
        connection.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n")
        assert read_answer(answers) == b"HTTP/1.1 408 Request Timeout\r\n"

        with suppress(OSError):  # it may be closed by now
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answers.read() == b""


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
def test_half_a_body_is_answered_with_408() -> None:
    """Who was too slow is told so, and no traceback is logged."""
    with serving() as (process, url), connect(url) as connection:
        connection.sendall(HALF_A_BODY)
        answer = connection.makefile("rb").readline()
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (answer, "Traceback" in err) == (b"HTTP/1.1 408 Request Timeout\r\n", False)


@pytest.mark.usefixtures("run")
def test_a_malformed_chunk_is_answered_with_400() -> None:
    """P31: nobody fills the log with tracebacks by bodies that are no chunks."""
    with serving() as (process, url), connect(url) as connection:
        connection.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        answer = connection.makefile("rb").readline()
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (answer, "Traceback" in err) == (b"HTTP/1.1 400 Bad Request\r\n", False)
