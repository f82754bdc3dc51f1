"""`serve`: what it refuses to start with, how it says that it runs, and how it ends."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.certificates import make_certificate
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(**variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `serve` on a free port and give the process and the SCIM base URL that it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COGNITO_SCIM_SERVER__PORT": "0", **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().removeprefix("SCIM base URL: ").strip()
    finally:
        process.kill()
        process.communicate()


def ask(url: str, token: str = "", context: ssl.SSLContext | None = None) -> int:
    """Return the status of a request."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, context=context) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_ends_cleanly(number: signal.Signals, run: Run) -> None:
    """It prints the base URL once it answers; SIGTERM and Ctrl-C end it with 0 and no traceback."""
    token = run("client", "create", "importer", "--json").document["token"]
    with serving() as (process, url):
        answers = (ask(f"{url}/Schemas", token), ask(f"{url}/Schemas", "wrong"), ask(f"{url}/Users", token))
        process.send_signal(number)
        _, err = process.communicate(timeout=30)

    assert answers == (200, 401, 503)
    assert (process.returncode, "Traceback" in err, "there is no client" in err) == (0, False, False)


def test_without_a_client_serve_warns(run: Run) -> None:
    """P28: no client made means a warning, and everything answers 401."""
    run("client", "create", "gone")
    run("client", "revoke", "gone")
    with serving() as (process, url):
        status = ask(f"{url}/Schemas")
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (status, "there is no client, so every request is answered with 401" in err) == (401, True)
    told = ("Configuration: the environment", "Store: sqlite:", "Generation: none is published yet", "Clients: 0")
    assert [words for words in told if words not in err] == []
    assert "User pool: none is configured" in err


def test_serve_does_tls_itself(certificate: tuple[Path, Path]) -> None:
    """TLS by certificate files, without a proxy."""
    chain, key = certificate
    files = {"COGNITO_SCIM_SERVER__TLS_CERTIFICATE": str(chain), "COGNITO_SCIM_SERVER__TLS_KEY": str(key)}
    with serving(**files) as (_, url):
        status = ask(f"{url}/Schemas", context=ssl.create_default_context(cafile=str(chain)))

    assert (url[:8], status) == ("https://", 401)


def test_logs_of_the_server_are_json_when_asked_for(folder: Path) -> None:
    """P32: granian's own messages go through the same formatter."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "--log-format", "json", "serve"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COGNITO_SCIM_SERVER__PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    _, err = process.communicate(timeout=30)

    assert [line for line in err.splitlines() if not (line.startswith('{"time": ') and line.endswith("}"))] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_without_protection_is_refused(host: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract: it refuses to start on a public address without TLS or a declared proxy."""
    monkeypatch.setenv("COGNITO_SCIM_SERVER__HOST", host)
    done = run("serve")

    assert (done.code, f"server.host is {host}, which others can reach" in done.err) == (78, True)


def test_a_port_in_use_is_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message that says what, where and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("COGNITO_SCIM_SERVER__PORT", str(port))
        done = run("serve")

    assert done.code == 78
    assert done.err.splitlines()[-2:] == [
        f"cognito-scim: Port {port} of 127.0.0.1 cannot be served on: Address already in use.",
        "  Stop what uses it, or choose another server.port.",
    ]


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_of_elsewhere_is_one_message(host: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is an address that this machine does not have."""
    monkeypatch.setenv("COGNITO_SCIM_SERVER__HOST", host)
    monkeypatch.setenv("COGNITO_SCIM_SERVER__TRUSTED_PROXIES", "1")
    monkeypatch.setenv("COGNITO_SCIM_SERVER__PORT", "0")

    assert (run("serve").code, "Traceback" in run("serve").err) == (78, False)


@pytest.mark.parametrize("spoil", ["absent", "unreadable", "not-pem", "other-key"])
def test_a_certificate_that_cannot_be_used_is_one_message(
    spoil: str, certificate: tuple[Path, Path], run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, unreadable (a folder, which not even root reads), no PEM, or not the certificate's key."""
    chain, key = certificate
    (folder / "not-pem").write_text("hello")
    paths = {"absent": folder / "absent", "unreadable": folder, "not-pem": folder / "not-pem", "other-key": chain}
    monkeypatch.setenv("COGNITO_SCIM_SERVER__TLS_CERTIFICATE", str(chain))
    monkeypatch.setenv("COGNITO_SCIM_SERVER__TLS_KEY", str(paths[spoil]))
    monkeypatch.setenv("COGNITO_SCIM_SERVER__PORT", "0")
    done = run("serve")

    assert (done.code, "server.tls_certificate" in done.err, str(key) in done.err) == (78, True, False)


@pytest.fixture
def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    return make_certificate(folder)
