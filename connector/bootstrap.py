"""The only place that wires adapters together from Settings.

Conversions from the configuration's words to those of the parts are here too, so that no part knows Settings.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.cognito.sending import Patience
from connector.cognito.session import Access, open_pool
from connector.config import AttributeSource, Settings, find_config, load_settings
from connector.config.values import seconds
from connector.directory.mapping import Fallbacks, Rules
from connector.directory.safeguard import LIMIT_NAMES, Limit, Limits
from connector.errors import ConfigError
from connector.logs import name_run, register_secret, run_context
from connector.scim.evaluate import Evaluator
from connector.store.clients import Clients
from connector.store.collect import Retention
from connector.store.database import Database, connect
from connector.store.migrations import migrate, open_database
from connector.store.reader import DirectoryReader
from connector.store.walks import Walks
from connector.sync.connectivity import Subject
from connector.sync.full_sync import SyncSettings, approve_plan, full_sync, plan_sync
from connector.sync.progress import Progress
from connector.sync.result import SyncResult
from connector.web.services import Services


def access_of(settings: Settings) -> Access:
    """Return who calls AWS, and for which pool."""
    aws, cognito = settings.aws, settings.cognito
    return Access(
        region=cognito.region,
        user_pool_id=cognito.user_pool_id,
        credential_source=aws.credential_source,
        access_key_id=aws.access_key_id,
        secret_access_key=aws.secret_access_key.get_secret_value(),
        profile=aws.profile,
        role_arn=aws.role_arn,
        external_id=aws.external_id.get_secret_value(),
        session_duration=aws.session_duration,
        requests_per_second=cognito.requests_per_second,
        patience=Patience(deadline=seconds(settings.sync.deadline)),
    )


def rules_of(settings: Settings) -> Rules:
    """Return which Cognito attribute feeds which SCIM attribute."""
    mapping = settings.mapping
    return Rules(
        **{name: source.attribute for name, source in mapping if isinstance(source, AttributeSource)},
        enterprise={name: source.attribute for name, source in mapping.enterprise if source.attribute},
        custom_attributes=mapping.custom_attributes,
        fallbacks=Fallbacks(**mapping.fallbacks.model_dump()),
        provider_groups=mapping.provider_groups,
    )


def limits_of(settings: Settings) -> Limits:
    """Return how much one sync may take away."""
    return Limits(**{name: Limit.parse(getattr(settings.sync.safeguard, name)) for name in LIMIT_NAMES})


def open_store(settings: Settings) -> Database:
    """Return the store, ready for use.

    Raises:
        ConfigError, SchemaTooOld, SchemaTooNew, StoreError: it is not.
    """
    return open_database(settings.store.url.get_secret_value())


@contextmanager
def store_of(settings: Settings) -> Iterator[Database]:
    """Give the store for the length of a block."""
    database = open_store(settings)
    try:
        yield database
    finally:
        database.close()


def run_sync(settings: Settings, progress: Progress) -> SyncResult:
    """Bring the published directory up to date.

    Raises:
        AlreadyRunning, StoreError: nothing was published.
    """
    with run_context(), store_of(settings) as database:
        parts = _parts_of(settings)
        return full_sync(_opener(settings, parts.meter), database, parts, cause="command", progress=progress)


def run_plan(settings: Settings, progress: Progress) -> SyncResult:
    """Tell what a sync would change; arguments and errors are those of `run_sync`."""
    with run_context(), store_of(settings) as database:
        parts = _parts_of(settings)
        return plan_sync(_opener(settings, parts.meter), database, parts, cause="command", progress=progress)


def run_approval(settings: Settings, digest: str) -> SyncResult:
    """Publish the refused plan of this digest.

    Raises:
        ApprovalRefused, AlreadyRunning, StoreError: nothing was published.
    """
    with run_context(), store_of(settings) as database:
        return approve_plan(database, digest, _parts_of(settings), cause="command")


def _parts_of(settings: Settings) -> SyncSettings:
    kept = Retention(seconds(settings.sync.walk_timeout), seconds(settings.sync.retention))
    return SyncSettings(rules_of(settings), settings.cognito.groups, limits_of(settings), kept, Meter())


def _opener(settings: Settings, meter: Meter) -> Callable[[str], UserPool]:
    def open_for(run: str) -> UserPool:
        name_run(run)
        return open_pool(access_of(settings), run=run, meter=meter)

    return open_for


def migrate_store(settings: Settings) -> tuple[int, int]:
    """Bring the store's schema up to date and return its versions before and after.

    Raises:
        ConfigError, SchemaTooNew, StoreError: it cannot be.
    """
    database = connect(settings.store.url.get_secret_value())
    try:
        return migrate(database)
    finally:
        database.close()


def check_subject(settings: Settings | ConfigError) -> Subject:
    """Return what Test Connectivity examines.

    Args:
        settings: the configuration, or why it did not load.
    """
    if isinstance(settings, ConfigError):
        return Subject(access=settings)
    return Subject(
        access=access_of(settings),
        warnings=settings.warnings,
        groups=settings.cognito.groups,
        open_store=lambda: _ping_store(settings),
    )


def _ping_store(settings: Settings) -> None:
    with store_of(settings) as database:
        DirectoryReader(database).newest()


@contextmanager
def clients_of(settings: Settings) -> Iterator[Clients]:
    """Give the clients that the store knows, for the length of a block."""
    with store_of(settings) as database:
        yield Clients(database)


@contextmanager
def reader_of(settings: Settings) -> Iterator[DirectoryReader]:
    """Give the published directory, for the length of a block; a store that is not there is not made."""
    with closing(open_database(settings.store.url.get_secret_value(), make=False)) as database:
        yield _reader(database, settings.server.base_url())


def _reader(database: Database, public_base_url: str) -> DirectoryReader:
    return DirectoryReader(database, Evaluator(f"{public_base_url.rstrip('/')}/scim/v2"))


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
    database = open_store(settings)
    return Services(
        reader=_reader(database, settings.server.base_url(port)),
        walks=Walks(database, timeout=seconds(settings.sync.walk_timeout)),
        clients=Clients(database),
        public_base_url=settings.server.base_url(port),
        max_results=settings.server.max_results,
        trusted_proxies=settings.server.trusted_proxies,
        requests_per_second_per_client=settings.server.rate_limit,
    )
