"""Read a whole pool, or the listed groups of it, into staging. Complete or not at all (P01).

The walks go on side by side; every record is mapped and rendered on the way and goes to staging page by page. A record
that cannot be served is noted and left out; anything else that goes wrong ends the harvest (P17).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.directory.counts import count_of
from connector.directory.mapping import Rules, person_of, team_of
from connector.directory.people import Team
from connector.directory.records import GroupRecord, UserRecord
from connector.directory.rows import UserRow
from connector.directory.safeguard import Limit
from connector.errors import GroupGone, HarvestIncomplete, RecordRejected
from connector.scim.render import group_row, user_row
from connector.store.staging import Staging
from connector.sync.progress import Progress
from connector.sync.side_by_side import SideBySide

READING = "reading"

UNSEEN = Limit(100, 1.0)
"""At most this share of members may be unknown to the walk over users; more would mean that it was not complete."""

LIST_CALLS, GROUPS_OF_USER_CALLS = 30, 50
"""Calls per second that Cognito allows: ListUsers with ListUsersInGroup, and AdminListGroupsForUser."""

NAMED = 3
"""How many of those who share a sub a reject names."""

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
    hint: str = ""

    def reject(self, kind: str, source: str, reason: str) -> None:
        """Take note of a record that cannot be served."""
        self.rejected += 1
        if len(self.rejects) < LISTED:
            # Half a surrogate pair is no text: what reads the result of the run might refuse all of it (RFC 8259, 8.2).
            self.rejects.append(Reject(kind, source.encode("utf-8", "replace").decode(), reason))


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
        with SideBySide(self._pool.stop, partial(self.say, READING)) as walks:
            if chosen:
                self._read_chosen(walks, chosen)
            else:
                self._read_all(walks)
        self._staging.complete()
        self._reject_shared_subs()
        self.tally.dropped_members = self._staging.drop_unknown_members()
        self.tally.rejects.sort(key=lambda reject: (reject.kind, reject.source))
        return self.tally

    def _read_chosen(self, walks: SideBySide, chosen: tuple[str, ...]) -> None:
        """Read groups by name; their members are the users."""

        def begin(record: GroupRecord) -> None:
            for team in self._stage_groups((record,), listed=True):
                walks.start(self._pool.members(team.name), partial(self._stage_members_as_users, team))

        walks.start(map(self._pool.group, chosen), begin)
        walks.finish()

    def _read_all(self, walks: SideBySide) -> None:
        def begin(page: tuple[GroupRecord, ...]) -> None:
            for team in self._stage_groups(page, listed=False):
                take, failed = partial(self._stage_members, team), partial(self._leave_out, team)
                walks.start(self._pool.member_ids(team.name), take, failed=failed)

        walks.start(self._pool.users(), self._stage_users)
        walks.start(self._pool.groups(), begin)
        walks.finish()
        for sub in self._unseen():
            walks.start(map(self._pool.find_user, (sub,)), self._stage_found)
        walks.finish()
        self.tally.hint = _hint(self.tally.users, self._meter.calls.get("ListUsersInGroup", 0))

    def _leave_out(self, team: Team, fault: Exception) -> None:
        """Take a group back that went away while it was read; any other fault ends the harvest (P12)."""
        if not isinstance(fault, GroupGone):
            raise fault
        self._staging.drop_group(team.id)
        self.tally.groups -= 1

    def _unseen(self) -> list[str]:
        """Name the members whom the walk over users did not return: two walks see the pool at two times (P11).

        Raises:
            HarvestIncomplete: there are too many.
        """
        self._staging.complete()
        unseen: list[str] = []
        for sub in self._staging.unknown_members():
            if sub not in self._rejected_users:
                unseen.append(sub)
            if not UNSEEN.allows(len(unseen), self.tally.users):
                listed = count_of(self.tally.users, "user")
                raise HarvestIncomplete(
                    f"Over {len(unseen) - 1:,} members of groups are not among the {listed} listed.",
                    remedy="The pool was probably changed on a large scale while it was read; try again when it rests.",
                )
        return unseen

    def _stage_found(self, record: UserRecord | None) -> None:
        if record:
            self._stage_users((record,))

    def _stage_members_as_users(self, team: Team, page: tuple[UserRecord, ...]) -> None:
        self._stage_users(page)
        self._stage_members(team, tuple(record.sub for record in page))

    def _stage_members(self, team: Team, page: tuple[str, ...]) -> None:
        self._staging.add_members(team.id, filter(None, page))
        self.tally.memberships += len(page)
        self.say(READING)

    def _stage_users(self, page: tuple[UserRecord, ...]) -> None:
        self._staging.add_users(self._users(page))
        self.say(READING)

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

    def _reject_shared_subs(self) -> None:
        """Serve none of several records with one sub: nobody knows which of them an importer would mean."""
        for sub, names in self._staging.take_out_shared():
            for name in names:
                others = [repr(other) for other in names if other != name]
                more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
                self.tally.reject("user", name, f"its sub {sub} is also that of {', '.join(others[:NAMED])}{more}")

    def _stage_groups(self, page: tuple[GroupRecord, ...], *, listed: bool) -> list[Team]:
        teams = list(self._teams(page, listed=listed))
        self._staging.add_groups(group_row(team) for team in teams)
        self.tally.groups += len(teams)
        self.say(READING)
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
            throttled=self._meter.throttled,
        )


def _hint(users: int, member_calls: int) -> str:
    """Say so where asking for the groups of each user would take less time than walking the groups."""
    by_user, by_group = users / GROUPS_OF_USER_CALLS, member_calls / LIST_CALLS
    if by_user >= by_group:
        return ""
    return (
        f"The groups hold so few members each that asking for the groups of every user would take {by_user:,.0f} s at"
        f" Cognito's quotas, reading every group {by_group:,.0f} s. A list of groups (cognito.groups) reads less."
    )
