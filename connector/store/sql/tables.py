"""The tables.

Resources are temporal rows: a version is served from generation `since` up to, not including, generation `until`; the
living ones have `until = FOREVER`. Each version gets its position once, and a position is never used again. One table
a kind with an integer key: at a million rows it inserts three times and pages twice as fast as one table for all.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
)

from connector.directory.rows import Kind

FOREVER = 2**62
STRIDE = 100
"""Every so many living rows, a landmark says at which position a page may begin."""

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")
_Key = String().with_variant(String(collation="C"), "postgresql")


def _temporal(*columns: Column[object]) -> list[Column[object]]:
    """Return the columns that every resource version has, around its own."""
    return [
        Column("position", _Id, primary_key=True, autoincrement=True),
        Column("id", _Key, nullable=False),
        *columns,
        Column("modified", _Key, nullable=False),
        Column("digest", _Key, nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False, default=FOREVER),
        Column("body", Text, nullable=False),
    ]


users = Table(
    "users",
    metadata,
    *_temporal(
        Column("external_key", _Key, nullable=False),
        Column("user_name", Text, nullable=False),
        Column("name_key", _Key, nullable=False),
        Column("display_key", _Key, nullable=False),
        Column("email_key", _Key, nullable=False),
        Column("active", Boolean, nullable=False),
    ),
    sqlite_autoincrement=True,
)
groups = Table(
    "groups",
    metadata,
    *_temporal(
        Column("name", _Key, nullable=False),
        Column("external_key", _Key, nullable=False),
        Column("name_key", _Key, nullable=False),
        Column("members", Integer, nullable=False),
    ),
    sqlite_autoincrement=True,
)
memberships = Table(
    "memberships",
    metadata,
    Column("group_id", _Key, primary_key=True),
    Column("user_id", _Key, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False, default=FOREVER),
    sqlite_with_rowid=False,
)
FULL_KEY = 256
"""How many characters of a key are indexed on PostgreSQL, whose index rows end at 2,704 bytes."""


def _index_search(table: Table, first: str, *more: str) -> None:
    """Index what a search looks at, as a whole, so that it reads no row.

    Over a million users, `co` takes 0.1 s where reading the rows takes 1 s. Long texts are indexed by their beginning
    on PostgreSQL; a search compares the beginning, then the whole.
    """
    name, rest = f"{table.name}_{first}", [table.c[column] for column in ("since", "until", *more)]
    whole = Index(name, table.c[first], *rest)
    if table is users and first in {"name_key", "display_key", "email_key"}:
        whole.ddl_if(dialect="sqlite")
        Index(f"{name}_begins", func.substr(table.c[first], 1, FULL_KEY), *rest).ddl_if(dialect="postgresql")


for _table, _searches in (
    # An index of `active` alone would be taken for a selective one.
    (users, (("external_key",), ("name_key",), ("display_key",), ("email_key",), ("modified", "active"))),
    (groups, (("external_key",), ("name_key",), ("modified",))),
):
    Index(f"{_table.name}_alive", _table.c.id, _table.c.until, unique=True)
    for _columns in _searches:
        _index_search(_table, *_columns)
    # Landmarks are counted through it. Readers ask for `until > ?`, which it does not answer, so they never get it.
    _living = _table.c.until == FOREVER
    Index(f"{_table.name}_living", _table.c.position, sqlite_where=_living, postgresql_where=_living)
Index("memberships_of_user", memberships.c.user_id, memberships.c.group_id)
for _table in (users, groups, memberships):
    # What ended since a generation is little, and is found without looking at what lives.
    _past = _table.c.until < FOREVER
    Index(f"{_table.name}_ended", _table.c.until, sqlite_where=_past, postgresql_where=_past)
# A group shows the names of its members: three times as fast as from their rows, each as large as a body.
Index("users_names", users.c.id, users.c.until, users.c.since, users.c.user_name).ddl_if(dialect="sqlite")

generations = Table(
    "generations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("published_at", _Key, nullable=False),
    Column("run", _Id, nullable=False),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("pool_id", Text, nullable=False),
    Column("chosen_groups", Text, nullable=False),
    Column("mapping", Text, nullable=False, server_default="{}"),
    Column("release", Text, nullable=False, server_default=""),
    Column("ended", Integer, nullable=False, server_default="0"),
    Column("users", Integer, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("memberships", Integer, nullable=False),
)
landmarks = Table(
    "landmarks",
    metadata,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", _Key, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", _Key, primary_key=True),
    Column("id", _Key, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("removed_at", _Key, nullable=False),
)

pins = Table(
    "pins",
    metadata,
    Column("client", _Key, primary_key=True),
    Column("query", _Key, primary_key=True),
    Column("count", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Column("advanced_at", BigInteger),
    Column("reached", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("filtered", Boolean, nullable=False),
    Column("address", Text, nullable=False),
)
importers = Table(
    "importers",
    metadata,
    Column("client", _Key, primary_key=True),
    Column("users_generation", BigInteger),
    Column("users_read_at", BigInteger),
    Column("walks_dropped_at", BigInteger),
    Column("searches_dropped_at", BigInteger),
)

staged_users = Table(
    "staged_users",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=False),
    Column("id", _Key, primary_key=True),
    Column("external_id", Text, nullable=False),
    Column("external_key", _Key, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("name_key", _Key, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("remarks", Text, nullable=False),
    Column("display_key", _Key, nullable=False),
    Column("email_key", _Key, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", _Key, nullable=False),
    Column("modified", _Key, nullable=False),
    Column("opening", Text, nullable=False),
    Column("closing", Text, nullable=False),
    Column("rivals", Text, nullable=False, server_default=""),
)
staged_groups = Table(
    "staged_groups",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=False),
    Column("id", _Key, primary_key=True),
    Column("name", _Key, nullable=False),
    Column("external_key", _Key, nullable=False),
    Column("name_key", _Key, nullable=False),
    Column("head", Text, nullable=False),
    Column("mention", Text, nullable=False),
)
staged_memberships = Table(
    "staged_memberships",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=False),
    Column("group_id", _Key, primary_key=True),
    Column("user_id", _Key, primary_key=True),
    sqlite_with_rowid=False,
)
Index("staged_users_by_name", staged_users.c.run, staged_users.c.name_key).ddl_if(dialect="sqlite")
Index("staged_memberships_of_user", staged_memberships.c.run, staged_memberships.c.user_id)
staged_changes = Table(
    "staged_changes",
    metadata,
    Column("run", _Id, primary_key=True, autoincrement=False),
    Column("kind", _Key, primary_key=True),
    Column("id", _Key, primary_key=True),
    Column("change", _Key, nullable=False),
    Column("digest", _Key, nullable=False),
    Column("middle", Text, nullable=False),
    Column("members", Integer, nullable=False),
    sqlite_with_rowid=False,
)

PUBLISHED = {Kind.USERS: users, Kind.GROUPS: groups}
"""Where each kind is served from."""
STAGING = {Kind.USERS: staged_users, Kind.GROUPS: staged_groups}
"""Where each kind is harvested to."""

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("asked_by", Text),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("approve", Text),
    Column("slot", _Key),
    Column("cancelling", Boolean, nullable=False, default=False),
    Column("progress", Text),
    Column("result", Text),
    Column("discarded", Text),
    Column("queued_at", _Key, nullable=False),
    Column("started_at", _Key),
    Column("ended_at", _Key),
    sqlite_autoincrement=True,
)
Index("runs_by_state", runs.c.state, runs.c.id)
Index("runs_of_slot", runs.c.kind, runs.c.slot, unique=True)
Index("runs_by_outcome", runs.c.kind, runs.c.outcome, runs.c.id)
schedules = Table(
    "schedules",
    metadata,
    Column("kind", _Key, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("handled", BigInteger, nullable=False),
)
leases = Table(
    "leases",
    metadata,
    Column("name", _Key, primary_key=True),
    Column("run", _Id, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
clients = Table(
    "clients",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("grant", Text, nullable=False),
    Column("client_id", _Key, unique=True),
    Column("secret_hash", _Key, nullable=False, unique=True),
    Column("username", _Key),
    Column("password_hash", _Key),
    Column("created_at", _Key, nullable=False),
    Column("revoked_at", _Key),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    sqlite_autoincrement=True,
)
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_hash", _Key, primary_key=True),
    Column("client", _Id, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("token_hash", _Key, nullable=False, unique=True),
    Column("client", _Id, nullable=False, index=True),
    Column("begun_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    sqlite_autoincrement=True,
)
imports = Table(
    "imports",
    metadata,
    Column("client", _Key, primary_key=True),
    Column("kind", _Key, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("whole", BigInteger),
    Column("whole_at", BigInteger),
    sqlite_with_rowid=False,
)
"""How far each importer has come with its last walk over everything, and which generation it last read to the end."""
rotated_accounts = Table(
    "rotated_accounts",
    metadata,
    Column("account", _Key, primary_key=True),
    Column("vault", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("proof", Text, nullable=False, default=""),
    Column("fault", Text, nullable=False, default=""),
    Column("remedy", Text, nullable=False, default=""),
    Column("run", _Id),
    Column("tried_at", BigInteger),
    Column("rotated_at", BigInteger),
    Column("scheduled", Boolean, nullable=False, default=False),
)

run_totals = Table(
    "run_totals",
    metadata,
    Column("kind", _Key, primary_key=True),
    Column("outcome", _Key, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
    Column("throttled", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("last_ended_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
call_totals = Table(
    "call_totals",
    metadata,
    Column("operation", _Key, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("event", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
    Column("count", BigInteger, nullable=False),
    Column("client", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("counted_under", _Key, unique=True),
    sqlite_autoincrement=True,
)

aws_verifications = Table(
    "aws_verifications",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("role_arn", Text, nullable=False),
    Column("findings", Text, nullable=False),
)

feed_marks = Table(
    "feed_marks",
    metadata,
    Column("kind", _Key, primary_key=True),
    Column("key", _Key, primary_key=True),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
    Column("read_at", BigInteger),
    Column("held_by", _Id),
    sqlite_with_rowid=False,
)
"""Users, by sub, and groups, by name, that were announced: when first since they were read, and when last."""
feed_state = Table(
    "feed_state",
    metadata,
    Column("name", _Key, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    sqlite_with_rowid=False,
)
full_sync_requests = Table(
    "full_sync_requests",
    metadata,
    Column("reason", _Key, primary_key=True),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
baselines = Table(
    "baselines",
    metadata,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("users", Integer, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("memberships", Integer, nullable=False),
)
"""The generation as the last full sync or approval left the directory: the safeguard sums what deltas did since."""
