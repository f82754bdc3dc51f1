"""`cognito-scim demo` from end to end: real processes, real HTTP, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

HOSTILE = {
    "AWS_CA_BUNDLE": "/no/such/bundle.pem",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_PROFILE": "no-such-profile",
    "COGNITO_SCIM_SERVER__PORT": "1",
    "COGNITO_SCIM_STORE__URL": "postgresql://127.0.0.1:9/production",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}
NAMES = [
    "configuration",
    "credentials",
    "clock",
    "assume_role",
    "external_id",
    "list_users",
    "list_groups",
    "list_users_in_group",
    "configured_groups",
    "store",
]


def command(*options: str) -> list[str]:
    """The demonstration, on any free port unless an option names one."""
    return [sys.executable, "-m", "connector", "demo", "--port", "0", *options]


def environment(folder: Path, **more: str) -> Mapping[str, str]:
    """The environment of a process whose temporary files go to a folder."""
    return {**os.environ, "TMPDIR": str(folder), **more}


def run(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration to its end."""
    return subprocess.run(
        command(*options), env=environment(folder, **more), capture_output=True, text=True, check=False
    )


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demonstration, and kill it if nobody ends it."""
    with subprocess.Popen(
        command("--users", "20", "--groups", "3"),
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests may ignore it, as nohup does, and a child ignores what its parent ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - no thread is started here
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], last: str) -> str:
    """Return what a process printed, up to a line."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith(last):
            return printed
    assert process.stderr is not None
    raise AssertionError(printed + process.stderr.read())


def leftovers(folder: Path) -> list[str]:
    """What a demonstration left among the temporary files."""
    return [path.name for path in folder.iterdir()]


def test_once_walks_everybody_whatever_the_environment_says(tmp_path: Path) -> None:
    """The contract's last line, with somebody's real profile, proxy, store and port in the environment."""
    done = run(tmp_path, "--once", "--users", "140", "--groups", "5", **HOSTILE)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout.splitlines()[-1] == "walked 140 of 140 users and 5 of 5 groups in 3 pages of 100"
    assert leftovers(tmp_path) == []


def test_once_tells_programs_the_same_as_one_document(tmp_path: Path) -> None:
    """`--json`: the checks in the order of the contract, the result of the sync, and the walk."""
    done = run(tmp_path, "--once", "--users", "40", "--groups", "5", "--json")

    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert [(name, "passed") for name in NAMES] == [(one["name"], one["status"]) for one in document["checks"]]
    assert document["pool"] == {"users": 40, "groups": 5}
    assert (document["sync"]["outcome"], document["sync"]["rejects"]) == ("published", [])
    assert document["walked"] == {"users": 40, "groups": 5, "pages": 2, "page_size": 100}


def test_taken_port_is_said_and_another_one_is_used(tmp_path: Path) -> None:
    """A pool without users is walked, too: a page that is empty is a page."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(tmp_path, "--once", "--users", "0", "--groups", "1", "--port", str(port))

    assert done.returncode == 0, done.stderr
    assert f"Port {port} is taken" in done.stdout
    assert done.stdout.splitlines()[-1] == "walked 0 of 0 users and 1 of 1 groups in 2 pages of 100"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_printed_curl_line_reads_the_directory_until_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    """What is printed works as printed; afterwards there is no process, no port and no file."""
    with running(tmp_path) as process:
        printed = read_until(process, "Ctrl-C ends it.")
        header, url = re.findall(r"curl -s -H '([^']+)' '([^']+)'", printed)[0]
        request = urllib.request.Request(url, headers=dict([header.split(": ")]))  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            page = json.load(answer)
        process.send_signal(number)
        _, errors = process.communicate()

    assert (page["totalResults"], len(page["Resources"])) == (20, 2)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(urlsplit(url).port or 0))) != 0
    assert leftovers(tmp_path) == []


def test_running_demo_can_be_asked_by_the_other_commands(tmp_path: Path) -> None:
    """The configuration that it prints is anybody's: the command line reads the same directory."""
    with running(tmp_path) as process:
        printed = read_until(process, "Ctrl-C ends it.")
        config = re.findall(r"--config (\S+)", printed)[0]
        mode = Path(config).stat().st_mode & 0o777
        listed = subprocess.run(
            [sys.executable, "-m", "connector", "--config", config, "list", "groups", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        process.send_signal(signal.SIGINT)
        process.communicate()

    assert mode == 0o600
    assert "all-staff" in listed.stdout
    assert process.returncode == 0


@pytest.mark.parametrize("missing", ["moto", "scim2_client", "httpx2", "flask_cors"])
def test_missing_extra_is_named_in_one_message(missing: str) -> None:
    """Exit code 78 and what to install; no traceback."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None; "
        "from connector.cli.main import execute; sys.exit(execute(['demo', '--once']))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (78, "")
    assert "pip install '.[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [["--users", "-1"], ["--groups", "0"], ["--port", "65536"]])
def test_impossible_wish_is_a_usage_error(tmp_path: Path, option: list[str]) -> None:
    """Exit code 2, before anything is started."""
    done = run(tmp_path, "--once", *option)

    assert (done.returncode, done.stdout) == (2, "")
