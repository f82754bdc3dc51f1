"""Read again whom the change feed announced, one by one, into staging (P40).

Who is in no list is gone only when AdminGetUser says so too; whatever else is unclear stays as it is published, and
marked. What follows from a change is staged as it is published: the groups of a user, the members of a group that is
gone, and whoever has a name that is claimed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from connector.cognito.pool import UserPool
from connector.directory.hints import Hint
from connector.directory.mapping import Rules, person_of, team_of
from connector.directory.people import Team
from connector.directory.records import GroupRecord, UserRecord
from connector.directory.rows import Kind
from connector.errors import GroupGone, RecordRejected, SourceDenied, UserGone
from connector.scim.render import group_row, user_row
from connector.store.feed.marks import Mark
from connector.store.publishing.restage import (
    find_namesakes,
    published_group_ids,
    published_groups_named,
    published_member_ids,
    published_username,
    restage_groups,
    restage_users,
)
from connector.store.staging import Staging
from connector.sync.harvest import Tally

MOST_MEMBERS = 1200
"""The members of a larger group are not compared one by one: 20 pages of ListUsersInGroup."""


@dataclass(slots=True)
class Reread:
    """What reading again has found.

    Args:
        gone_users: ids of published users who are confirmed gone.
        gone_groups: ids of published groups that are.
        unclear: marks about which nothing is certain yet.
        follow: who else may have changed.
    """

    gone_users: set[str] = field(default_factory=set)
    gone_groups: set[str] = field(default_factory=set)
    unclear: list[Mark] = field(default_factory=list)
    follow: Hint = field(default_factory=Hint)


class Rereading:
    """One round of reading again.

    Args:
        pool: where to read.
        staging: where the rows go.
        rules: how records become people.
        chosen: the listed groups, none = everything.
        tell: is called after each mark with what was counted.
    """

    def __init__(
        self, pool: UserPool, staging: Staging, rules: Rules, chosen: tuple[str, ...], tell: Callable[[Tally], None]
    ) -> None:
        self._pool = pool
        self._staging = staging
        self._rules = rules
        self._chosen = frozenset(chosen)
        self._tell = tell
        self._found = Reread()
        self._new_groups: dict[str, Team] = {}
        self._announced: set[str] = set()
        self._touched: set[str] = set()
        self.tally = Tally()

    def read(self, marks: tuple[Mark, ...]) -> Reread:
        """Read whom the marks name, groups first.

        Raises:
            SourceError, SourceMissing: Cognito does not answer, or refuses; all of them stay marked.
        """
        for mark in sorted(marks, key=lambda one: one.kind):
            read = self._read_user if mark.kind is Kind.USERS else self._read_group
            read(mark)
            self._tell(self.tally)
        self._stage_what_follows()
        return self._found

    def _read_group(self, mark: Mark) -> None:
        """Read a group; one of the same name that was made anew is another one (P15)."""
        if self._chosen and mark.key not in self._chosen:
            return
        known = dict(published_groups_named(self._staging.database, mark.key))
        team = None
        try:
            team = self._team(self._pool.group(mark.key))
        except GroupGone:
            pass
        except RecordRejected as rejected:
            self.tally.reject("group", mark.key, rejected.message)
            self._found.unclear.append(mark)
            return
        if team:
            self.tally.groups += 1
            self._new_groups[team.id] = team
            self._announced.add(team.id)
            self._compare_members(team, known.get(team.id, 0))
        for group_id in known.keys() - ({team.id} if team else set()):
            self._found.gone_groups.add(group_id)

    def _compare_members(self, team: Team, published: int) -> None:
        """Mark who joined or left as far as the list shows; the list itself changes nothing."""
        if published > MOST_MEMBERS:
            return
        listed: set[str] = set()
        for page in self._pool.member_ids(team.name):
            listed.update(filter(None, page))
            if len(listed) > MOST_MEMBERS:
                break
        different = listed ^ published_member_ids(self._staging.database, team.id)
        self._found.follow = Hint(users=(*self._found.follow.users, *sorted(different)))

    def _read_user(self, mark: Mark) -> None:
        record = self._pool.find_user(mark.key)
        if record is None:
            self._note_absent(mark)
            return
        try:
            person = person_of(record, self._rules)
            records = self._pool.groups_of(record.username)
        except RecordRejected as rejected:
            self.tally.reject("user", record.username or record.sub, rejected.message)
            self._found.unclear.append(mark)
            return
        except UserGone:  # the list still shows who is gone
            self._found.unclear.append(mark)
            return
        teams = self._teams(records)
        if self._chosen and not teams:
            self._note_out_of_scope(mark, record)
            return
        self.tally.users += 1
        self._staging.add_users((user_row(person),))
        for team in teams:
            self.tally.memberships += 1
            self._touched.add(team.id)
            self._staging.add_members(team.id, (person.id,))
        self._touched.update(published_group_ids(self._staging.database, person.id))

    def _note_absent(self, mark: Mark) -> None:
        """Note somebody whom the list does not show as gone, if AdminGetUser does not find them either."""
        username = published_username(self._staging.database, mark.key)
        if username is None:
            return
        try:
            is_gone = self._pool.is_gone(mark.key, username)
        except SourceDenied:  # without the right to ask, the full sync finds out
            is_gone = False
        if is_gone:
            self._leave(mark.key)
        else:
            self._found.unclear.append(mark)

    def _note_out_of_scope(self, mark: Mark, record: UserRecord) -> None:
        """Take somebody out who is in none of the listed groups any more, once the lists have settled."""
        if published_username(self._staging.database, record.sub) is not None and mark.is_settled:
            self._leave(record.sub)

    def _leave(self, user_id: str) -> None:
        self._found.gone_users.add(user_id)
        self._touched.update(published_group_ids(self._staging.database, user_id))

    def _teams(self, records: list[GroupRecord]) -> list[Team]:
        """Return the groups that are served; one that is not published yet is served from now on."""
        teams = []
        for record in records:
            try:
                team = self._team(record)
            except RecordRejected as rejected:
                self.tally.reject("group", record.name, rejected.message)
                continue
            if team and team.id not in self._found.gone_groups:
                teams.append(team)
                self._new_groups.setdefault(team.id, team)
        return teams

    def _team(self, record: GroupRecord) -> Team | None:
        """Return the team of a record; None of one that is not served.

        Raises:
            RecordRejected: it cannot be.
        """
        team = team_of(record, self._pool.pool_id)
        if self._chosen:
            return team if team.name in self._chosen else None
        return team if self._rules.provider_groups or not team.provider else None

    def _stage_what_follows(self) -> None:
        staging, gone = self._staging, self._found
        staging.flush()
        members = {user for group in gone.gone_groups for user in published_member_ids(staging.database, group)}
        self._touched |= restage_users(staging, members - gone.gone_users, gone_groups=gone.gone_groups)
        while namesakes := find_namesakes(staging.database, staging.run) - gone.gone_users:
            self._touched |= restage_users(staging, namesakes, gone_groups=gone.gone_groups)
        read = {team.id for team in self._new_groups.values()} - gone.gone_groups
        # A group that was not itself announced stays as it is published; only one that is new comes from its record.
        published = restage_groups(staging, (self._touched - gone.gone_groups) - self._announced)
        staging.add_groups(group_row(self._new_groups[one]) for one in sorted(read - published))
        staging.flush()
