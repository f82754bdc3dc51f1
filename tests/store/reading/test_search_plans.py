"""What SQLite makes of the lookups of importers: the index of the attribute, whatever the generation is."""

import pytest
from scim2_models.path import AttrPath
from sqlalchemy import event, text

from connector.directory.rows import Kind
from connector.store.migrations import open_database
from connector.store.reading.sql_filters import Sort
from tests.store.folk import publish_folk, search

SINCE, UNTIL = 'meta.lastModified ge "2026-01-01T00:00:00Z"', 'meta.lastModified le "2027-01-01T00:00:00Z"'
PLANS = {
    (Kind.USERS, 'userName eq "ann"'): "SEARCH users USING COVERING INDEX users_name_key (name_key=?",
    (Kind.USERS, 'userName sw "ann"'): "SEARCH users USING COVERING INDEX users_name_key (name_key>? AND name_key<?)",
    (Kind.USERS, 'userName co "ann"'): "SCAN users USING COVERING INDEX users_name_key",
    (Kind.USERS, 'userName ew "ann"'): "SCAN users USING COVERING INDEX users_name_key",
    (Kind.USERS, 'id eq "u1"'): "SEARCH users USING COVERING INDEX users_names (id=? AND until>?)",
    (Kind.USERS, 'externalId eq "Ann"'): "SEARCH users USING COVERING INDEX users_external_key (external_key=?",
    (Kind.USERS, 'displayName sw "a"'): "SEARCH users USING COVERING INDEX users_display_key (display_key>?",
    (Kind.USERS, 'emails.value eq "x@corp.local"'): "SEARCH users USING COVERING INDEX users_email_key (email_key=?",
    (Kind.USERS, 'emails[value eq "x@corp.local"]'): "SEARCH users USING COVERING INDEX users_email_key (email_key=?",
    (Kind.USERS, SINCE): "SEARCH users USING COVERING INDEX users_modified (mod",
    (Kind.USERS, f"active eq true and ({SINCE} and {UNTIL})"): "SEARCH users USING COVERING INDEX users_modified (mod",
    (Kind.USERS, "active eq true"): "SCAN users USING COVERING INDEX users_modified",
    (Kind.USERS, 'groups.value eq "g1"'): "SEARCH users USING COVERING INDEX users_names (id=? AND until>?)",
    (Kind.USERS, 'groups.display eq "Admins"'): "SEARCH groups USING INDEX groups_name_key (name_key=?",
    (Kind.USERS, 'id eq "u1" or userName eq "ann"'): "SEARCH users USING INDEX users_name_key (name_key=?",
    (Kind.USERS, 'userName eq "ann" and title eq "x"'): "SEARCH users USING COVERING INDEX users_name_key (name_key=?",
    (Kind.GROUPS, 'displayName eq "admins"'): "SEARCH groups USING COVERING INDEX groups_name_key (name_key=?",
    (Kind.GROUPS, 'externalId eq "Admins"'): "SEARCH groups USING COVERING INDEX groups_external_key (external_key=?",
    (Kind.GROUPS, 'members.value eq "u1"'): "SEARCH groups USING INDEX groups_alive (id=? AND until>?)",
    (Kind.GROUPS, 'id eq "g1" and members eq "u1"'): "SEARCH groups USING INDEX groups_alive (id=? AND until>?)",
    (Kind.GROUPS, 'members.display eq "ann"'): "SEARCH users USING INDEX users_name_key (name_key=?",
    (Kind.GROUPS, SINCE): "SEARCH groups USING COVERING INDEX groups_modified",
}  # fmt: skip


def plan_of(database, ask):
    """Return how SQLite finds what is asked for: the plan of the first statement."""
    statements = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    ask()
    event.remove(database.engine, "before_cursor_execute", note)
    found = next(pair for pair in statements if "position" in pair[0])
    with database.reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {found[0]}", found[1]).all()
    return [row[3] for row in rows]


@pytest.fixture
def lite(tmp_path):
    """A SQLite store, fresh from its migrations: nobody analyses it, so the plans are those of every store."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    yield database
    database.close()


def test_each_promoted_attribute_is_found_by_its_index(lite):
    """P30: the condition for the generation never steals the plan from the index of what is asked for."""
    reader = publish_folk(lite)

    for (kind, where), expected in PLANS.items():
        steps = plan_of(lite, lambda kind=kind, where=where: search(reader, kind, where))

        assert [step for step in steps if step.startswith(expected)], f"{where}: {steps}"
        assert "SCAN users" not in steps, f"{where}: {steps}"


def test_an_order_needs_no_bodies_of_a_filter(lite):
    """A filter in front of an order is still found by its index."""
    reader = publish_folk(lite)
    sort = Sort(AttrPath("displayName"), descending=True)

    steps = plan_of(lite, lambda: search(reader, Kind.USERS, 'emails eq "x@corp.local"', sort))

    assert steps[0].startswith("SEARCH users USING INDEX users_email_key (email_key=?")


def test_a_store_can_be_analysed(lite):
    """Statistics, should an operator gather them, do not turn the plans of lookups into scans."""
    reader = publish_folk(lite)
    with lite.writing() as connection:
        connection.execute(text("ANALYZE"))

    steps = plan_of(lite, lambda: search(reader, Kind.USERS, 'userName eq "ann"'))

    assert not [step for step in steps if step.startswith("SCAN")]
