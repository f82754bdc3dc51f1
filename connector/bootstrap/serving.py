"""Wires together from Settings what answers readers: the directory, the web application, and the runner beside it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

from connector.bootstrap.console import console_parts
from connector.bootstrap.feed import feed_of
from connector.bootstrap.from_settings import schedules_of
from connector.config import Settings, find_config, load_settings
from connector.config.values import seconds
from connector.logs import register_secret
from connector.runner.service import Runner
from connector.scim.base_url import scim_base_url
from connector.scim.evaluate import Evaluator
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.store.reading.matches import Matches
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.search_process import SearchProcess
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.store.sql.database import SERVING_CACHE_KIB
from connector.web.services import Services


def runner_of(settings: Settings, command: Sequence[str], is_wanted: Callable[[], bool]) -> Runner:
    """Return what queues and executes runs beside serving; see `Runner` for the arguments.

    Raises:
        ConfigError, StoreError: the store is not ready.
    """
    database = open_database(settings.store.url.get_secret_value())
    return Runner(database, schedules_of(settings), command, is_wanted, feed=feed_of(settings, database))


@contextmanager
def reader_of(settings: Settings) -> Iterator[DirectoryReader]:
    """Give the published directory, for the length of a block; a store that is not there is not made."""
    with closing(open_database(settings.store.url.get_secret_value(), make=False)) as database:
        yield DirectoryReader(database, Evaluator(scim_base_url(settings.server.base_url())))


def search_matches(url: str, public_base_url: str) -> Matches:
    """Return what searches in a process of its own.

    Args:
        url: the store.
        public_base_url: where importers reach the server.
    """
    return Matches(open_database(url, make=False), Evaluator(scim_base_url(public_base_url)))


def web_services(settings: Settings | None = None, *, port: int | None = None) -> Services:
    """Return what the web application serves from.

    Args:
        settings: the configuration; None reads it as the command line would.
        port: the port really listened on, where the configured one is 0.

    Raises:
        ConfigError, SchemaTooOld, SchemaTooNew, StoreError: the configuration or the store is not ready.
    """
    if settings is None:
        settings = load_settings(find_config(None, os.environ), os.environ, reads_pool=False)
        for secret in settings.secrets():
            register_secret(secret)
    url, base_url = settings.store.url.get_secret_value(), settings.server.base_url(port)
    database = open_database(url, cache_kib=SERVING_CACHE_KIB)
    elsewhere = SearchProcess(partial(search_matches, url, base_url))
    schedules = schedules_of(settings)
    return Services(
        reader=DirectoryReader(database, Evaluator(scim_base_url(base_url)), elsewhere=elsewhere),
        pins=Pins(database, timeout=seconds(settings.sync.walk_timeout)),
        walk_timeout=seconds(settings.sync.walk_timeout),
        clients=Clients(database),
        runs=Runs(database),
        changes=ChangesReader(database),
        measures=Measures(database, walk_timeout=seconds(settings.sync.walk_timeout)),
        audit=AuditTrail(database),
        public_base_url=base_url,
        max_results=settings.server.max_results,
        trusted_proxies=settings.server.trusted_proxies,
        requests_per_second_per_client=settings.server.rate_limit,
        logs_requests=settings.server.request_log,
        sync_interval=schedules.sync.longest_gap().total_seconds() if schedules.sync else None,
        next_rotation=schedules.rotation.next_after if schedules.rotation else None,
        lending=database.lending,
        console=console_parts(settings, database, schedules),
    )
