"""An older store is brought up to date without losing anything.

`schemas/1-*.sql` is the schema as the first version made it; it never changes.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, column, create_engine, insert, inspect, table, text

from connector.directory.rows import Kind, fold
from connector.store.client_secrets import digest
from connector.store.clients import Clients
from connector.store.migrations import STEPS, migrate, open_database, schema_version
from connector.store.reading.pins import Pins
from connector.store.reading.walk_rules import Walk, WalkExpired
from connector.store.sql.database import Database, connect
from tests.postgres import new_database
from tests.store.population import Directory, people, publish_directory

SCHEMAS = Path(__file__).parent / "schemas"


@pytest.fixture
def old_store(store_url: str) -> str:
    """The URL of a store with schema 1, a client and a run."""
    database = create_engine(store_url)
    if store_url.startswith("sqlite"):
        Path(store_url.removeprefix("sqlite:///")).touch()
    statements = (SCHEMAS / f"1-{database.dialect.name}.sql").read_text().split(";\n")
    with database.begin() as connection:
        for statement in filter(None, statements):
            connection.exec_driver_sql(statement)
        for statement in (
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY)",
            "INSERT INTO schema_version (version) VALUES (1)",
            "INSERT INTO leases (name, run, fence, expires_at) VALUES ('sync', 0, 0, 0), ('rotate', 0, 0, 0)",
        ):
            connection.exec_driver_sql(statement)
        names = ("name", "role", "grant", "secret_hash", "created_at")
        old_clients = table("clients", *map(column, names))
        known = ("okta", "importer", "bearer", digest("ccs_old"), "2026-01-01T00:00:00.000Z")
        connection.execute(insert(old_clients).values(dict(zip(names, known, strict=True))))
    database.dispose()
    return store_url


@pytest.fixture
def new_url(store_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the same kind, beside the first."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/new.db"
        return
    with new_database(request.getfixturevalue("postgresql")) as url:
        yield url


def test_an_upgraded_store_equals_a_new_one(old_store: str, new_url: str) -> None:
    """P24: the steps from the first schema arrive at what a new store is made as, tables, columns and indexes."""
    with closing(connect(old_store)) as old, closing(connect(new_url)) as new:
        before, after = migrate(old)
        migrate(new)

        assert (before, after) == (1, len(STEPS))
        assert describe(old.engine, old) == describe(new.engine, new)
        assert schema_version(old) == schema_version(new)


def test_an_upgraded_store_keeps_what_it_knew(old_store: str) -> None:
    """P24: whoever was let in before is let in after."""
    with closing(connect(old_store)) as old:
        migrate(old)
    with closing(open_database(old_store)) as database:
        client = Clients(database).authenticate("ccs_old")

    assert client
    assert (client.name, client.expires_at, client.last_used_at) == ("okta", None, None)


def test_walks_under_way_begin_again_after_the_upgrade(old_store: str) -> None:
    """P14, P24: what the former schema noted of a walk is not enough, so its later pages are refused."""
    names = ("client", "query", "generation", "touched_at", "finished")
    with closing(connect(old_store)) as old:
        with old.writing() as connection:
            walk = dict(zip(names, ("7", "everybody", 1, 0, False), strict=True))
            connection.execute(insert(table("walks", *map(column, names))).values(walk))
        migrate(old)
    with closing(open_database(old_store)) as database:
        publish_directory(database, Directory(people(5)))
        pins = Pins(database, timeout=3600)

        with pytest.raises(WalkExpired, match="begin again"):
            pins.find(Walk("7", Kind.USERS, "everybody", 2), start=3)
        assert pins.find(Walk("8", Kind.USERS, "everybody", 2), start=3)


USER = {
    **dict.fromkeys(("id", "external_key", "user_name", "name_key", "display_key", "email_key", "modified"), ""),
    **dict.fromkeys(("digest", "body"), ""),
    "active": True,
    "since": 1,
    "until": 2**62,
}
GROUP = {
    **dict.fromkeys(("id", "name", "external_key", "name_key", "modified", "digest", "body"), ""),
    "members": 0,
    "since": 1,
    "until": 2**62,
}


def test_stored_names_are_folded_anew(old_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P16, P24: what was stored in lower case is found as it is compared now, in a store of any size."""
    monkeypatch.setattr("connector.store.migrations.ROWS", 2)
    keys = ["groß", "ann", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "zoë", "weiß"]
    with closing(connect(old_store)) as old:
        with old.writing() as connection:
            for number, key in enumerate(keys):
                user = USER | {"id": f"u{number}", "name_key": key, "display_key": key, "email_key": f"{key}@b"}
                group = GROUP | {"id": f"g{number}", "name_key": key}
                connection.execute(insert(table("users", *map(column, user))).values(user))
                connection.execute(insert(table("groups", *map(column, group))).values(group))
        migrate(old)
        with old.reading() as connection:
            names = "SELECT name_key, display_key, email_key FROM users ORDER BY position"
            users = [tuple(row) for row in connection.execute(text(names))]
            groups = connection.scalars(text("SELECT name_key FROM groups ORDER BY position")).all()

    assert [(fold(key), fold(key), fold(f"{key}@b")) for key in keys] == users
    assert groups == ["gross", "ann", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3", "zoë", "weiss"]


def describe(engine: Engine, database: Database) -> dict[str, Any]:
    """Return what the schema of a database amounts to, in no order."""
    with database.reading() as connection:
        found = inspect(connection)
        described: dict[str, Any] = {
            name: {
                "columns": {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(name)},
                "key": found.get_pk_constraint(name)["constrained_columns"],
            }
            for name in found.get_table_names()
        }
        indexes = {
            "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'",
            "postgresql": "SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        }[engine.dialect.name]
        described["indexes"] = {
            (name, of, definition and " ".join(definition.split()))
            for name, of, definition in connection.execute(text(indexes))
        }
    return described
