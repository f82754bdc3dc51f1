"""Files and URLs that are not what they should be: a fault of the configuration, at once, that shows no secret."""

import os
from pathlib import Path

import pytest

from connector.config import load_settings
from connector.errors import ConfigError
from connector.store.migrations import open_database


def load(path: Path | None, **environment: str) -> None:
    """Load a configuration."""
    load_settings(path, {f"COGNITO_SCIM_{name}": value for name, value in environment.items()}, reads_pool=False)


def test_a_pipe_or_a_device_is_not_a_configuration(tmp_path: Path) -> None:
    """Bad input gets a clear error: neither waits for a writer nor reads without end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(ConfigError, match="cannot be read: it is not a file"):
            load(path)
        with pytest.raises(ConfigError, match="it is not a file"):
            load(None, STORE__URL_FILE=str(path))


def test_a_configuration_without_end_is_refused(tmp_path: Path) -> None:
    """P23: nobody's configuration has megabytes."""
    path = tmp_path / "config.yaml"
    path.write_bytes(b"#" * (5 * 1024 * 1024))

    with pytest.raises(ConfigError, match="too large"):
        load(path)


@pytest.mark.parametrize("name", ["x" * 5000, "folder/" * 1000 + "x"])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path) -> None:
    """Bad input gets a clear error, which is not as long as the name."""
    with pytest.raises(ConfigError, match="too long") as caught:
        open_database(f"sqlite:///{tmp_path}/{name}")

    assert (caught.value.exit_code, len(caught.value.message) < 300) == (78, True)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:Sup3r@TAIL@h/db",
        "postgresql://u@TAIL:x@h/db",
        "postgresql://u:Sup3r/TAIL@h/db",
        "postgresql+psycopg://u:Sup3r@TAIL@h:5432/db?sslmode=require",
    ],
)
def test_a_password_that_would_be_taken_for_the_host_is_refused_and_not_shown(url: str) -> None:
    """P27: its end would stand in errors and be asked of the DNS."""
    with pytest.raises(ConfigError, match="%40") as caught:
        load(None, STORE__URL=url)

    assert "TAIL" not in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("url", ["postgresql://u:Sup3r%40TAIL@h/db", "postgresql://h/db?user=a@b.example"])
def test_an_at_sign_where_it_belongs_is_taken(url: str) -> None:
    """RFC 3986, section 3.2.1: one stands between user and host; a query may hold others."""
    load(None, STORE__URL=url)
