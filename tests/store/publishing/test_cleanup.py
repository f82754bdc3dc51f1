"""Which generations stay to be compared, and for how long."""

import pytest
from sqlalchemy import select, update

from connector.store.changes.changes_reader import ChangesReader
from connector.store.publishing import cleanup
from connector.store.publishing.cleanup import Retention, collect
from connector.store.sql.tables import generations
from tests.store.population import Directory, people, person, publish_directory

HOUR = 3600.0
AT_ONCE = 0.0


@pytest.fixture
def seven(database):
    """Seven generations, each of which gives one of ten people another title."""
    for number in range(7):
        publish_directory(database, Directory([person("u0", "ann", title=str(number)), *people(10)]))
    return database


def test_what_changed_can_be_listed_after_the_walks_are_over(seven):
    """P06: generations are kept for `sync.retention`, not only for the time of a walk."""
    assert collect(seven, Retention(AT_ONCE, HOUR)) == 1

    (change,) = ChangesReader(seven).between(1, 7).stream()
    assert (change.was["title"], change.now["title"]) == ("0", "6")


def test_after_their_time_only_the_newest_stays(seven):
    """P06: what nobody can ask for any more is removed."""
    assert collect(seven, Retention(AT_ONCE, AT_ONCE)) == 7


def test_what_was_changed_within_the_time_needs_the_generation_before(seven):
    """P06: generation 4 was published long ago; what 5 changed is told by comparing the two."""
    with seven.writing() as connection:
        long_ago = generations.update().where(generations.c.number <= 4)
        connection.execute(long_ago.values(published_at="2020-01-01T00:00:00.000Z"))

    assert collect(seven, Retention(AT_ONCE, HOUR)) == 4


def test_at_most_so_many_generations_stay(seven, monkeypatch):
    """P06: their number is bounded, whatever the retention."""
    monkeypatch.setattr(cleanup, "LISTED", 3)

    assert collect(seven, Retention(AT_ONCE, HOUR)) == 5


def test_generations_that_need_much_room_are_let_go(seven, monkeypatch):
    """P06: 2, 3 and 5 ended one version each; 4 ended more than there is room for."""
    monkeypatch.setattr(cleanup, "_LEAST", 5)
    with seven.writing() as connection:
        connection.execute(update(generations).where(generations.c.number == 4).values(ended=100))

    assert collect(seven, Retention(AT_ONCE, HOUR)) == 4


def test_a_publish_records_how_many_versions_it_ended(seven):
    """P06: that is what the generation before it needs beside the newest."""
    with seven.reading() as connection:
        ended = connection.scalars(select(generations.c.ended).order_by(generations.c.number)).all()

    assert ended == [0, 1, 1, 1, 1, 1, 1]
