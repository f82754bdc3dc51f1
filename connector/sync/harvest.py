"""Read a whole pool, or the listed groups of it, into staging. Complete or not at all (P01).

Every record is mapped and rendered on the way and goes to staging page by page. A record that cannot be served is noted
and left out; anything else that goes wrong ends the harvest (P17).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.directory.mapping import Rules, person_of, team_of
from connector.directory.people import Team
from connector.directory.records import GroupRecord, UserRecord
from connector.directory.rows import UserRow
from connector.errors import GroupGone, RecordRejected
from connector.scim.render import group_row, user_row
from connector.store.staging import Staging
from connector.sync.progress import Progress

LISTED = 1000
"""How many rejects and renamed users a result names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be served, and why."""

    kind: str
    source: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What a harvest has seen so far."""

    users: int = 0
    groups: int = 0
    memberships: int = 0
    rejects: list[Reject] = field(default_factory=list)
    rejected: int = 0
    dropped_members: int = 0

    def reject(self, kind: str, source: str, reason: str) -> None:
        """Take note of a record that cannot be served."""
        self.rejected += 1
        if len(self.rejects) < LISTED:
            self.rejects.append(Reject(kind, source, reason))


class Harvest:
    """One complete reading of a pool.

    Args:
        pool: where to read.
        staging: where the rows go.
        rules: how records become people.
        meter: counts the calls.
        progress: is told after every page.
    """

    def __init__(self, pool: UserPool, staging: Staging, rules: Rules, meter: Meter, progress: Progress) -> None:
        self._pool = pool
        self._staging = staging
        self._rules = rules
        self._meter = meter
        self._progress = progress
        self._rejected_users: set[str] = set()
        self.tally = Tally()

    def read(self, chosen: tuple[str, ...]) -> Tally:
        """Read everything, or only the chosen groups and their members.

        Raises:
            SourceError, SourceMissing: the harvest is not complete.
        """
        if chosen:
            self._read_groups([tuple(self._pool.group(name) for name in chosen)], members_are_users=True)
        else:
            for page in self._pool.users():
                self._stage_users(page)
            self._read_groups(self._pool.groups(), members_are_users=False)
            self._look_up_unknown_members()
        self._staging.flush()
        self.tally.dropped_members = self._staging.drop_unknown_members()
        return self.tally

    def _read_groups(self, pages: Iterable[tuple[GroupRecord, ...]], *, members_are_users: bool) -> None:
        teams = [team for page in pages for team in self._stage_groups(page, listed=members_are_users)]
        for team in teams:
            try:
                self._read_members(team, members_are_users=members_are_users)
            except GroupGone:
                if members_are_users:
                    raise
                self._staging.drop_group(team.id)
                self.tally.groups -= 1

    def _read_members(self, team: Team, *, members_are_users: bool) -> None:
        for page in self._pool.members(team.name):
            if members_are_users:
                self._stage_users(page)
            self._staging.add_members(team.id, (record.sub for record in page if record.sub))
            self.tally.memberships += len(page)
            self.say("groups")

    def _look_up_unknown_members(self) -> None:
        """Ask for members whom the walk over users did not return: two walks see the pool at two times (P11)."""
        self._staging.flush()
        for sub in self._staging.unknown_members():
            if sub not in self._rejected_users and (record := self._pool.find_user(sub)):
                self._stage_users((record,))

    def _stage_users(self, page: tuple[UserRecord, ...]) -> None:
        self._staging.add_users(self._users(page))
        self.say("users")

    def _users(self, page: tuple[UserRecord, ...]) -> Iterator[UserRow]:
        for record in page:
            try:
                person = person_of(record, self._rules)
            except RecordRejected as rejected:
                self._reject_user(record, rejected)
                continue
            self.tally.users += 1
            yield user_row(person)

    def _reject_user(self, record: UserRecord, rejected: RecordRejected) -> None:
        """Take note of a user once, in however many groups they come."""
        identity = record.sub or record.username
        if identity not in self._rejected_users:
            self._rejected_users.add(identity)
            self.tally.reject("user", record.username or record.sub, rejected.message)

    def _stage_groups(self, page: tuple[GroupRecord, ...], *, listed: bool) -> list[Team]:
        teams = list(self._teams(page, listed=listed))
        self._staging.add_groups(group_row(team) for team in teams)
        self.tally.groups += len(teams)
        self.say("groups")
        return teams

    def _teams(self, page: tuple[GroupRecord, ...], *, listed: bool) -> Iterator[Team]:
        for record in page:
            try:
                team = team_of(record, self._pool.pool_id)
            except RecordRejected as rejected:
                self.tally.reject("group", record.name, rejected.message)
                continue
            if listed or self._rules.provider_groups or not team.provider:
                yield team

    def say(self, phase: str) -> None:
        """Tell how far the harvest has come."""
        tally = self.tally
        self._progress.report(
            phase,
            users=tally.users,
            groups=tally.groups,
            memberships=tally.memberships,
            calls=sum(self._meter.calls.values()),
        )
