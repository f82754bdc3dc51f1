"""A pool, a store and the sync between them, as the tests of the use cases need them."""

from dataclasses import dataclass, field, replace
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from connector.cognito.meter import Meter
from connector.cognito.session import open_pool
from connector.directory.hints import Hint
from connector.directory.mapping import Rules
from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind
from connector.directory.safeguard import LIMIT_NAMES, Limit, Limits
from connector.store.feed.marks import FeedTimes, Marks
from connector.store.publishing.cleanup import Retention
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.approvals import find_waiting
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from connector.sync.delta import DeltaSettings, delta_sync
from connector.sync.full_sync import SyncSettings, approve_plan, full_sync
from connector.sync.progress import Silence
from connector.sync.result import SyncResult
from tests.fakes.simulated_pool import SimulatedPool

ANYTHING_GOES = Limits(**dict.fromkeys(LIMIT_NAMES, Limit(0, 100.0)))


@dataclass
class Connector:
    """One pool kept in one store."""

    pool: SimulatedPool
    database: Database
    rules: Rules = field(default_factory=Rules)
    groups: tuple[str, ...] = ()
    limits: Limits = ANYTHING_GOES

    def sync(self, **access: object) -> SyncResult:
        """Run a full sync."""
        return self._run(RunKind.SYNC, access)

    def plan(self, **access: object) -> SyncResult:
        """Make a plan."""
        return self._run(RunKind.PLAN, access)

    def delta(self, *, settle: float = 1000.0, most: int = 1000, **access: object) -> SyncResult:
        """Run one round of the change feed."""
        settings = DeltaSettings(self._settings(), FeedTimes(0.0, settle), most)
        opener = partial(_open, self.pool.access(**access), settings.sync.meter)
        with begin(self.database, RunKind.DELTA, cause=Cause.COMMAND) as run:
            return delta_sync(opener, run, settings, Silence())

    def announce(self, *usernames: str, groups: tuple[str, ...] = ()) -> None:
        """Mark users, by the names from which `a_user` makes their subs, and groups."""
        subs = tuple(str(uuid5(NAMESPACE_URL, username)) for username in usernames)
        Marks(self.database).add([Hint(users=subs, groups=groups)])

    def approve(self, digest: str) -> SyncResult:
        """Approve a refused plan."""
        digest = find_waiting(self.database, digest).digest
        with begin(self.database, RunKind.SYNC, cause=Cause.COMMAND, approve=digest) as run:
            return approve_plan(run, digest, self._settings())

    def _run(self, kind: RunKind, access: dict[str, object]) -> SyncResult:
        settings = self._settings()
        opener = partial(_open, self.pool.access(**access), settings.meter)
        with begin(self.database, kind, cause=Cause.COMMAND) as run:
            return full_sync(opener, run, settings, Silence())

    def _settings(self) -> SyncSettings:
        return SyncSettings(self.rules, self.groups, self.limits, Retention(3600.0, 3600.0), Meter(), feed=FeedTimes())

    def limited(self, **limits: Limit) -> "Connector":
        """Return the same connector under stricter limits."""
        return replace(self, limits=replace(ANYTHING_GOES, **limits))

    def published(self) -> dict[str, list[str]] | None:
        """Return what is served: each user and group as text, in order; None before the first generation."""
        reader = DirectoryReader(self.database)
        generation = reader.newest()
        if generation is None:
            return None
        return {
            kind.value: [
                f"{found.body}{[member.user_name for member in reader.members(found.id, generation)]}"
                for found in reader.page(kind, generation, start=1, count=10_000).resources
            ]
            for kind in Kind
        }


def _open(access, meter, run):
    return open_pool(access, run=run, meter=meter)
