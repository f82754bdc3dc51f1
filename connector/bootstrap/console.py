"""Wires together from Settings what the console shows beside what everybody is served from."""

from collections.abc import Iterator

from connector.config import Settings, effective
from connector.config.keys import meaning_of
from connector.directory.schedule import Schedules
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.imports import Imports
from connector.store.reading.lookup import Lookup
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.sessions import Sessions
from connector.store.sql.database import Database
from connector.web.console.parts import ConsoleParts, Setting


def console_parts(settings: Settings, database: Database, schedules: Schedules) -> ConsoleParts:
    """Return what only the console uses.

    Args:
        settings: the configuration, which is shown too, without its secrets.
        database: the store.
        schedules: when runs are due.
    """
    rows = tuple(_settings(settings))
    return ConsoleParts(
        sessions=Sessions(database),
        clients=Clients(database),
        runs=Runs(database),
        changes=ChangesReader(database),
        lookup=Lookup(database),
        imports=Imports(database),
        accounts=RotatedAccounts(database),
        schedules=schedules,
        audit=AuditTrail(database),
        settings=rows,
        pool_id=settings.cognito.user_pool_id,
        groups=settings.cognito.groups,
        sources={row.key.removeprefix("mapping."): row.value for row in rows if row.key.startswith("mapping.")},
    )


def _settings(settings: Settings) -> Iterator[Setting]:
    for row in effective(settings):
        yield Setting(row.key, row.value, row.origin, meaning_of(row.key))
