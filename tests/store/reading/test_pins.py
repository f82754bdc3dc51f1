"""Walks over several pages see one generation, on each database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from connector.directory.rows import Kind
from connector.store.migrations import open_database
from connector.store.publishing.cleanup import Retention, collect
from connector.store.reading.pins import MOST_PINS, Walk, WalkExpired, Walks
from connector.store.reading.reader import DirectoryReader
from connector.store.sql.tables import walks
from tests.store.population import Directory, people, person, publish_directory, team

HOUR = 3600.0


class Importer:
    """A client that reads page after page, as the endpoint answers it."""

    def __init__(self, database, name="importer", *, timeout=HOUR):
        self.reader = DirectoryReader(database)
        self.walks = Walks(database, timeout=timeout)
        self.name = name

    def page(self, start, count, *, kind=Kind.USERS, query="all", filtered=False):
        """Read one page and return its generation, its ids and the total."""
        walk = Walk(self.name, kind, f"{kind}{query}{count}", filtered=filtered)
        standing = self.walks.stand(walk, start=start)
        generation = standing.generation
        page = self.reader.page(kind, generation, start=start, count=count)
        ids = [found.id for found in page.resources]
        self.walks.note_page(standing, rows=len(ids), total=page.total)
        return generation.number, ids, page.total


def age(database, seconds):
    """Let every walk have been left alone for so long."""
    with database.writing() as connection:
        connection.execute(update(walks).values(touched_at=walks.c.touched_at - int(seconds * 1000)))


def test_a_walk_reads_on_in_the_generation_it_began_with(open_store):
    """P14: whatever is published meanwhile, on whichever replica the next page is asked."""
    here, there = open_store(), open_store()
    publish_directory(here, Directory(people(5)))
    first = Importer(here).page(1, 2)
    publish_directory(here, Directory(people(3)))

    rest = [Importer(there).page(start, 2) for start in (3, 5)]

    assert [first, *rest] == [(1, ["u00001", "u00002"], 5), (1, ["u00003", "u00004"], 5), (1, ["u00005"], 5)]
    assert Importer(there).page(1, 2)[0] == 2


def test_a_walk_begun_again_before_its_end_stays_where_it_was(database):
    """P14: a client that repeats its first page is still on the same walk."""
    publish_directory(database, Directory(people(5)))
    importer = Importer(database)
    importer.page(1, 2)
    publish_directory(database, Directory(people(3)))

    assert [importer.page(1, 2)[0], importer.page(3, 2)[0]] == [1, 1]


def test_a_walk_left_alone_for_too_long_is_refused(database):
    """P14: an expired walk is an error, never a mixture; its first page begins anew."""
    publish_directory(database, Directory(people(5)))
    importer = Importer(database)
    importer.page(1, 2)
    publish_directory(database, Directory(people(3)))
    age(database, HOUR + 1)

    with pytest.raises(WalkExpired):
        importer.page(3, 2)
    assert importer.page(1, 2)[0] == 2
    assert importer.page(3, 2) == (2, ["u00003"], 3)


def test_answers_of_one_page_hold_no_pin(database):
    """P14: lookups do not keep old generations alive."""
    publish_directory(database, Directory(people(2)))
    importer = Importer(database)
    importer.page(1, 10, filtered=True)
    publish_directory(database, Directory(people(3)))

    assert importer.page(1, 10, filtered=True)[0] == 2


def test_groups_are_read_as_of_the_walk_over_users_once(database):
    """P14, P18: memberships name no user that the import was not shown."""
    old = Directory(people(3), [team("g1")], {"g1": ["u00001"]})
    publish_directory(database, old)
    importer = Importer(database)
    importer.page(1, 10)
    publish_directory(database, Directory([*people(3), person("u00009")], [team("g1")], {"g1": ["u00009"]}))
    importer.page(1, 10, query="lookup", filtered=True)

    generations = [importer.page(1, 10, kind=Kind.GROUPS)[0] for _ in range(2)]

    assert generations == [1, 2]


def test_clients_walk_on_their_own(database):
    """P14: a pin belongs to one client."""
    publish_directory(database, Directory(people(5)))
    Importer(database, "one").page(1, 2)
    publish_directory(database, Directory(people(4)))

    assert Importer(database, "other").page(3, 2) == (2, ["u00003", "u00004"], 4)


def test_a_client_holds_a_bounded_number_of_pins(database):
    """P14: odd clients cannot fill the store; the walk left alone for longest gives way."""
    publish_directory(database, Directory(people(5)))
    importer = Importer(database)
    for number in range(MOST_PINS + 5):
        importer.page(1, 2, query=str(number))

    with database.reading() as connection:
        assert len(connection.execute(walks.select()).all()) <= MOST_PINS + 1


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


def test_a_generation_in_use_is_not_collected(database):
    """P14: collecting never takes a page away from a walk under way."""
    publish_directory(database, Directory(people(5)))
    importer = Importer(database)
    importer.page(1, 2)
    publish_directory(database, Directory(people(3)))

    assert collect(database, Retention(HOUR, HOUR)) == 1
    assert importer.page(3, 2) == (1, ["u00003", "u00004"], 5)


class WalkMachine(RuleBasedStateMachine):
    """Publish, walk, collect, restart: a finished walk is exactly the generation of its first page."""

    def __init__(self):
        super().__init__()
        self.database = open_database(self.url)
        self.published = {}
        self.under_way = {}
        self.publish({1, 2, 3})

    def publish(self, numbers):
        """Publish users of these numbers."""
        folk = [person(f"u{number}") for number in sorted(numbers)]
        generation = publish_directory(self.database, Directory(folk)).generation
        if generation:
            self.published[generation.number] = {one.id for one in folk}

    @rule(numbers=st.sets(st.integers(0, 9)))
    def publish_another(self, numbers):
        """The pool changed."""
        self.publish(numbers)

    @rule(client=st.sampled_from("ab"), count=st.sampled_from([1, 2, 3]))
    def read_next_page(self, client, count):
        """A client goes on with its walk, or begins one."""
        start, began_with, seen = self.under_way.get((client, count), (1, None, []))
        number, ids, total = Importer(self.database, client).page(start, count)
        assert began_with in {None, number}
        seen = [*seen, *ids]
        if start + len(ids) > total:
            assert sorted(seen) == sorted(self.published[number])
            self.under_way.pop((client, count), None)
        else:
            self.under_way[client, count] = (start + len(ids), number, seen)

    @rule()
    def collect_garbage(self):
        """What nobody reads is removed."""
        collect(self.database, Retention(HOUR, HOUR))

    @rule()
    def switch_replica(self):
        """The next page is asked of another process."""
        self.database.close()
        self.database = open_database(self.url)

    @invariant()
    def newest_is_served(self):
        """The newest generation is whole at every moment."""
        reader = DirectoryReader(self.database)
        newest = reader.newest()
        found = {one.id for one in reader.page(Kind.USERS, newest, start=1, count=99).resources}
        assert found == self.published[newest.number]

    def teardown(self):
        """Let go of the store."""
        self.database.close()


def test_any_history_of_publishing_walking_and_collecting(tmp_path_factory):
    """P14: the pages of a finished walk are exactly the generation of its first page."""

    def machine():
        made = type("Machine", (WalkMachine,), {"url": f"sqlite:///{tmp_path_factory.mktemp('walks')}/store.db"})
        return made()

    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


def test_first_pages_of_one_walk_may_come_at_once(open_store):
    """P14: an importer with several connections begins a walk on each, and none is refused."""
    database = open_store()
    publish_directory(database, Directory(people(5)))
    walk, together = Walk("idp", Kind.USERS, "q"), Barrier(6)

    def read_first_page():
        walks = Walks(database, timeout=3600)
        standing = walks.stand(walk, start=1)
        together.wait()
        walks.note_page(standing, rows=2, total=5)
        return walks.stand(walk, start=3).generation.number

    with ThreadPoolExecutor(6) as threads:
        read = [threads.submit(read_first_page) for _ in range(6)]

    assert [one.result() for one in read] == [1] * 6
