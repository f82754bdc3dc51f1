"""Walks over several pages see one generation, on each database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text, update

from connector.directory.rows import Kind
from connector.store.publishing.cleanup import Retention, collect
from connector.store.reading import pins as pins_module
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.walk_rules import BY_CURSOR, Walk, WalkExpired
from connector.store.sql.tables import importers, pins
from tests.store.population import Directory, people, publish_directory, team

MINUTE, HOUR = 60.0, 3600.0
EVERYTHING = 2**31 - 1


class Importer:
    """A client that reads page after page, as the endpoint answers it."""

    def __init__(self, database, name="importer", *, timeout=HOUR):
        self.reader = DirectoryReader(database)
        self.pins = Pins(database, timeout=timeout)
        self.name = name

    def page(self, start, count, *, kind=Kind.USERS, query="all", filtered=False, address="192.0.2.1"):
        """Read one page and return its generation, its ids and the total."""
        walk = Walk(self.name, kind, f"{kind}{query}", count, filtered=filtered, address=address)
        return self._read(self.pins.find(walk, start=start), count)

    def next_page(self, start, count, generation, *, kind=Kind.USERS):
        """Read a later page by cursor."""
        walk = Walk(self.name, kind, f"{kind}all", BY_CURSOR)
        return self._read(self.pins.resume(walk, start=start, generation=generation), count)

    def first_page(self, count, *, kind=Kind.USERS):
        """Read the first page by cursor."""
        return self._read(self.pins.find(Walk(self.name, kind, f"{kind}all", BY_CURSOR), start=1), count)

    def _read(self, page, count):
        found = self.reader.page(page.walk.kind, page.generation, start=page.start, count=count)
        ids = [row.id for row in found.resources]
        self.pins.note(page, rows=len(ids), total=found.total)
        return page.generation.number, ids, found.total


def age(database, seconds):
    """Let time pass for all that is noted of walks."""
    with database.writing() as connection:
        for table in (pins, importers):
            times = [column for column in table.c if column.name.endswith("_at")]
            connection.execute(update(table).values({time: time - int(seconds * 1000) for time in times}))


@pytest.fixture
def publish(database):
    """Publish so many people, and two groups of the first of them."""

    def publish(number):
        folk = people(number)
        members = {"g1": [folk[0].id], "g2": [folk[0].id, folk[-1].id]}
        publish_directory(database, Directory(folk, [team("g1"), team("g2")], members))

    return publish


def test_a_walk_reads_on_in_the_generation_it_began_with(open_store):
    """P14: whatever is published meanwhile, on whichever replica the next page is asked."""
    here, there = open_store(), open_store()
    publish_directory(here, Directory(people(5)))
    first = Importer(here).page(1, 2)
    publish_directory(here, Directory(people(3)))

    rest = [Importer(there).page(start, 2) for start in (3, 5)]

    assert [first, *rest] == [(1, ["u00001", "u00002"], 5), (1, ["u00003", "u00004"], 5), (1, ["u00005"], 5)]
    assert Importer(there).page(1, 2)[0] == 2


def test_a_first_page_joins_its_walk_only_while_that_is_under_way(database, publish):
    """P14: it got further less than a minute ago, and has not read its last row."""
    publish(6)
    importer = Importer(database)
    importer.page(1, 2)
    importer.page(3, 2)
    publish(7)

    assert [importer.page(1, 2)[0], importer.page(5, 2)[0]] == [1, 1]
    assert importer.page(1, 2)[0] == 2, "its last row was read"
    importer.page(3, 2)
    publish(8)
    age(database, 1.5 * MINUTE)
    assert importer.page(1, 2)[0] == 3, "it got no further for a minute"


@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_poll_of_first_pages_sees_the_newest(database, publish, count):
    """P14: an importer that learns the total from a first page never learns an old one."""
    importer = Importer(database)
    for number in (4, 5, 6):
        publish(number)
        assert importer.page(1, count)[2] == number


def test_an_importer_that_never_reads_to_the_end_sees_the_newest(database, publish):
    """P14: reading the same two pages again and again is no progress, however often it is done."""
    publish(6)
    importer = Importer(database)
    importer.page(1, 2)
    importer.page(3, 2)
    publish(7)
    read = []
    for _ in range(4):
        age(database, 0.4 * MINUTE)
        read.append(importer.page(1, 2)[0])
        importer.page(3, 2)

    assert read == [1, 1, 2, 2]


def test_a_walk_left_alone_for_too_long_is_refused(database, publish):
    """P14: an expired walk is an error, never a mixture; its first page begins anew."""
    publish(5)
    importer = Importer(database)
    importer.page(1, 2)
    publish(3)
    age(database, HOUR + 1)

    with pytest.raises(WalkExpired, match="begin again"):
        importer.page(3, 2)
    assert importer.page(1, 2)[0] == 2
    assert importer.page(3, 2) == (2, ["u00003"], 3)


def test_a_walk_ends_at_its_greatest_age(database, publish):
    """P14: however busy it is, after 24 times the timeout its later pages are refused."""
    publish(60)
    importer = Importer(database)
    importer.page(1, 1)
    for start in range(2, 27):
        age(database, 0.95 * HOUR)
        assert importer.page(start, 1)[0] == 1
    age(database, 0.95 * HOUR)

    with pytest.raises(WalkExpired):
        importer.page(27, 1)


def test_a_shorter_last_page_belongs_to_its_walk(database, publish):
    """P14: some importers ask for no more rows than there are left; a probe between them changes nothing."""
    publish(5)
    importer = Importer(database)
    importer.page(1, 2)
    importer.page(3, 2)
    publish(9)
    importer.page(1, 1)

    assert importer.page(5, 1) == (1, ["u00005"], 5)
    assert importer.page(1, 2)[0] == 2, "the walk has read its last row"


def test_a_page_that_two_walks_could_ask_for_is_refused(database, publish):
    """P14: one importer has one walk over a query; where two would answer differently, neither does."""
    publish(6)
    importer = Importer(database)
    importer.page(1, 4)
    publish(7)
    for start in (1, 3):
        importer.page(start, 2)

    with pytest.raises(WalkExpired, match="Two walks"):
        importer.page(5, 2)


@pytest.mark.parametrize("full", [False, True])
def test_an_answer_that_shows_its_own_end_holds_no_pin(database, publish, full):
    """P14: lookups keep no old generation alive; after a full page importers may ask for another."""
    publish(2)
    Importer(database).page(1, 2 if full else 10, filtered=True)

    with database.reading() as connection:
        assert len(connection.execute(pins.select()).all()) == full


def test_a_full_last_page_is_followed_by_an_empty_one(database, publish):
    """P14: an importer that goes by the length of pages asks beyond the end, and gets no row of another generation."""
    publish(4)
    importer = Importer(database)
    importer.page(1, 4)
    publish(9)

    assert importer.page(5, 4) == (1, [], 4)


def test_a_first_request_in_the_middle_takes_the_newest_and_pins_it(database, publish):
    """P14: there is nothing else it could mean."""
    publish(5)
    importer = Importer(database)
    begun = importer.page(3, 2)
    publish(9)

    assert [begun[0], importer.page(5, 2)[0]] == [1, 1]


class TestGroups:
    """Groups take, once, the generation of the walk over all users before them."""

    def test_they_are_read_as_of_the_walk_over_users_once(self, database, publish):
        """P14, P18: memberships name no user that the import was not shown."""
        publish(3)
        importer = Importer(database)
        importer.page(1, 10)
        publish(4)
        importer.page(1, 10, query="lookup", filtered=True)

        assert [importer.page(1, 10, kind=Kind.GROUPS)[0] for _ in range(2)] == [1, 2]

    def test_probes_neither_set_nor_spend_it(self, database, publish):
        """P14: a probe of users is no walk to its last row, and one of groups reads no later page."""
        publish(3)
        importer = Importer(database)
        importer.page(1, 10)
        publish(4)
        importer.page(1, 1)
        importer.page(1, 1, kind=Kind.GROUPS)
        importer.page(1, 9, kind=Kind.GROUPS, query="lookup", filtered=True)

        assert [importer.page(start, 1, kind=Kind.GROUPS)[0] for start in (1, 2)] == [1, 1]
        assert importer.page(1, 1, kind=Kind.GROUPS)[0] == 2

    def test_users_who_were_never_read_to_the_end_set_nothing(self, database, publish):
        """P14: the newest is better than a generation of which nobody was shown everybody."""
        publish(3)
        importer = Importer(database)
        importer.page(1, 2)
        publish(4)

        assert importer.page(1, 10, kind=Kind.GROUPS)[0] == 2

    def test_they_do_not_take_it_for_ever(self, database, publish):
        """P14: after the timeout they take the newest."""
        publish(3)
        importer = Importer(database)
        importer.page(1, 10)
        publish(4)
        age(database, HOUR + 1)

        assert importer.page(1, 10, kind=Kind.GROUPS)[0] == 2

    def test_a_walk_by_cursor_does_the_same(self, database, publish):
        """P14, RFC 9865: users by cursor, then groups by cursor."""
        publish(3)
        importer = Importer(database)
        importer.first_page(2)
        publish(4)
        assert importer.next_page(3, 2, 1) == (1, ["u00003"], 3)

        assert [importer.first_page(9, kind=Kind.GROUPS)[0] for _ in range(2)] == [1, 2]


def test_clients_walk_on_their_own(database):
    """P14: a pin belongs to one client."""
    publish_directory(database, Directory(people(5)))
    Importer(database, "one").page(1, 2)
    publish_directory(database, Directory(people(4)))

    assert Importer(database, "other").page(3, 2) == (2, ["u00003", "u00004"], 4)


def test_a_walk_read_from_two_addresses_is_noticed_once(database):
    """P14: two importers on one credential cannot be told apart, so somebody has to hear of it."""
    publish_directory(database, Directory(people(6)))
    importer = Importer(database)
    importer.page(1, 2, address="192.0.2.1")
    walk = Walk("importer", Kind.USERS, "usersall", 2, address="192.0.2.9")

    seen = []
    for start in (3, 5):
        page = importer.pins.find(walk, start=start)
        seen.append(page.other_address)
        importer.pins.note(page, rows=2, total=6)

    assert seen == ["192.0.2.1", ""]


class TestRoom:
    """A client holds a bounded number of pins."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        """Let it be three."""
        monkeypatch.setattr(pins_module, "MOST_PINS", 3)

    def held(self, database):
        """Return the queries of the pins that are held."""
        with database.reading() as connection:
            return set(connection.execute(pins.select()).scalars("query").all())

    def test_a_walk_that_was_dropped_is_refused(self, database, publish):
        """P14: never another generation, also for who was begun in the meantime or not at all."""
        publish(5)
        importer = Importer(database)
        importer.page(1, 2)
        for number in range(3):
            importer.page(1, 2, query=str(number))
        publish(9)

        assert self.held(database) == {"users0", "users1", "users2"}
        for query in ("all", "new"):
            with pytest.raises(WalkExpired, match="begin again"):
                importer.page(3, 2, query=query)
        assert [importer.page(3, 2, query=str(number))[0] for number in range(3)] == [1, 1, 1]
        assert [importer.page(start, 2)[0] for start in (1, 3)] == [2, 2]

    def test_the_mark_lasts_for_the_greatest_age(self, database, publish):
        """P14: then nobody can come back to what was dropped."""
        publish(5)
        importer = Importer(database)
        for number in range(4):
            importer.page(1, 2, query=str(number))
        age(database, 24 * HOUR - MINUTE)
        with pytest.raises(WalkExpired):
            importer.page(3, 2, query="other")
        age(database, 2 * MINUTE)

        assert importer.page(3, 2, query="other")[0] == 1

    def test_filtered_searches_go_before_whole_walks(self, database, publish):
        """P14: an importer that also looks people up does not lose its walk."""
        publish(5)
        importer = Importer(database)
        importer.page(1, 2)
        for number in range(5):
            importer.page(1, 2, query=str(number), filtered=True)
        publish(9)

        assert self.held(database) == {"usersall", "users3", "users4"}
        assert importer.page(3, 2)[0] == 1
        assert importer.page(3, 2, query="whole")[0] == 2
        with pytest.raises(WalkExpired):
            importer.page(3, 2, query="0", filtered=True)

    def test_finished_ones_go_first(self, database, publish):
        """P14: of whole walks, those of which all was read."""
        publish(4)
        importer = Importer(database)
        importer.page(1, 2)
        for start in (1, 3):
            importer.page(start, 2, query="finished")
        for query in ("x", "y"):
            importer.page(1, 2, query=query)

        assert self.held(database) == {"usersall", "usersx", "usersy"}

    def test_what_is_past_its_greatest_age_leaves_no_mark(self, database, publish):
        """P14: its later pages would be refused anyway."""
        publish(5)
        importer = Importer(database)
        for number in range(3):
            importer.page(1, 2, query=str(number))
        age(database, 25 * HOUR)
        importer.page(1, 2)

        assert importer.page(3, 2, query="other")[0] == 1


def test_a_generation_is_collected_once_nobody_reads_it(database):
    """P14, P22: what a walk holds is kept, what was superseded long ago is not, and the rest reads as before."""
    publish_directory(database, Directory(people(5), [team("g1")], {"g1": ["u00001", "u00005"]}))
    importer = Importer(database)
    importer.page(1, 2)
    publish_directory(database, Directory(people(4), [team("g1")], {"g1": ["u00001"]}))

    assert collect(database, Retention(0.0, 0.0)) == 2
    assert collect(database, Retention(HOUR, HOUR)) == 2
    reader = DirectoryReader(database)
    newest = reader.newest()
    assert [found.id for found in reader.page(Kind.USERS, newest, start=1, count=9).resources] == [
        one.id for one in people(4)
    ]
    assert [member.id for member in reader.members("g1", newest)] == ["u00001"]


@pytest.mark.parametrize("waits_for", ["a page", "a cursor", "groups"])
def test_a_generation_in_use_is_not_collected(database, publish, waits_for):
    """P14: collecting takes no page away from a walk under way, by index or cursor, nor from the groups after users."""
    publish(5)
    importer = Importer(database)
    {
        "a page": lambda: importer.page(1, 2),
        "a cursor": lambda: importer.first_page(2),
        "groups": lambda: importer.page(1, EVERYTHING),
    }[waits_for]()
    publish(3)
    with database.writing() as connection:
        connection.execute(text("UPDATE generations SET published_at = '2026-01-01T00:00:00.000Z'"))

    assert collect(database, Retention(HOUR, HOUR)) == 1
    age(database, HOUR + 1)
    assert collect(database, Retention(HOUR, HOUR)) == 2


def test_a_pin_outlives_its_generation(database, publish):
    """P14: a page that comes a day late is refused, and not read from another generation."""
    publish(5)
    importer = Importer(database)
    importer.page(1, 2)
    publish(3)
    age(database, 23 * HOUR)
    collect(database, Retention(HOUR, HOUR))

    with pytest.raises(WalkExpired):
        importer.page(3, 2)


def test_first_pages_of_one_walk_may_come_at_once(open_store):
    """P14: an importer with several connections begins a walk on each, and none is refused."""
    database = open_store()
    publish_directory(database, Directory(people(5)))
    walk, together = Walk("idp", Kind.USERS, "q", 2), Barrier(6)

    def read_first_page():
        pins = Pins(database, timeout=3600)
        page = pins.find(walk, start=1)
        together.wait()
        pins.note(page, rows=2, total=5)
        return pins.find(walk, start=3).generation.number

    with ThreadPoolExecutor(6) as threads:
        read = [threads.submit(read_first_page) for _ in range(6)]

    assert [one.result() for one in read] == [1] * 6


def test_a_late_note_does_not_move_a_walk_that_was_begun_anew(database, publish):
    """P14: a page of the walk before it says nothing of this one."""
    publish(5)
    importer = Importer(database)
    importer.page(1, 2)
    late = importer.pins.find(Walk("importer", Kind.USERS, "usersall", 2), start=5)
    publish(6)
    importer.page(1, 2)
    importer.pins.note(late, rows=1, total=5)

    assert importer.page(3, 2)[0] == 2
    with database.reading() as connection:
        assert connection.execute(pins.select()).one().reached == 4
