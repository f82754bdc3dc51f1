"""What the console needs from the house beside what importers do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.directory.schedule import Schedules
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.imports import Imports
from connector.store.reading.lookup import Lookup
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of the configuration in effect.

    Args:
        key: its dotted name.
        value: its value, or whether it is set where that is secret.
        origin: the file and line, the variable, or `default`.
        meaning: what it does.
    """

    key: str
    value: str
    origin: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What only the console uses.

    Args:
        sessions: who is signed in.
        clients: the callers, to be listed, made and revoked.
        runs: what is done, and was.
        changes: who was changed, and by which run.
        lookup: resources by their names.
        imports: how far importers have come.
        accounts: the accounts whose passwords are rotated.
        schedules: when runs are due.
        settings: the configuration in effect.
        pool_id: the user pool, empty where none is configured.
        groups: the configured groups; none means the whole pool.
        audit: who did what.
        sources: the Cognito attribute that feeds each SCIM attribute.
    """

    sessions: Sessions
    clients: Clients
    runs: Runs
    changes: ChangesReader
    lookup: Lookup
    imports: Imports
    accounts: RotatedAccounts
    schedules: Schedules
    audit: AuditTrail
    settings: tuple[Setting, ...] = ()
    pool_id: str = ""
    groups: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
