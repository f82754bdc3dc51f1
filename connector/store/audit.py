"""The audit trail: who was let in, who was not, and who asked for what; a row in the store and a line in the log each.

What somebody did once has a row of its own, written in the transaction that does it. What a caller can repeat without
end (signing in, failing to, asking for tokens) is counted: one row an hour for each client and address.
"""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from connector.directory.times import from_milliseconds
from connector.store.sql.clock import CLOCK, read_clock
from connector.store.sql.database import Database
from connector.store.sql.slices import delete_in_slices
from connector.store.sql.tables import audit_events, clients
from connector.store.sql.upserts import INSERTS

NEWEST_EVENTS = 1000
"""At least this many of the newest events stay, whatever their age."""

_HOUR = 60 * 60 * 1000
_log = logging.getLogger("connector.audit")
_BARE = re.compile(r"[\w.:/@+-]+", re.ASCII)


class Event(StrEnum):
    """What is recorded."""

    SIGN_IN_ACCEPTED = "sign-in-accepted"
    SIGN_IN_REFUSED = "sign-in-refused"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - an event, not a secret
    CLIENT_CREATED = "client-created"
    CLIENT_REVOKED = "client-revoked"
    RUN_REQUESTED = "run-requested"
    RUN_CANCELLED = "run-cancelled"
    PLAN_APPROVED = "plan-approved"
    PLAN_DISCARDED = "plan-discarded"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Args:
        client: the name of a client; of a command, the account that runs it; empty for a stranger.
        via: the door: `command`, `api`, `console` or `http`.
        address: the network address of a request.
        request: the id of a request.
    """

    client: str = ""
    via: str = ""
    address: str = ""
    request: str = ""


NOBODY = Actor()
"""For what nobody asked for: the schedule, or this program itself."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that was done, once or `count` times within an hour.

    Args:
        first_at: when it was first done; RFC 3339 in UTC, like `last_at`.
        actor: who did it; of what is counted, the request is that of the first time.
        subject: to what, such as `run 12` or the name of a client.
        detail: what else there is to say.
    """

    event: Event
    first_at: str
    last_at: str
    count: int
    actor: Actor
    subject: str = ""
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the document of the event."""
        return {
            "event": self.event.value,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "count": self.count,
            **asdict(self.actor),
            "subject": self.subject,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that the same caller did `count` times.

    Args:
        first: milliseconds since it was first done.
        last: milliseconds since it was last done.
        client_id: the number of the client that was let in, None for anybody else.
    """

    event: Event
    actor: Actor
    count: int
    first: int
    last: int
    detail: str = ""
    client_id: int | None = None


def write(connection: Connection, event: Event, actor: Actor, *, subject: str, detail: str = "") -> AuditEvent:
    """Write a row in the caller's transaction, which then logs what is returned (see `log`)."""
    now = read_clock(connection)
    at = {"first_at": now, "last_at": now, "count": 1}
    row = {"event": event.value, **at, **asdict(actor), "subject": subject, "detail": detail}
    connection.execute(insert(audit_events).values(row))
    moment = from_milliseconds(now)
    return AuditEvent(event, moment, moment, 1, actor, subject, detail)


def log(event: AuditEvent) -> None:
    """Log something that was done once."""
    _log_line(event.event, {**asdict(event.actor), "subject": event.subject, "detail": event.detail})


def log_counted(event: Event, actor: Actor, count: int, detail: str) -> None:
    """Log something that was done for the first time in an hour, or once more."""
    _log_line(event, {**asdict(actor), "count": count, "detail": detail})


def _log_line(event: Event, fields: dict[str, Any]) -> None:
    """Write one line: for people `event name=value …`, for machines the same as members of the JSON object."""
    known = {name: value for name, value in fields.items() if value != ""}
    level = logging.WARNING if event is Event.SIGN_IN_REFUSED else logging.INFO
    words = " ".join(f"{name}={_word(value)}" for name, value in known.items())
    _log.log(level, "%s %s", event.value, words, extra={"fields": {"event": event.value, **known}})


def _word(value: object) -> str:
    return str(value) if _BARE.fullmatch(str(value)) else json.dumps(str(value))


class AuditTrail:
    """The events in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, counted: Sequence[Counted]) -> None:
        """Add to the rows of this hour, and note when clients were last used.

        Raises:
            StoreError: nothing was added.
        """
        with self._database.writing(durable=False) as connection:
            now = read_clock(connection)
            for one in sorted(counted, key=_key):  # in one order, so that two replicas do not deadlock
                _add(connection, one, now)
            used = {one.client_id: now - one.last for one in counted if one.client_id is not None}
            for client, last in sorted(used.items()):
                later = or_(clients.c.last_used_at.is_(None), clients.c.last_used_at < last)
                connection.execute(update(clients).where(clients.c.id == client, later).values(last_used_at=last))

    def newest(self, *, count: int, client: str | None = None) -> list[AuditEvent]:
        """Return the newest events, newest first.

        Args:
            count: how many at most.
            client: only what a client of this name did; None = all.
        """
        wanted = select(audit_events).order_by(audit_events.c.last_at.desc(), audit_events.c.id.desc()).limit(count)
        if client is not None:
            wanted = wanted.where(audit_events.c.client == client)
        with self._database.reading() as connection:
            return [_event(row) for row in connection.execute(wanted)]


def forget_events(database: Database, *, older_than: float, newest: int = NEWEST_EVENTS) -> int:
    """Remove old events, a slice at a time, and return their number.

    Args:
        database: the store.
        older_than: seconds since an event last happened.
        newest: how many of the newest stay in any case.
    """
    with database.reading() as connection:
        first = select(audit_events.c.id).order_by(audit_events.c.id.desc()).offset(newest - 1).limit(1)
        always = connection.scalar(first)
    if always is None:
        return 0
    old = audit_events.c.last_at < CLOCK - int(older_than * 1000)
    return delete_in_slices(database, audit_events, (audit_events.c.id < always) & old)


def _key(counted: Counted) -> tuple[str, ...]:
    return counted.event.value, counted.actor.client, counted.actor.via, counted.actor.address, counted.detail


def _add(connection: Connection, counted: Counted, now: int) -> None:
    first, last = now - counted.first, now - counted.last
    row = {
        "event": counted.event.value,
        "first_at": first,
        "last_at": last,
        "count": counted.count,
        **asdict(counted.actor),
        "subject": "",
        "detail": counted.detail,
        "counted_under": json.dumps([last // _HOUR, *_key(counted)]),
    }
    added = INSERTS[connection.dialect.name](audit_events).values(row)
    more = {"count": audit_events.c.count + added.excluded.count, "last_at": added.excluded.last_at}
    connection.execute(added.on_conflict_do_update(index_elements=["counted_under"], set_=more))


def _event(row: Any) -> AuditEvent:
    times = from_milliseconds(row.first_at), from_milliseconds(row.last_at)
    actor = Actor(row.client, row.via, row.address, row.request)
    return AuditEvent(Event(row.event), *times, row.count, actor, row.subject, row.detail)
