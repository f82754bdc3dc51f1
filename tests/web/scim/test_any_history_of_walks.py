"""Any history of publishing, walking, probing and losing time, held to a model: no walk is a mixture of generations."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import select, update

from connector.directory.times import rfc3339
from connector.scim.evaluate import Evaluator
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.store.publishing.cleanup import Retention, collect
from connector.store.reading import pins as pins_module
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.store.sql.tables import generations, importers, pins
from connector.web.app import create_app
from connector.web.services import Services
from tests.store.population import Directory, person, publish_directory, team

BASE = "https://scim.example.com"
MINUTE, HOUR, DAY = 60, 3600, 86_400
TEAMS = ("g1", "g2", "g3")
GENERATION = re.compile(r'W/"l(\d+)-')
NEVER = 10 * DAY


@dataclass
class Walker:
    """An importer that reads page after page.

    Args:
        client: whose credential it has.
        path: what it walks over.
        count: rows in a page.
        asks_for_less: whether its last page is no longer than what is left.
        by_cursor: whether it goes by cursors.
    """

    client: str
    path: str = "/Users"
    count: int = 2
    asks_for_less: bool = False
    by_cursor: bool = False
    start: int = 1
    cursor: str = ""
    generation: int | None = None
    total: int | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    moved: int = NEVER
    read_later_page: int = NEVER
    has_read_end: bool = False
    may_be_refused: bool = False

    def begin_again(self):
        """Forget what was read, which the server cannot know."""
        self.start, self.cursor, self.rows, self.may_be_refused = 1, "", [], False

    def query(self):
        """Return what it asks next."""
        if self.by_cursor:
            return {"cursor": self.cursor, "count": self.count}
        left = self.total - self.start + 1 if self.asks_for_less and self.start > 1 else self.count
        return {"startIndex": self.start, "count": min(self.count, left)}


class Machine(RuleBasedStateMachine):
    """Two replicas, two clients, four walkers; time passes only by a rule."""

    def __init__(self):
        super().__init__()
        self.database = open_database(self.url)
        clients = Clients(self.database)
        self.tokens = {name: clients.create(name).token for name in ("one", "two")}
        self.replicas = [self.replica(), self.replica()]
        self.published = {}
        self.tag = self.tagged = None
        self.users_read = {}
        self.walkers = {
            "full pages": Walker("one"),
            "no more than are left": Walker("one", count=3, asks_for_less=True),
            "groups": Walker("one", "/Groups"),
            "another client": Walker("two", count=2),
            "cursor": Walker("two", by_cursor=True),
        }
        self.publish({1, 2, 3, 4, 5})

    def replica(self):
        """Start a process that serves."""
        reader = DirectoryReader(self.database, Evaluator(f"{BASE}/scim/v2"))
        parts = (
            Pins(self.database, timeout=HOUR),
            Clients(self.database),
            Runs(self.database),
            ChangesReader(self.database),
        )
        more = (Measures(self.database, walk_timeout=HOUR), AuditTrail(self.database))
        return create_app(Services(reader, *parts, *more, BASE, 1000)).test_client()

    @property
    def newest(self):
        """The number of the newest generation."""
        return max(self.published)

    def get(self, replica, client, path, headers=None, **query):
        """Ask, and return the answer and the generation that it is read from."""
        sent = {"Authorization": f"Bearer {self.tokens[client]}", **(headers or {})}
        answer = self.replicas[replica].get(f"/scim/v2{path}", query_string=query, headers=sent)
        found = GENERATION.match(answer.headers.get("ETag", ""))
        return answer, int(found[1]) if found else None

    @rule(numbers=st.sets(st.integers(0, 9)))
    def publish(self, numbers):
        """The pool changed; one group has all users as its members."""
        folk = [person(f"u{number}") for number in sorted(numbers)]
        directory = Directory(folk, map(team, TEAMS), {"g1": [one.id for one in folk]})
        if generation := publish_directory(self.database, directory).generation:
            self.published[generation.number] = {one.id for one in folk}

    @rule(replica=st.integers(0, 1), name=st.sampled_from(["full pages", "no more than are left", "groups"]))
    def read_a_page(self, replica, name):
        """An importer goes on by index, or begins."""
        self.go_on(replica, self.walkers[name])

    @rule(replica=st.integers(0, 1), name=st.sampled_from(["another client", "cursor"]))
    def read_a_page_of_another_client(self, replica, name):
        """Likewise, and by cursor."""
        self.go_on(replica, self.walkers[name])

    @rule(replica=st.integers(0, 1))
    def import_everything(self, replica):
        """Users to their end, then groups: no membership names a user that was not shown."""
        users, groups = self.walkers["full pages"], self.walkers["groups"]
        for walker in (users, groups):
            walker.begin_again()
            for _ in range(20):
                if self.go_on(replica, walker):
                    break

    def go_on(self, replica, walker):
        """Read the next page; return whether it was the last."""
        first = walker.start == 1 and not walker.cursor
        answer, generation = self.get(replica, walker.client, walker.path, **walker.query())
        if answer.status_code == 400:
            self.demand_excuse(walker, answer.get_json()["detail"], first=first)
            walker.begin_again()
            return False
        assert answer.status_code == 200
        if first:
            assert generation in self.expected(walker)
            walker.generation, walker.total = generation, answer.get_json()["totalResults"]
        assert generation == walker.generation, "a walk is of one generation"
        rows = answer.get_json()["Resources"]
        end = walker.start + len(rows) - 1
        self.note(walker, first=first, reads_end=end >= walker.total and (rows or first))
        walker.rows += rows
        walker.start += len(rows)
        walker.cursor = answer.get_json().get("nextCursor", "")
        done = not walker.cursor if walker.by_cursor else len(rows) < walker.count or self.has_all(walker)
        if done:
            self.demand_everybody(walker)
            walker.begin_again()
        return done

    def has_all(self, walker):
        """Some importers count; others read on until a page is short."""
        return walker.asks_for_less and walker.start > walker.total

    def expected(self, walker):
        """Return the generations that a first page may be read from."""
        anew = self.newest
        read, age = self.users_read.get(walker.client, (None, NEVER))
        if walker.path == "/Groups" and read and age < HOUR:
            anew = read
        if walker.by_cursor or walker.read_later_page > MINUTE + 5:
            return {anew}
        return {walker.generation} if walker.moved < MINUTE else {anew, walker.generation}

    def note(self, walker, *, first, reads_end):
        """Keep the model up to date."""
        if first and walker.moved >= MINUTE:
            walker.has_read_end = False
        walker.has_read_end |= bool(reads_end)
        if walker.has_read_end:
            walker.read_later_page = walker.moved = NEVER
        elif not first:
            walker.read_later_page = walker.moved = 0
        if walker.path == "/Users" and reads_end:
            self.users_read[walker.client] = (walker.generation, 0)
        is_users = self.users_read.get(walker.client, (0,))[0] == walker.generation
        if walker.path == "/Groups" and is_users and (reads_end or not first):
            del self.users_read[walker.client]

    def demand_everybody(self, walker):
        """A walk that ends without an error has shown exactly its generation."""
        everybody = self.published[walker.generation]
        ids = [row["id"] for row in walker.rows]
        if walker.path == "/Users":
            assert sorted(ids) == sorted(everybody)
            return
        assert sorted(ids) == sorted(TEAMS)
        members = {member["value"] for row in walker.rows for member in row.get("members", ())}
        assert members == everybody

    def demand_excuse(self, walker, detail, *, first):
        """A walk is refused only when it has to be."""
        assert not first
        assert "begin again" in detail
        assert walker.may_be_refused or (walker.client == "one" and "Two walks" in detail), detail

    @rule(replica=st.integers(0, 1), count=st.sampled_from([0, 1]), path=st.sampled_from(["/Users", "/Groups"]))
    def probe(self, replica, count, path):
        """A probe of users sees the newest; one of groups may still see what the last import of users saw."""
        answer, generation = self.get(replica, "one", path, count=count)
        total = answer.get_json()["totalResults"]
        if path == "/Users" or count == 0:
            assert generation == self.newest
        if path == "/Users":
            assert total == len(self.published[self.newest])
            if count and total <= 1:
                self.users_read["one"] = (generation, 0)

    @rule(replica=st.integers(0, 1))
    def poll_first_pages_with_a_tag(self, replica):
        """A poller sees the newest, and 304 exactly while that is what it has."""
        headers = {"If-None-Match": self.tag} if self.tag else {}
        answer, generation = self.get(replica, "one", "/Users", headers, count=7)

        assert generation == self.newest
        assert answer.status_code == (304 if self.tag and self.tagged == self.newest else 200)
        self.tag, self.tagged = answer.headers["ETag"], generation
        if len(self.published[generation]) <= 7:
            self.users_read["one"] = (generation, 0)

    @rule(replica=st.integers(0, 1), filtered=st.booleans(), number=st.integers(1, 9))
    def evict(self, replica, filtered, number):
        """The same client begins more walks than it may hold."""
        for extra in range(number, number + 9):
            query = {"attributes": f"userName,x{extra}"}
            if filtered:
                query |= {"filter": f'userName ne "{extra}"'}
            answer, generation = self.get(replica, "one", "/Users", count=1, **query)
            if not filtered and answer.get_json()["totalResults"] <= 1:
                self.users_read["one"] = (generation, 0)
        for walker in self.walkers.values():
            walker.may_be_refused |= walker.client == "one"

    @rule(name=st.sampled_from(["full pages", "no more than are left", "groups"]))
    def give_up(self, name):
        """An importer never reads to the end, and begins again."""
        self.walkers[name].begin_again()

    @rule(seconds=st.sampled_from([20, 70, 2 * HOUR, 30 * HOUR]))
    def let_time_pass(self, seconds):
        """All that is noted becomes older."""
        with self.database.writing() as connection:
            for table in (pins, importers):
                times = [column for column in table.c if column.name.endswith("_at")]
                connection.execute(update(table).values({time: time - seconds * 1000 for time in times}))
            for number, moment in connection.execute(select(generations.c.number, generations.c.published_at)).all():
                earlier = rfc3339(datetime.fromisoformat(moment) - timedelta(seconds=seconds))
                row = update(generations).where(generations.c.number == number)
                connection.execute(row.values(published_at=earlier))
        self.tag = None
        self.users_read = {client: (number, age + seconds) for client, (number, age) in self.users_read.items()}
        for walker in self.walkers.values():
            walker.moved += seconds
            walker.read_later_page += seconds
            walker.may_be_refused |= seconds >= HOUR

    @rule()
    def collect_garbage(self):
        """What nobody reads is removed."""
        collect(self.database, Retention(HOUR, HOUR))

    @rule(replica=st.integers(0, 1))
    def restart(self, replica):
        """A process ends, and another takes its place."""
        self.replicas[replica] = self.replica()

    def teardown(self):
        """Let go of the store."""
        self.database.close()


def test_any_history_of_walks(tmp_path_factory, monkeypatch):
    """P14: a walk that ends without an error has shown everybody of one generation, the newest when it began.

    For groups that is the newest when their walk over users began. A poller of first pages always sees the newest.
    """
    monkeypatch.setattr(pins_module, "MOST_PINS", 8)

    def machine():
        made = type("AnyHistory", (Machine,), {"url": f"sqlite:///{tmp_path_factory.mktemp('walks')}/store.db"})
        return made()

    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=30, deadline=None))
