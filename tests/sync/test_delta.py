"""One round of the change feed, from a mark to a published generation, on each database."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from connector.directory.change_plan import Changes
from connector.directory.safeguard import Limit
from connector.errors import ApprovalRefused, StoreError
from connector.store.feed.marks import Marks
from connector.store.feed.report import read_report
from connector.store.migrations import open_database
from connector.store.runs.approvals import list_waiting
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool
from tests.sync.syncing import Connector

SETTLED = 0.0
THREE = Limit(3)


@pytest.fixture
def pool():
    """A pool of ten people in two groups."""
    with SimulatedPool(people(10), {"admins": ["p0", "p1"], "staff": ["p1", "p2", "p3"]}) as simulated:
        yield simulated


@pytest.fixture
def connector(pool, database):
    """The pool, published by a full sync."""
    connected = Connector(pool, database)
    connected.sync()
    return connected


def fail(*_, **__):
    """Fail as a store does that is away."""
    raise StoreError("The store is away.")


def same_as_full_sync(connector):
    """Tell whether a full sync of this moment finds nothing to change."""
    return connector.sync().outcome == "unchanged"


def test_a_delta_publishes_whoever_was_announced_and_nobody_else(connector, pool):
    """P40: a new user, a changed one, one gone and a moved membership; what was not announced stays as it was."""
    pool.directory.add_user(a_user("new", name="New"))
    pool.directory.user("p4")["Attributes"].append({"Name": "name", "Value": "Fourth"})
    pool.directory.user("p5")["Attributes"].append({"Name": "name", "Value": "Fifth"})
    pool.directory.remove_user("p9")
    pool.directory.add_member("admins", "p2")
    pool.directory.remove_member("staff", "p3")
    connector.announce("new", "p4", "p9", "p2", "p3")
    result = connector.delta()

    assert (result.outcome, result.generation) == ("published", 2)
    assert result.plan.users == Changes(created=1, updated=3, removed=1)
    assert (result.plan.groups, result.plan.members_added, result.plan.members_removed) == (Changes(updated=2), 1, 1)
    assert result.as_json()["marks"] == {"users": 5, "groups": 0, "left": 5}
    assert result.plan.harvested.users == 10
    assert connector.sync().plan.users == Changes(updated=1)


def test_a_delta_leaves_what_a_full_sync_would(connector, pool):
    """P40: to the byte, digests and members of the groups included."""
    pool.directory.add_group("fresh", ["p5"])
    pool.directory.remove_group("admins")
    pool.directory.group_details("staff")["Description"] = "Everybody"
    pool.directory.remove_user("p3")
    connector.announce("p5", "p3", groups=("admins", "staff", "fresh"))

    assert connector.delta().outcome == "published"
    assert same_as_full_sync(connector)


def test_a_group_made_anew_is_another_group(connector, pool):
    """P15: the old one goes with its memberships; who is in the new one is read again."""
    members = ["p1", "p2"]
    pool.directory.remove_group("staff")
    pool.directory.add_group("staff", members, CreationDate=1_800_000_000.0)
    connector.announce(groups=("staff",))
    first, second = connector.delta(), connector.delta()

    assert (first.plan.groups.created, first.plan.groups.removed, second.plan.members_added) == (1, 1, 2)
    assert same_as_full_sync(connector)


def test_nobody_is_gone_whom_only_a_list_does_not_show(connector, pool):
    """P40: lists are eventually consistent; AdminGetUser still finds them, so they stay, and stay marked."""
    pool.directory.conceal("p4")
    connector.announce("p4")
    result = connector.delta(settle=SETTLED)

    assert (result.outcome, result.calls["AdminGetUser"]) == ("unchanged", 1)
    assert (len(connector.published()["users"]), Marks(connector.database).count()) == (10, 1)


def test_a_username_that_changed_hands_is_somebody_else(connector, pool):
    """P40: gone is whose name another sub has."""
    pool.directory.remove_user("p4")
    pool.directory.add_user(a_user("p4", sub="11111111-1111-4111-8111-111111111111"))
    connector.announce("p4")
    result = connector.delta()

    assert result.plan.users == Changes(removed=1)


def test_a_forged_sub_costs_one_call_and_publishes_nothing(connector):
    """P40: AdminGetUser is asked only about whom we publish."""
    connector.announce("nobody")
    early, late = connector.delta(), connector.delta(settle=SETTLED)

    assert (early.outcome, late.outcome) == ("unchanged", "unchanged")
    assert early.calls == {"AssumeRole": 1, "ListUsers": 1}
    assert Marks(connector.database).count() == 0


def test_a_fault_keeps_every_mark(connector, pool):
    """P40: nothing is published, and all of it is read again."""
    pool.directory.remove_user("p4")
    pool.deny("AdminListGroupsForUser")
    connector.announce("p4", "p5")
    result = connector.delta(settle=SETTLED)

    assert (result.outcome, result.exit_code, Marks(connector.database).count()) == ("incomplete", 77, 2)
    assert len(connector.published()["users"]) == 10


def test_a_publish_whose_marks_cannot_be_removed_is_a_publish_all_the_same(connector, pool, monkeypatch):
    """P40: a fault or a crash between the two costs one more read."""
    pool.directory.remove_user("p4")
    connector.announce("p4")
    with monkeypatch.context() as broken:
        broken.setattr(Marks, "note_read", fail)
        first = connector.delta(settle=SETTLED)
    second = connector.delta(settle=SETTLED)

    assert (first.outcome, first.exit_code, second.outcome) == ("published", 0, "unchanged")
    assert Marks(connector.database).count() == 0


def test_a_drip_of_removals_is_refused_where_a_flood_would_be(connector, pool):
    """P41: one a round, and the fourth is refused; it waits with its mark, and others pass meanwhile."""
    strict = connector.limited(max_removed_users=THREE)
    outcomes = []
    for number in range(4):
        pool.directory.remove_user(f"p{9 - number}")
        strict.announce(f"p{9 - number}")
        outcomes.append(strict.delta().outcome)
    pool.directory.add_user(a_user("new"))
    strict.announce("new")
    beside = strict.delta()
    digest = list_waiting(strict.database)[0].digest

    assert outcomes == ["published", "published", "published", "refused"]
    assert (beside.outcome, beside.plan.users, len(strict.published()["users"])) == ("published", Changes(created=1), 8)
    assert (strict.approve(digest).outcome, len(strict.published()["users"])) == ("published", 7)

    pool.directory.remove_user("p5")
    strict.announce("p5")
    assert strict.delta().outcome == "published"


def test_who_flips_twice_counts_once(connector, pool):
    """P41: what is judged is the difference of two states, not the number of events."""
    strict = connector.limited(max_deactivated_users=Limit(1))
    outcomes = []
    for enabled in (False, True, False, True, False):
        pool.directory.user("p4")["Enabled"] = enabled
        strict.announce("p4")
        outcomes.append(strict.delta().outcome)
    pool.directory.user("p5")["Enabled"] = False
    strict.announce("p5")

    assert outcomes == ["published"] * 5
    assert strict.delta().outcome == "refused"


def test_a_full_sync_that_finds_all_well_begins_the_sum_anew(connector, pool):
    """P41: unchanged or published, what it left is what later deltas are compared with."""
    strict = connector.limited(max_removed_users=Limit(1))
    for username in ("p9", "p8"):
        pool.directory.remove_user(username)
        strict.announce(username)
        assert strict.delta().outcome == "published"
        assert strict.sync().outcome == "unchanged"


def test_memberships_and_emptied_groups_are_summed_too(connector, pool):
    """P41: against every limit, a group's own included."""
    strict = connector.limited(max_removed_members_per_group=Limit(2), max_emptied_groups=Limit(0))
    outcomes = []
    for username in ("p3", "p2", "p1"):
        pool.directory.remove_member("staff", username)
        strict.announce(username)
        outcomes.append(strict.delta())

    assert [result.outcome for result in outcomes] == ["published", "published", "refused"]
    assert "would lose 3 of 3 members" in " ".join(outcomes[-1].reasons)


def test_something_new_about_a_waiting_plan_voids_it(connector, pool):
    """P41, P03: whoever came back is read again, and what was refused can no longer be approved."""
    strict = connector.limited(max_deactivated_users=Limit(0))
    pool.directory.user("p4")["Enabled"] = False
    strict.announce("p4")
    digest = strict.delta().plan.digest
    pool.directory.user("p4")["Enabled"] = True
    pool.directory.user("p4")["Attributes"].append({"Name": "name", "Value": "Fourth"})
    strict.announce("p4")

    assert strict.delta().outcome == "published"
    with pytest.raises(ApprovalRefused):
        strict.approve(digest)


def test_a_delta_before_any_full_sync_asks_for_one(pool, database):
    """It reports that a full sync is due, reads nothing and never runs one."""
    connector = Connector(pool, database)
    connector.announce("p1")
    result = connector.delta()

    assert (result.outcome, result.exit_code, result.calls, connector.published()) == ("unchanged", 0, {}, None)
    assert "No full sync was completed" in result.as_json()["full_sync_due"][0]

    connector.sync()
    assert read_report(database).full_sync_due == ()


def test_more_than_a_full_sync_would_ask_for_is_left_to_it(connector, monkeypatch):
    """P40: a storm of events costs no more than a walk."""
    monkeypatch.setattr("connector.sync.delta.SMALL_POOL_MARKS", 2)
    connector.announce(*(f"p{number}" for number in range(9)))
    result = connector.delta()

    assert (result.outcome, result.calls) == ("unchanged", {})
    assert "More was announced" in result.as_json()["full_sync_due"][0]


def test_names_stay_unique_whoever_claims_them(connector, pool):
    """P16: a new user who wants a published name gets another; who is published under it keeps it."""
    pool.directory.add_user(a_user("P4"))
    connector.announce("P4")
    result = connector.delta()

    assert (result.outcome, result.plan.users, len(result.renamed)) == ("published", Changes(created=1), 1)
    assert same_as_full_sync(connector)


def test_with_listed_groups_only_they_count(pool, database):
    """Who is in no listed group is not served; who left the last one goes once the lists have settled."""
    connector = Connector(pool, database, groups=("staff",))
    connector.sync()
    pool.directory.add_member("staff", "p0")
    pool.directory.remove_member("staff", "p3")
    connector.announce("p0", "p3", "p7")
    early = connector.delta()
    late = connector.delta(settle=SETTLED)

    assert (early.plan.users, late.plan.users) == (Changes(created=1), Changes(removed=1))
    assert same_as_full_sync(connector)


class Feed(RuleBasedStateMachine):
    """P40: any history of changes, any of its events, deltas and full syncs interleaved."""

    def __init__(self):
        super().__init__()
        self.pool = SimulatedPool([*people(4), a_user("keep")], {"g0": ["p0"], "g1": [], "kept": ["keep"]})
        self.pool.__enter__()
        self.connector = Connector(self.pool, SHARED.fresh())
        self.connector.sync()
        self.events = []
        self.confirmed = set()
        self.was = set(self.served())

    def teardown(self):
        """End the history."""
        self.connector.database.close()
        self.pool.__exit__(None, None, None)

    def served(self):
        """Return the usernames of everybody who is served."""
        return {body.split('"externalId":"')[1].split('"')[0] for body in self.connector.published()["users"]}

    def names(self):
        """Return the usernames of everybody in the pool."""
        return sorted(user["Username"] for user in self.pool.directory._users.values())

    @rule(number=st.integers(0, 7))
    def change_user(self, number):
        """Make a user, or disable or enable one."""
        name = f"p{number}"
        if name in self.names():
            user = self.pool.directory.user(name)
            user["Enabled"] = not user["Enabled"]
        else:
            self.pool.directory.add_user(a_user(name))
        self.events.append(((name,), ()))

    @rule(number=st.integers(0, 7))
    def delete_user(self, number):
        """Delete a user."""
        self.pool.directory.remove_user(f"p{number}")
        self.events.append(((f"p{number}",), ()))

    @rule(number=st.integers(0, 7), group=st.integers(0, 1))
    def move(self, number, group):
        """Let a user join or leave a group."""
        name, group = f"p{number}", f"g{group}"
        if name in self.names() and group in self.pool.directory._groups:
            if name in self.pool.directory._members[group].values():
                self.pool.directory.remove_member(group, name)
            else:
                self.pool.directory.add_member(group, name)
            self.events.append(((name,), ()))

    @rule(group=st.integers(0, 1))
    def make_or_delete_group(self, group):
        """Make a group, or delete one with its memberships."""
        name = f"g{group}"
        if name in self.pool.directory._groups:
            self.pool.directory.remove_group(name)
        else:
            self.pool.directory.add_group(name, [], CreationDate=1_700_000_001.0 + len(self.events))
        self.events.append(((), (name,)))

    @rule(data=st.data())
    def deliver(self, data):
        """Deliver some events: any of them, doubled, late, in any order, or never."""
        for users, groups in data.draw(st.lists(st.sampled_from(self.events), max_size=4)) if self.events else ():
            self.connector.announce(*users, groups=groups)

    @rule(settle=st.sampled_from([0.0, 1000.0]))
    def delta(self, settle):
        """Run a round; nobody vanishes who is in the pool."""
        there = set(self.names())
        result = self.connector.delta(settle=settle)
        assert result.outcome in {"published", "unchanged"}, result.as_json()
        now = self.served()
        assert not (self.was - now) & there
        self.was = now

    @rule()
    def full_sync(self):
        """Run a full sync; the directory is that of a full sync alone."""
        self.connector.sync()
        assert self.served() == set(self.names())
        alone = Connector(self.pool, SHARED.fresh())
        alone.sync()
        assert sorted(map(stripped, alone.published()["users"])) == sorted(
            map(stripped, self.connector.published()["users"])
        )
        alone.database.close()
        self.was = self.served()

    @invariant()
    def members_are_users(self):
        """P18: members are users of the same generation."""
        served = self.served()
        for body in self.connector.published()["groups"]:
            members = body[body.rindex("[") :]
            assert {name.strip("' ") for name in members[1:-1].split(",") if name} <= served


def stripped(body):
    """Return a body without the time of its last change."""
    return body.split('"lastModified"')[0]


class _Stores:
    """Gives empty SQLite stores."""

    folder = None
    number = 0

    def fresh(self):
        self.number += 1
        return open_database(f"sqlite:///{self.folder}/{self.number}.db")


SHARED = _Stores()


def test_any_history_of_events_ends_where_a_full_sync_alone_would(tmp_path):
    """P40: whatever of its events came, how often and in which order; nobody vanishes who was there."""
    SHARED.folder = tmp_path
    run_state_machine_as_test(Feed, settings=settings(max_examples=8, stateful_step_count=12, deadline=None))
