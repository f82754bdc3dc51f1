"""The story of the demonstration: a pool, Test Connectivity, a full sync, an endpoint, and a client that reads it.

Each chapter runs the same code as the command of its name, on a configuration like anybody's. How a chapter looks is
the audience's business.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from connector.bootstrap.runs import check_subject, clients_of, run_sync
from connector.checks.connectivity import Check, check_connectivity
from connector.config import Settings, load_settings
from connector.demo.configuration import write_configuration
from connector.demo.embedded import EmbeddedPool, embedded_pool
from connector.demo.local_environment import isolated
from connector.demo.sample_directory import sample_directory
from connector.demo.serve_process import choose_port, serving
from connector.demo.walk import Comparison, walk_directory
from connector.errors import ConnectorError
from connector.logs import register_secret
from connector.scim.base_url import scim_base_url
from connector.store.clients import ClientRole
from connector.sync.progress import Progress
from connector.sync.result import SyncResult

OPERATOR = "operator"
"""The name of the operator who signs in to the console."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the demonstration is to show.

    Args:
        users: how many users the pool holds.
        groups: how many groups.
        port: where to serve; another one is taken if this one is.
        once: whether to end after a client's walk instead of waiting.
    """

    users: int = 250
    groups: int = 12
    port: int = 8080
    once: bool = False


@dataclass(frozen=True, slots=True)
class DemoStage:
    """What the demonstration runs on.

    Args:
        pool: the embedded pool, filled.
        settings: the configuration that names it.
        config: the file that holds the configuration.
        wanted_port: where the directory would be served if that port were free.
    """

    pool: EmbeddedPool
    settings: Settings
    config: Path
    wanted_port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an importer and an operator are given.

    Args:
        base_url: the SCIM base URL.
        token: lets an importer read it.
        console_url: the console.
        operator: the name that signs in to it.
        operator_token: the token that does.
    """

    base_url: str
    token: str = field(repr=False)
    console_url: str
    operator: str
    operator_token: str = field(repr=False)


class Audience(Protocol):
    """Whom the story is told to, a call a chapter, in this order."""

    def see_stage(self, stage: DemoStage) -> None:
        """The pool runs and is filled, and a port was chosen."""

    def watch_checks(self, checks: Iterator[Check]) -> bool:
        """Run Test Connectivity to its end, and tell whether nothing failed."""

    def watch_sync(self) -> AbstractContextManager[Progress]:
        """Give whoever shows the progress of the sync that comes now."""

    def see_sync(self, result: SyncResult) -> None:
        """The sync has ended."""

    def see_endpoint(self, endpoint: Endpoint, config: Path) -> None:
        """The directory is served until somebody ends the demonstration."""

    def see_walk(self, comparison: Comparison) -> None:
        """A client has read everything that is served."""


def tell(wishes: DemoOptions, audience: Audience) -> bool:
    """Tell the story, and return whether it had the right end.

    Raises:
        ConnectorError: a chapter could not be told.
        KeyboardInterrupt: somebody ended the demonstration, which is the only end it has unless it runs once.
    """
    with _stage(wishes) as stage:
        audience.see_stage(stage)
        if not audience.watch_checks(check_connectivity(check_subject(stage.settings))):
            return False
        with audience.watch_sync() as progress:
            result = run_sync(stage.settings, progress)
        audience.see_sync(result)
        if result.exit_code:
            return False
        with _endpoint(stage) as (endpoint, server):
            if wishes.once:
                walk = walk_directory(endpoint.base_url, endpoint.token)
                comparison = Comparison(walk, stage.pool.count_users(), stage.pool.count_groups())
                audience.see_walk(comparison)
                return comparison.is_exact
            audience.see_endpoint(endpoint, stage.config)
            server.wait()
            raise ConnectorError("The server ended by itself.", remedy="Run the demonstration again.")


@contextmanager
def _stage(wishes: DemoOptions) -> Iterator[DemoStage]:
    """Set everything up for the length of a block, and leave nothing behind."""
    with (
        TemporaryDirectory(prefix="cognito-scim-demo-") as folder,
        embedded_pool() as pool,
        isolated(pool.endpoint),
    ):
        pool.fill(sample_directory(users=wishes.users, groups=wishes.groups, pool_id=pool.pool_id))
        config = write_configuration(pool, Path(folder), port=choose_port(wishes.port))
        settings = load_settings(config, os.environ, reads_pool=True)
        for secret in settings.secrets():
            register_secret(secret)
        yield DemoStage(pool, settings, config, wishes.port)


@contextmanager
def _endpoint(stage: DemoStage) -> Iterator[tuple[Endpoint, subprocess.Popen[bytes]]]:
    with clients_of(stage.settings) as clients:
        token = clients.create("demo").token
        operator_token = clients.create(OPERATOR, role=ClientRole.OPERATOR).token
    base_url = stage.settings.server.base_url()
    with serving(stage.config, stage.settings.server.port) as server:
        yield Endpoint(scim_base_url(base_url), token, f"{base_url}/console/", OPERATOR, operator_token), server
