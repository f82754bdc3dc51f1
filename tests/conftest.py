"""What every test may ask for: a store on each database, and an environment that names no AWS account."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine

from connector.store.migrations import migrate, open_database
from connector.store.sql.database import Database
from tests.postgres import new_database, running_server

settings.register_profile(
    "tests", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell lets what it starts in the background ignore Ctrl-C, and so would the commands that tests interrupt."""


class _LoaderForAll(Loader):
    """Reads each model of a service once a process: reading them anew is most of what a session costs."""

    @property
    def search_paths(self) -> list[str]:
        """Where models are; each session of boto3 adds its folder to this list, which is a copy."""
        return list(super().search_paths)


@pytest.fixture(scope="session", autouse=True)
def _one_loader() -> Iterator[None]:
    @cache
    def create_loader(search_path: str | None = None) -> Loader:
        return _LoaderForAll([*(search_path or "").split(os.pathsep), f"{boto3.__path__[0]}/data"])

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(botocore.session, "create_loader", create_loader)
        yield


@pytest.fixture(autouse=True)
def _no_real_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests away from the configuration, the credentials and the proxies of whoever runs them."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "COGNITO_SCIM_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server; the URL of its maintenance database."""
    with running_server() as server:
        yield server.url


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """A new database on the server."""
    with new_database(postgresql) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, on each database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def open_store(store_url: str) -> Iterator[Callable[[], Database]]:
    """Open the store anew, as another process would."""
    opened: list[Database] = []

    def open_again() -> Database:
        if store_url.startswith("postgresql") and not opened:
            fresh = Database(create_engine(store_url))
            migrate(fresh)
            fresh.close()
        opened.append(open_database(store_url))
        return opened[-1]

    yield open_again
    for database in opened:
        database.close()


@pytest.fixture
def database(open_store: Callable[[], Database]) -> Database:
    """A store that is ready for use."""
    return open_store()
