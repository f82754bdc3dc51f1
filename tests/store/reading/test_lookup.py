"""Looking up by name: in order, page by page, through an index (P30)."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from connector.directory.rows import Kind
from connector.store.generations import Generation
from connector.store.migrations import open_database
from connector.store.reading.lookup import Lookup
from connector.store.sql.database import Database
from tests.store.population import Directory, person, publish_directory, team

PEOPLE = [
    person("u1", "Zoe", email="first@example.com", display_name="Anna"),
    person("u2", "anna", email="x@example.com", display_name="Boss"),
    person("u3", "Bob", email="annabel@example.com", display_name="Bob"),
    person("u4", "ann%", email="y@example.com", display_name="Percent"),
    person("u5", "\u00c5sa", email="asa@example.com", display_name="\u00c5sa"),
]
TEAMS = [team("g1", "Admins"), team("g2", "admins"), team("g3", "Bakers")]


@pytest.fixture
def published(database: Database) -> Generation:
    """Five people and three teams, two of whose names differ in their case alone."""
    members = {"g1": ["u1", "u2", "u3"]}
    generation = publish_directory(database, Directory(PEOPLE, TEAMS, members)).generation
    assert generation
    return generation


def test_pages_by_name_meet_everybody_once(database: Database, published: Generation):
    """Page after page, every resource comes once, in the order of folded names and ids."""
    lookup = Lookup(database)
    for kind, expected in ((Kind.USERS, ["u4", "u2", "u3", "u1", "u5"]), (Kind.GROUPS, ["g1", "g2", "g3"])):
        for count in (1, 2, 5):
            found, after = [], ("", "")
            while page := lookup.by_name(kind, published, after=after, count=count):
                found += [one.stored.id for one in page]
                after = (page[-1].key, page[-1].stored.id)
            assert found == expected


def test_a_text_finds_names_addresses_and_ids_by_their_beginning(database: Database, published: Generation):
    """Case and accents are folded as in filters, a wildcard is a character, and who is found by name comes first."""
    lookup = Lookup(database)

    def find(text: str) -> list[str]:
        return [stored.id for stored in lookup.begins_with(Kind.USERS, published, text, count=10)]

    assert find("ANN") == ["u4", "u2", "u1", "u3"]
    assert find("ann%") == ["u4"]
    assert find("\u00e5s") == ["u5"]
    assert find("u3") == ["u3"]
    assert find("") != []
    assert find("nobody") == []


def test_a_search_shows_no_more_than_is_asked_for(database: Database, published: Generation):
    """However many match, only as many are read as are shown."""
    assert len(Lookup(database).begins_with(Kind.USERS, published, "a", count=2)) == 2


def test_members_come_page_by_page(database: Database, published: Generation):
    """The members of a group and their number are read without reading the whole group."""
    lookup = Lookup(database)

    first = lookup.members("g1", published, count=2)
    rest = lookup.members("g1", published, after=first[-1].id, count=2)

    assert [member.id for member in first + rest] == ["u1", "u2", "u3"]
    assert (lookup.count_members("g1", published), lookup.count_members("none", published)) == (3, 0)


def test_what_is_gone_is_found_with_its_last_generation(database: Database, published: Generation):
    """Who was removed or renamed is found under the old name, with when that ended."""
    left = [person("u1", "Zoe"), person("u2", "renamed"), *PEOPLE[3:]]
    publish_directory(database, Directory(left, TEAMS))
    lookup = Lookup(database)

    (gone,) = lookup.earlier(Kind.USERS, "bob", count=5)
    (renamed,) = lookup.earlier(Kind.USERS, "anna", count=5)[:1]

    assert (gone.stored.id, gone.since, gone.until) == ("u3", published.number, published.number + 1)
    assert lookup.removed_at(Kind.USERS, "u3") == gone.until_at
    assert renamed.stored.id in {"u1", "u2"}
    assert lookup.removed_at(Kind.USERS, "u2") is None
    assert [version.until for version in lookup.versions(Kind.USERS, "u2", count=5)] == [None, published.number + 1]


def test_a_page_by_name_reads_an_index_in_its_order(tmp_path: Path):
    """P30: neither a million users nor their old versions are sorted for a page, as the planner of SQLite says."""
    statement = (
        "EXPLAIN QUERY PLAN SELECT name_key, id, modified, body FROM users WHERE name_key >= 'a'"
        " AND (name_key, id) > ('a', '') AND since <= 1 AND until > 1 ORDER BY name_key, name_key, id LIMIT 50"
    )
    with closing(open_database(f"sqlite:///{tmp_path}/plan.db")) as database, database.reading() as connection:
        plan = " ".join(str(row) for row in connection.execute(sql(statement)))

    assert "users_name_key" in plan
    assert "SCAN users" not in plan
