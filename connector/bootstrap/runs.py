"""Wires runs, clients and the store together from Settings; `serving` does it for what answers readers."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from connector.bootstrap.account import account
from connector.bootstrap.feed import open_queue
from connector.bootstrap.from_settings import access_of, delta_settings_of, feed_access_of, sync_settings_of
from connector.bootstrap.store_remarks import find_remarks
from connector.checks.change_feed import examine_feed
from connector.checks.check_run import record_checks
from connector.checks.connectivity import Check, Remark, Subject
from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.cognito.session import Access, open_pool
from connector.config import Settings
from connector.directory.runs import Cause, RunKind
from connector.errors import ConfigError, ConnectorError, StoreError
from connector.importers.walk_run import walk_as_importer
from connector.logs import name_run, run_context
from connector.scim.base_url import scim_base_url, token_url_of
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.feed.report import read_report
from connector.store.generations import fetch_newest
from connector.store.migrations import migrate, open_database
from connector.store.runs.approvals import find_waiting
from connector.store.runs.queue import Runs
from connector.store.runs.run import Run, begin, take_up
from connector.store.sql.database import Database, connect
from connector.sync.delta import delta_sync
from connector.sync.full_sync import approve_plan, full_sync
from connector.sync.progress import Progress, Silence
from connector.sync.result import SyncResult
from connector.sync.sync_report import end_unstarted

_log = logging.getLogger(__name__)


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
    return _run_command(RunKind.SYNC, settings, progress)


def run_plan(settings: Settings, progress: Progress) -> SyncResult:
    """Tell what a sync would change; arguments and errors are those of `run_sync`."""
    return _run_command(RunKind.PLAN, settings, progress)


def run_delta(settings: Settings, progress: Progress) -> SyncResult:
    """Read again whom the change feed announced, without waiting for a burst to end.

    Raises:
        ConfigError: there is no change feed.
        AlreadyRunning, StoreError: nothing was published.
    """
    parts = delta_settings_of(settings, debounce=0.0)
    with (
        run_context(),
        store_of(settings) as database,
        begin(database, RunKind.DELTA, cause=Cause.COMMAND, by=account()) as run,
    ):
        return delta_sync(_opener(settings, parts.sync.meter, feed_access_of), run, parts, progress)


def _run_command(kind: RunKind, settings: Settings, progress: Progress) -> SyncResult:
    with run_context(), store_of(settings) as database:
        parts = sync_settings_of(settings)
        with begin(database, kind, cause=Cause.COMMAND, by=account()) as run:
            return full_sync(_opener(settings, parts.meter), run, parts, progress)


def run_approval(settings: Settings, digest: str) -> SyncResult:
    """Publish the refused plan of this digest, or of the one digest that begins like this.

    Raises:
        ApprovalRefused, AlreadyRunning, StoreError: nothing was published.
    """
    with run_context(), store_of(settings) as database:
        digest = find_waiting(database, digest).digest  # a mistaken digest is no run
        with begin(database, RunKind.SYNC, cause=Cause.COMMAND, by=account(), approve=digest) as run:
            name_run(str(run.id))
            return approve_plan(run, digest, sync_settings_of(settings))


def run_checks(settings: Settings | ConfigError) -> Iterator[Check]:
    """Test Connectivity, on record where the store allows it.

    Args:
        settings: the configuration, or why it did not load.

    Raises:
        RunCancelled: somebody asked it to end.
    """
    with command_run(settings, RunKind.CHECK) as run:
        yield from record_checks(check_subject(settings), run)


@contextmanager
def command_run(settings: Settings | ConfigError, kind: RunKind) -> Iterator[Run | None]:
    """Give the run in which a command is recorded that works without a store too; None where there is none.

    Args:
        settings: the configuration, or why it did not load.
        kind: of the run.

    Raises:
        AlreadyRunning: another run holds the lease.
    """
    with run_context(), _tolerated_run(settings, kind) as run:
        yield run


@contextmanager
def _tolerated_run(settings: Settings | ConfigError, kind: RunKind) -> Iterator[Run | None]:
    opened = ExitStack()
    run = None
    try:
        if isinstance(settings, Settings):
            database = opened.enter_context(store_of(settings))
            run = opened.enter_context(begin(database, kind, cause=Cause.COMMAND, by=account()))
            name_run(str(run.id))
    except (ConfigError, StoreError) as fault:
        _log.warning("this %s is not on record: %s", kind, fault)
    told: ConnectorError | None = None
    try:
        with opened:
            try:
                yield run
            except ConnectorError as error:
                told = error
                raise
    except StoreError as fault:
        _log.warning("this %s is not wholly on record: %s", kind, fault)
        if told is not None and told is not fault:  # what the command has to tell is not lost with its record
            raise told from None


Rotate = Callable[[Settings | ConfigError, Run], None]
"""Executes a run of kind `rotate`."""


def execute_run(store: Settings, settings: Settings | ConfigError, rotate: Rotate, *, number: int, fence: int) -> None:
    """Execute a run that was claimed from the queue, to its end.

    Args:
        store: the configuration, of which the store is wanted.
        settings: the configuration if a pool can be read with it, or why not, with which the run ends.
        rotate: executes a rotation, which is wired above this.
        number: the run.
        fence: the fencing number of the claim.

    Raises:
        ConfigError, StoreError: the run could not be taken up, or its end not be recorded.
    """
    with run_context(), store_of(store) as database, take_up(database, number, fence) as run:
        name_run(str(run.id))
        if run.kind is RunKind.CHECK:
            deque(record_checks(check_subject(settings), run), maxlen=0)
        elif run.kind is RunKind.ROTATE:
            rotate(settings, run)
        elif run.kind is RunKind.WALK:
            base_url = store.server.base_url()
            walk_as_importer(run, run.importer, scim_base_url(base_url), token_url_of(base_url))
        elif isinstance(settings, ConfigError):
            end_unstarted(run, settings)
        elif run.approve:
            approve_plan(run, run.approve, sync_settings_of(settings))
        elif run.kind is RunKind.DELTA:
            _execute_delta(settings, run)
        else:
            parts = sync_settings_of(settings)
            full_sync(_opener(settings, parts.meter), run, parts, Silence())


def _execute_delta(settings: Settings, run: Run) -> None:
    try:
        parts = delta_settings_of(settings)
    except ConfigError as fault:
        end_unstarted(run, fault)
        return
    delta_sync(_opener(settings, parts.sync.meter, feed_access_of), run, parts, Silence())


@contextmanager
def runs_of(settings: Settings) -> Iterator[Runs]:
    """Give the queue and the history, for the length of a block; a store that is not there is not made."""
    with closing(open_database(settings.store.url.get_secret_value(), make=False)) as database:
        yield Runs(database)


@contextmanager
def changes_of(settings: Settings) -> Iterator[ChangesReader]:
    """Give the lists of changes, for the length of a block; a store that is not there is not made."""
    with closing(open_database(settings.store.url.get_secret_value(), make=False)) as database:
        yield ChangesReader(database)


def _opener(
    settings: Settings, meter: Meter, access: Callable[[Settings], Access] = access_of
) -> Callable[[str], UserPool]:
    def open_for(run: str) -> UserPool:
        name_run(run)
        return open_pool(access(settings), run=run, meter=meter)

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
        configuration=name_configuration(settings),
        store=name_store(settings),
        groups=settings.cognito.groups,
        examine_store=lambda: _examine_store(settings),
        examine_feed=(lambda: _examine_feed(settings)) if settings.feed.queue_url else None,
    )


def name_configuration(settings: Settings) -> str:
    """Say where the configuration comes from."""
    return str(settings.file.absolute()) if settings.file else "the environment"


def name_store(settings: Settings) -> str:
    """Say which database the store is, without its password."""
    with closing(connect(settings.store.url.get_secret_value())) as database:
        return database.name


def _examine_store(settings: Settings) -> list[Remark]:
    with store_of(settings) as database:
        fetch_newest(database)
        database.prove_writable()
        return list(find_remarks(database))


def _examine_feed(settings: Settings) -> list[Remark]:
    with store_of(settings) as database:
        report = read_report(database)
    since = None if report.last_pulse is None else report.now - report.last_pulse
    return list(examine_feed(open_queue(settings)[0], since_pulse=since))


def remarks_on_store(settings: Settings) -> list[Remark]:
    """Return what deserves a second look about the store."""
    with store_of(settings) as database:
        return list(find_remarks(database))


@contextmanager
def clients_of(settings: Settings) -> Iterator[Clients]:
    """Give the clients that the store knows, for the length of a block."""
    with store_of(settings) as database:
        yield Clients(database)
