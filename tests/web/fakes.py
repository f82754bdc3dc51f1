"""A published directory and its callers in memory, for the tests of the web application."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scim2_models.path import Comparison, FilterNode

from connector.directory.people import Person, Team
from connector.directory.rows import Kind
from connector.directory.stored_body import ending
from connector.errors import AlreadyRunning, ApprovalRefused, NoSuchRun, RunEnded, StoreError
from connector.scim.encoding import encode
from connector.scim.render import group_row, user_row
from connector.store.audit import Actor, Counted
from connector.store.aws_verification import VerificationRecord
from connector.store.clients import Client, ClientRole, Grant
from connector.store.generations import Generation
from connector.store.reading.reader import Member, ResourcePage, Stored
from connector.store.reading.sql_filters import Sort, UnsupportedFilter
from connector.store.reading.walk_rules import ImporterState, PinnedPage, Walk, WalkExpired
from connector.store.runs.figures import Figures, RunTotal
from connector.store.runs.rotated_accounts import RotationFigures
from connector.web.services import Services

PUBLISHED_AT = "2026-01-02T03:04:05.678Z"
TOKEN = "ccs_importer"
OPERATOR_TOKEN = "ccs_operator"
TEAMS = ("Everyone", "Two", "Nobody")
REVOKED_TOKEN = "ccs_revoked"


class FakeClients:
    """Lets one importer and one operator in by their tokens, until they are revoked."""

    def __init__(self) -> None:
        self.known = {
            TOKEN: Client(1, "idp", ClientRole.IMPORTER, Grant.BEARER, None, PUBLISHED_AT),
            OPERATOR_TOKEN: Client(2, "ops", ClientRole.OPERATOR, Grant.BEARER, None, PUBLISHED_AT),
        }
        self.pairs: dict[tuple[str, str], Client] = {}
        self.users: dict[int, tuple[str, str]] = {}
        self.asked: list[str] = []

    def authenticate(self, token: str) -> Client | None:
        """Return the client whose token this is."""
        self.asked.append(token)
        return self.known.get(token)

    def verify(self, client_id: str, client_secret: str) -> Client | None:
        """Return the client whose id and secret these are."""
        return self.pairs.get((client_id, client_secret))

    def verify_user(self, client: Client, username: str, password: str) -> bool:
        """Tell whether a client has this user."""
        return self.users.get(client.id) == (username, password)

    def issue_token(self, client: Client, *, seconds: int) -> str:
        """Let a client in by one more token."""
        token = f"cca_{client.id}_{seconds}"
        self.known[token] = client
        return token


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class FakeReader:
    """One generation of people and teams, in the given order.

    Args:
        memberships: for each team, the people in it.
        published: whether there is a generation.
        broken: whether the store fails to answer.
        fails_after: number of rows after which reading a page fails.
    """

    people: Sequence[Person] = ()
    teams: Sequence[Team] = ()
    memberships: dict[str, list[Person]] = field(default_factory=dict)
    published: bool = True
    broken: bool = False
    fails_after: int | None = None
    asked_ids: list[str] = field(default_factory=list)
    sorts: list[Sort | None] = field(default_factory=list)
    pages_read: int = 0
    members_read: int = 0

    def newest(self) -> Generation | None:
        """Return the generation."""
        self._answer()
        if not self.published:
            return None
        memberships = sum(len(members) for members in self.memberships.values())
        return Generation(1, PUBLISHED_AT, len(self.people), len(self.teams), memberships)

    def generation(self, number: int) -> Generation | None:
        """Return the generation of this number."""
        newest = self.newest()
        return newest if newest and newest.number == number else None

    def find(self, kind: Kind, identifier: str, generation: Generation) -> Stored | None:
        """Return one resource."""
        self._answer()
        self.asked_ids.append(identifier)
        found = [stored for stored in self._all(kind, generation) if stored.id == identifier]
        return found[0] if found else None

    def page(
        self,
        kind: Kind,
        generation: Generation,
        *,
        start: int,
        count: int,
        where: FilterNode | None = None,
        sort: Sort | None = None,
    ) -> ResourcePage:
        """Return a page; of all filters, this fake knows `eq` on names and ids, and no order but its own."""
        self._answer()
        self.sorts.append(sort)
        matching = [stored for stored in self._all(kind, generation) if _matches(stored, where)]
        return ResourcePage(len(matching), self._rows(matching[start - 1 : start - 1 + count]))

    def members(self, group_id: str, generation: Generation) -> Iterator[Member]:
        """Stream the members of a team."""
        assert generation.number == 1
        self.members_read += 1
        for person in self.memberships.get(group_id, []):
            yield Member(person.id, person.names[0])

    def _answer(self) -> None:
        if self.broken:
            raise StoreError("disk I/O error in /secret/place")

    def _rows(self, rows: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
        self.pages_read += 1
        for given, row in enumerate(rows):
            if given == self.fails_after:
                raise StoreError("the disk is gone")
            yield [row]

    def _all(self, kind: Kind, generation: Generation) -> list[Stored]:
        assert generation.number == 1
        if kind is Kind.USERS:
            return [
                Stored(person.id, PUBLISHED_AT, self._user_head(person) + ending(PUBLISHED_AT))
                for person in self.people
            ]
        return [Stored(team.id, PUBLISHED_AT, group_row(team).head + ending(PUBLISHED_AT)) for team in self.teams]

    def _user_head(self, person: Person) -> str:
        row = user_row(person)
        mentions = [group_row(team).mention for team in self.teams if person in self.memberships.get(team.id, [])]
        groups = f',"groups":[{",".join(mentions)}]' if mentions else ""
        return f"{row.opening}{encode(row.names[0])}{groups}{row.closing}"


def sample_reader() -> FakeReader:
    """Return a published directory: 25 people, a team of all, a team of two, a team of none."""
    people = [
        Person(
            id=f"00000000-0000-4000-8000-{number:012}",
            username=f"user{number}",
            names=(f"user{number}", f"user{number}", f"00000000-0000-4000-8000-{number:012}"),
            active=number % 5 != 0,
            status="CONFIRMED",
            family_name=f"Nämé {number}",
            display_name=f"Person {number}",
            email=f"user{number}@corp.local",
        )
        for number in range(1, 26)
    ]
    teams = [Team(id=f"11111111-0000-5000-8000-{number:012}", name=name) for number, name in enumerate(TEAMS)]
    return FakeReader(people, teams, {teams[0].id: people, teams[1].id: people[:2]})


def _matches(stored: Stored, where: FilterNode | None) -> bool:
    if where is None:
        return True
    if not isinstance(where, Comparison) or where.attr_path.attr.lower() not in {"username", "displayname", "id"}:
        raise UnsupportedFilter(f"a filter like {where} is not supported")
    return f'"{where.attr_path.attr}":{encode(where.value)}'.lower() in stored.body.lower()


@dataclass
class FakePins:
    """Pins nothing: every page is read from the newest generation."""

    reader: FakeReader
    noted: list[int] = field(default_factory=list)

    def find(self, walk: Walk, *, start: int) -> PinnedPage | None:
        """Return the newest generation."""
        assert walk.query
        assert walk.client
        assert start >= 1
        newest = self.reader.newest()
        return PinnedPage(walk, start, newest, None, replaces=False, importer=ImporterState()) if newest else None

    def resume(self, walk: Walk, *, start: int, generation: int) -> PinnedPage:
        """Return the generation of the cursor."""
        kept = self.reader.generation(generation)
        if kept is None:
            raise WalkExpired("Gone; begin again.")
        return PinnedPage(walk, start, kept, None, replaces=False, importer=ImporterState())

    def note(self, page: PinnedPage, *, rows: int, total: int) -> None:
        """Take note of where the page ended."""
        assert total >= 0
        self.noted.append(page.start + rows)


@dataclass
class FakeRun:
    """A run, in the state that a test puts it in."""

    id: int
    kind: str = "sync"
    cause: str = "api"
    state: str = "queued"
    outcome: str | None = None
    approve: str | None = None
    asked_by: str = "ops"
    cancelled_by: Actor | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the document that callers read."""
        progress = {"phase": "users", "users": 60, "groups": 0, "memberships": 0, "calls": 1}
        return {
            **{name: getattr(self, name) for name in ("id", "kind", "cause", "state", "outcome")},
            "progress": progress if self.state == "running" else None,
            "result": {"outcome": self.outcome} if self.outcome else None,
            "queued_at": PUBLISHED_AT,
            "started_at": None if self.state == "queued" else PUBLISHED_AT,
            "ended_at": PUBLISHED_AT if self.state == "ended" else None,
            "asked_by": self.asked_by,
        }


@dataclass
class FakeRuns:
    """A queue that nobody works off; plans wait under the digests in `waiting`."""

    known: list[FakeRun] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    broken: bool = False

    def request(self, kind: str, *, cause: str, approve: str | None = None, by: Actor) -> FakeRun:
        """Queue a run, one at a time."""
        self._answer()
        if under_way := next((run for run in self.known if run.state != "ended"), None):
            raise AlreadyRunning(under_way.id, remedy="Wait.")
        if approve and approve not in self.waiting:
            raise ApprovalRefused("No refused plan waits.", remedy="Make a new one.")
        run = FakeRun(len(self.known) + 1, kind, cause, approve=approve, asked_by=by.client)
        self.known.append(run)
        return run

    def find(self, run: int) -> FakeRun:
        """Return the run of this number."""
        self._answer()
        found = next((known for known in self.known if known.id == run), None)
        if found is None:
            raise NoSuchRun(f"There is no run {run}.", remedy="Look for another.")
        return found

    def history(self, *, count: int, before: int | None = None) -> list[FakeRun]:
        """Return runs, newest first."""
        self._answer()
        return [run for run in reversed(self.known) if before is None or run.id < before][:count]

    def cancel(self, run: int, *, by: Actor) -> FakeRun:
        """End a run."""
        (found,) = (known for known in self.known if known.id == run)
        if found.state == "ended":
            raise RunEnded(f"Run {run} has ended already.")
        found.state, found.outcome, found.cancelled_by = "ended", "cancelled", by
        return found

    def _answer(self) -> None:
        if self.broken:
            raise StoreError("disk I/O error in /secret/place")


@dataclass
class FakeMeasures:
    """Figures around the generation of a reader."""

    reader: FakeReader
    now: float = 1_000_000.0
    runs: tuple[RunTotal, ...] = ()
    calls: dict[str, int] = field(default_factory=dict)
    pinned: int = 0
    rotation: RotationFigures = field(default_factory=RotationFigures)
    verification: VerificationRecord | None = None
    expiries: dict[str, float] = field(default_factory=dict)
    read_only: bool = False
    asked: int = 0

    def read(self) -> Figures:
        """Return the figures."""
        self.asked += 1
        told = (self.now, self.reader.newest(), self.runs, self.calls, self.pinned, self.rotation)
        return Figures(*told, verification=self.verification, expiries=self.expiries)

    def prove_writable(self) -> None:
        """Take changes, unless the store is read-only."""
        if self.read_only:
            raise StoreError("attempt to write a readonly database in /secret/place")


@dataclass
class FakeAuditTrail:
    """Remembers what callers did; a store that is `broken` takes nothing."""

    events: list[Counted] = field(default_factory=list)
    broken: bool = False

    def count(self, counted: Sequence[Counted]) -> None:
        """Remember it."""
        if self.broken:
            raise StoreError("disk I/O error in /secret/place")
        self.events.extend(counted)


def services_of(
    reader: Any,
    clients: Any,
    *more: Any,
    runs: Any = None,
    changes: Any = None,
    measures: Any = None,
    audit: Any = None,
    **named: Any,
) -> Services:
    """Return what the application works with; every page is read from the newest generation."""
    parts: tuple[Any, ...] = (
        FakePins(reader),
        clients,
        runs or FakeRuns(),
        changes,
        measures or FakeMeasures(reader),
        audit or FakeAuditTrail(),
    )
    return Services(reader, *parts, *more, **named)
