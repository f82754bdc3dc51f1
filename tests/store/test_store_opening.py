"""Opening, migrating and losing the store."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text

from connector.errors import ConfigError, NotADatabase, SchemaTooNew, SchemaTooOld, StoreError
from connector.store.migrations import STEPS, migrate, open_database, schema_version
from connector.store.reading.reader import DirectoryReader
from connector.store.sql.database import Database
from tests.store.population import Directory, people, publish_directory


def test_migrating_twice_changes_nothing(open_store):
    """P24: steps go forward, once."""
    database = open_store()

    assert migrate(database) == (len(STEPS), len(STEPS))


def test_a_newer_schema_is_refused(open_store, store_url):
    """P24: older code leaves a newer database alone."""
    database = open_store()
    with database.writing() as connection:
        connection.execute(text("INSERT INTO schema_version (version) VALUES (:next)"), {"next": len(STEPS) + 1})

    with pytest.raises(SchemaTooNew, match=f"schema {len(STEPS) + 1}"):
        open_database(store_url)
    with pytest.raises(SchemaTooNew):
        migrate(database)


def test_postgresql_waits_to_be_migrated(postgresql_url):
    """P24: on a shared database nobody changes the schema in passing."""
    with pytest.raises(SchemaTooOld) as caught:
        open_database(postgresql_url)

    assert "cognito-scim db migrate" in caught.value.remedy


@pytest.fixture
def open_file():
    """Open SQLite files, and close them when the test ends."""
    with ExitStack() as opened:
        yield lambda path: opened.enter_context(closing(open_database(f"sqlite:///{path}")))


def test_a_file_of_another_kind_is_a_fault_of_the_configuration(tmp_path):
    """P04: trying again would not help; the file is left as it is."""
    path = tmp_path / "store.db"
    path.write_bytes(b"Dear diary, " * 100)
    with pytest.raises(NotADatabase) as caught:
        open_database(f"sqlite:///{path}")

    assert (caught.value.exit_code, path.read_bytes()[:4]) == (78, b"Dear")


@pytest.mark.parametrize(("free", "told"), [(0, True), (10**9, False)])
def test_a_full_disk_is_named(tmp_path, open_file, monkeypatch, free, told):
    """P04: SQLite calls it an I/O error when there is no room for the index of its log."""
    database = open_file(tmp_path / "store.db")
    fault = sqlite3.OperationalError("disk I/O error")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(StoreError) as caught, database.reading():
        raise fault

    assert ("its disk is full" in caught.value.message, "disk I/O error" in caught.value.message) == (told, True)


def test_a_lost_file_is_an_error_and_never_an_empty_directory(tmp_path, open_file):
    """P04: a deleted store is noticed by a process that has it open."""
    path = tmp_path / "store.db"
    database = open_file(path)
    publish_directory(database, Directory(people(3)))
    reader = DirectoryReader(database)
    assert reader.newest().users == 3

    for leftover in tmp_path.glob("store.db*"):
        leftover.unlink()

    with pytest.raises(StoreError):
        reader.newest()
    assert not path.exists()


def test_a_replaced_file_is_read_anew(tmp_path, open_file):
    """P04: who restores a backup is served the backup."""
    path = tmp_path / "store.db"
    reader = DirectoryReader(open_file(path))
    assert reader.newest() is None
    other = open_file(tmp_path / "other.db")
    publish_directory(other, Directory(people(2)))
    other.close()

    for leftover in tmp_path.glob("store.db*"):
        leftover.unlink()
    (tmp_path / "other.db").rename(path)

    assert reader.newest().users == 2


def test_the_file_is_for_its_owner_only(tmp_path, open_file):
    """The directory holds personal data."""
    open_file(tmp_path / "store.db")

    assert (tmp_path / "store.db").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_does_not_exist_is_told_by_name(tmp_path):
    """Bad input gets a clear error."""
    with pytest.raises(ConfigError, match="nowhere"):
        open_database(f"sqlite:///{tmp_path}/nowhere/store.db")


def test_a_file_that_is_no_database_is_told_by_name(tmp_path):
    """Bad input gets a clear error and loses nothing."""
    path = Path(tmp_path, "notes.txt")
    path.write_text("not a database, but notes that somebody wants to keep\n" * 20)

    with pytest.raises(StoreError, match=r"notes\.txt"):
        open_database(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://h/db",
        "sqlite://",
        "sqlite:///:memory:",
        "",
        "sqlite:///x.db?mode=ro",
        "postgresql://h:x/db",
    ],
)
def test_other_urls_are_a_configuration_error(url):
    """The store is a SQLite file or PostgreSQL."""
    with pytest.raises(ConfigError, match=r"store\.url"):
        open_database(url)


def test_an_unreachable_server_is_named_without_its_password():
    """P27: errors carry no secret."""
    for url in ("postgresql://user:hunter2@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db?user=u&password=hunter2"):
        with pytest.raises(StoreError) as caught:
            open_database(url)

        assert "127.0.0.1:1" in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_an_empty_database_has_version_zero(postgresql_url):
    """The version of the schema is part of the schema."""
    database = Database(create_engine(postgresql_url))

    assert schema_version(database) == 0
    database.close()
