"""No search takes more time or memory than one request may have, and none is made twice in a walk."""

import pytest
from scim2_models.path import AttrPath
from sqlalchemy import event, text

from connector.directory.rows import Kind
from connector.scim.evaluate import Evaluator
from connector.scim.filters import parse_filter
from connector.store.reading import matches
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.sql_filters import Sort
from connector.store.sql.time_limit import Budget, TooExpensive
from tests.store.folk import BASE_URL, publish_folk, search
from tests.store.population import Directory, person, publish_directory

ENDLESS = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n")
TITLE = Sort(AttrPath("title"), descending=False)


class Clock:
    """A clock that goes on by so many seconds each time it is looked at."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        self.now += self.step
        return self.now


def test_a_statement_ends_when_its_time_is_up(database):
    """P30: the database itself stops, and the connection is good for the next statement, of any length."""
    for _ in range(2):
        with pytest.raises(TooExpensive), database.reading(Budget(0.05)) as connection:
            connection.execute(ENDLESS).all()
    with database.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    ("kind", "where"),
    [(Kind.USERS, 'userName sw "a"'), (Kind.USERS, "not (title pr)"), (Kind.GROUPS, 'members.type eq "User"')],
)
def test_a_search_is_complete_or_ends_when_its_time_is_up(database, kind, where):
    """P30: in SQL and in Python, wherever the time runs out; counting and paging share it."""
    publish_folk(database)
    measured = Clock(1)
    reader = DirectoryReader(database, Evaluator(BASE_URL), seconds=1000, clock=measured)
    whole = search(reader, kind, where)
    refused = 0

    for looks in range(1, int(measured.now) + 1):
        reader = DirectoryReader(database, Evaluator(BASE_URL), seconds=looks, clock=Clock(1))
        try:
            assert whole == search(reader, kind, where)
        except TooExpensive:
            refused += 1

    assert 1 < refused < measured.now


def test_searches_decided_in_python_take_turns(database):
    """P30: one that comes while another is decided waits as long as its time allows, and is then refused."""
    publish_folk(database)
    evaluator = Evaluator(BASE_URL)

    class Nested:
        """An interpreter that asks the same reader another question before it answers the first."""

        asked = False

        def __getattr__(self, name):
            return getattr(evaluator, name)

        def read(self, kind, stored, members):
            if not self.asked:
                self.asked = True
                with pytest.raises(TooExpensive, match="under way"):
                    search(reader, Kind.USERS, 'title eq "other"')
            return evaluator.read(kind, stored, members)

    reader = DirectoryReader(database, Nested(), seconds=0.2, clock=Clock(0.0001))
    alone = search(DirectoryReader(database, evaluator), Kind.USERS, "name.givenName pr")

    assert search(reader, Kind.USERS, "name.givenName pr") == alone
    assert search(reader, Kind.USERS, 'title eq "other"') == []


def test_what_is_sorted_in_memory_is_bounded(database, monkeypatch):
    """P23: an order over more than memory holds is refused."""
    reader = publish_folk(database)
    monkeypatch.setattr(matches, "_SORTED_CHARACTERS", 500)

    with pytest.raises(TooExpensive, match="too much to sort"):
        search(reader, Kind.USERS, sort=TITLE)


def test_the_pages_of_a_walk_search_once(database):
    """A walk of many pages costs one search; the next generation is searched anew."""
    folk = [person(f"u{number:04}", title="Same") for number in range(600)]
    publish_directory(database, Directory(folk))
    reader = DirectoryReader(database, Evaluator(BASE_URL))
    where = parse_filter('title eq "same"', Kind.USERS)
    first = reader.newest()
    statements = []

    def pages(generation):
        found = [
            reader.page(Kind.USERS, generation, start=start, count=200, where=where, sort=TITLE)
            for start in (1, 201, 401, 601)
        ]
        return {page.total for page in found}, [one.id for page in found for one in page.resources]

    whole = ({600}, [one.id for one in folk])
    assert whole == pages(first)
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert whole == pages(first)
    assert len([one for one in statements if one.startswith("SELECT users")]) == 3  # the three pages, read by position
    publish_directory(database, Directory(folk[:590]))
    assert ({590}, [one.id for one in folk[:590]]) == pages(reader.newest())
    assert whole == pages(first)


def test_answers_are_kept_within_bounds(database, monkeypatch):
    """P23: what is remembered gives way to what is newer."""
    publish_directory(database, Directory([person(f"u{number:04}") for number in range(600)]))
    monkeypatch.setattr(matches._Answers, "MOST_POSITIONS", 1200)
    reader = DirectoryReader(database)

    for name in ("a", "b", "c"):
        page = reader.page(
            Kind.USERS, reader.newest(), start=600, count=1, where=parse_filter(f'userName ne "{name}"', Kind.USERS)
        )
        assert (page.total, len(list(page.resources))) == (600, 1)

    assert len(reader._matches._answers._kept) == 2
