"""The full sync, from a pool on the wire to a published generation, on each database."""

import json
import math
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models.path import AttrPath, CompareOperator, Comparison
from sqlalchemy import select, update
from sqlalchemy.event import listen

from connector.cognito.sending import RetryLimits
from connector.directory.change_plan import Changes
from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.directory.safeguard import Limit
from connector.errors import ApprovalRefused, StoreError
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.run import Run, begin
from connector.store.sql.tables import leases, runs
from tests.fakes.faults import Fault
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import POOL_ID, SimulatedPool
from tests.sync.syncing import Connector


@pytest.fixture
def pool():
    """A pool of six people in three groups, one of them empty."""
    with SimulatedPool(people(6), {"admins": ["p0", "p1"], "staff": ["p1", "p2", "p3"], "nobody": []}) as simulated:
        yield simulated


@pytest.fixture
def connector(pool, database):
    """The pool and an empty store."""
    return Connector(pool, database)


def test_the_first_sync_publishes_the_whole_pool(connector):
    """P01: users, groups and memberships, with exact counts, in the fewest calls."""
    result = connector.sync()

    assert (result.outcome, result.generation, result.exit_code) == ("published", 1, 0)
    document = result.as_json()
    assert {name: document[name] for name in ("users", "groups", "memberships", "rejects", "calls", "throttled")} == {
        "users": 6,
        "groups": 3,
        "memberships": 5,
        "rejects": [],
        "calls": {"AssumeRole": 1, "ListUsers": 1, "ListGroups": 1, "ListUsersInGroup": 3},
        "throttled": 0,
    }
    assert document["changes"] == {
        "users": {"created": 6, "updated": 0, "removed": 0},
        "groups": {"created": 3, "updated": 0, "removed": 0},
        "memberships": {"added": 5, "removed": 0},
    }


def test_a_second_sync_of_an_unchanged_pool_is_unchanged(connector):
    """No new generation, and what is served stays to the byte."""
    connector.sync()
    before = connector.published()

    result = connector.sync()

    assert (result.outcome, result.generation, result.exit_code) == ("unchanged", 1, 0)
    assert connector.published() == before


def test_changes_are_counted_and_served(connector, pool):
    """A new user, a renamed one, one gone and a moved membership."""
    connector.sync()
    pool.directory.remove_user("p5")
    pool.directory.add_user(a_user("p9", name="New"))
    pool.directory.user("p4")["Attributes"].append({"Name": "name", "Value": "Fourth"})
    pool.directory.remove_member("staff", "p3")
    pool.directory.add_member("nobody", "p3")

    result = connector.sync()

    assert result.outcome == "published"
    assert result.plan.users == Changes(created=1, updated=2, removed=1)
    assert result.plan.groups == Changes(updated=2)
    assert (result.plan.members_added, result.plan.members_removed) == (1, 1)


def test_only_the_listed_groups_and_their_members_are_read(connector):
    """With a list of groups, ListUsers and ListGroups are never called."""
    connector.groups = ("admins", "staff")

    result = connector.sync()

    assert (result.plan.harvested.users, result.plan.harvested.groups, result.plan.harvested.memberships) == (4, 2, 5)
    assert result.calls == {"AssumeRole": 1, "GetGroup": 2, "ListUsersInGroup": 2}


def test_a_listed_group_that_does_not_exist_is_a_clear_error(connector):
    """P12: a mistyped name is told, and nothing is published."""
    connector.groups = ("admins", "stuff")

    result = connector.sync()

    assert (result.outcome, result.exit_code, connector.published()) == ("incomplete", 78, None)
    assert "'stuff'" in result.as_json()["cause"]


def test_a_record_that_cannot_be_served_is_listed_and_the_rest_is_served(connector, pool):
    """P17: one bad record never stops a run, and its memberships go with it."""
    pool.directory.add_user(a_user("b\0d"))
    pool.directory.add_member("staff", "b\0d")

    result = connector.sync()

    assert (result.outcome, result.plan.harvested.users, result.plan.harvested.memberships) == ("published", 6, 5)
    assert [(reject.kind, reject.source) for reject in result.rejects] == [("user", "b\0d")]
    assert (result.dropped_members, result.calls["ListUsers"]) == (1, 1)


def test_a_member_whom_the_walk_over_users_missed_is_looked_up(connector, pool):
    """P11: the two walks see the pool at different times; one targeted call settles it."""
    pool.directory.hide_user("p2")

    result = connector.sync()

    assert (result.plan.harvested.users, result.plan.harvested.memberships) == (6, 5)
    assert result.calls["ListUsers"] == 2


def test_a_member_who_left_meanwhile_is_dropped_and_counted(connector, pool):
    """P11, P18: members are users of the same generation."""
    pool.directory.add_user(a_user("late"))
    pool.directory.add_member("nobody", "late")
    pool.directory.hide_user("late")
    pool.before("ListUsers", call=2, do=lambda: pool.directory.remove_user("late"))

    result = connector.sync()

    assert (result.outcome, result.plan.harvested.users, result.dropped_members) == ("published", 6, 1)


def test_a_group_deleted_while_its_turn_came_is_left_out(connector, pool):
    """P12: confirmed gone, it is no reason to give up the run."""
    pool.before("ListUsersInGroup", call=1, do=lambda: pool.directory.remove_group("staff"))

    result = connector.sync()

    assert (result.outcome, result.plan.harvested.groups, result.plan.harvested.memberships) == ("published", 2, 2)


def test_a_user_who_moves_between_pages_is_served_once(connector, pool):
    """P11: seen twice, the newest version stays."""
    pool.split_pages("ListUsers", [3, 3, 3])
    pool.before("ListUsers", call=2, do=lambda: pool.directory.move_user("p0"))

    result = connector.sync()

    assert (result.outcome, result.plan.harvested.users) == ("published", 6)


@pytest.mark.parametrize(
    "fault", [Fault.ERROR_500, Fault.RESET, Fault.TRUNCATED, Fault.ACCESS_DENIED, Fault.EMPTY_OBJECT]
)
@pytest.mark.parametrize("call", [1, 3, 5])
def test_a_fault_at_any_call_leaves_what_is_published_untouched(connector, pool, fault, call):
    """P01: complete or not at all."""
    connector.sync()
    before = connector.published()
    pool.directory.remove_user("p5")
    pool.calls.clear()
    pool.fail("*", call=call, fault=fault)

    result = connector.sync()

    assert result.outcome == "incomplete"
    assert result.exit_code == (77 if fault is Fault.ACCESS_DENIED else 75)
    assert result.as_json()["cause"]
    assert connector.published() == before


def test_a_run_that_is_throttled_to_its_deadline_is_incomplete(connector, pool):
    """P10: throttling costs time, and when that is over the run, but never what is published."""
    connector.sync()
    before = connector.published()
    pool.directory.remove_user("p5")
    pool.throttle(1.0)

    result = connector.sync(patience=RetryLimits(backoff=0, deadline=0.3))

    assert (result.outcome, result.exit_code) == ("incomplete", 75)
    assert connector.published() == before


def test_a_pool_of_tiny_groups_gets_a_hint_in_the_result(connector, pool):
    """Cognito quotas: where asking for the groups of each user would take less time, the result says so."""
    assert "hint" not in connector.sync().as_json()
    for number in range(9):
        pool.directory.add_group(f"tiny{number}")

    assert "cognito.groups" in connector.sync().as_json()["hint"]


def test_a_run_after_a_fault_needs_no_repair(connector, pool):
    """P22: the next run simply works."""
    pool.fail("ListGroups", call=1, fault=Fault.ERROR_500)
    assert connector.sync().outcome == "incomplete"

    assert connector.sync().outcome == "published"


def test_a_plan_tells_what_a_sync_would_do_and_writes_nothing(connector, pool):
    """P06: the plan of now is the change of a minute later."""
    connector.sync()
    before = connector.published()
    pool.directory.remove_user("p0")
    pool.directory.add_user(a_user("p9"))

    planned = connector.plan()

    assert connector.published() == before
    document, done = planned.as_json(), connector.sync().as_json()
    assert "generation" not in document
    assert {name: document[name] for name in ("outcome", "digest", "changes", "users")} == {
        name: done[name] for name in ("outcome", "digest", "changes", "users")
    }


def test_a_refusal_refuses_the_whole_plan(connector, pool):
    """P02: nothing is applied in part, and the message tells the way out."""
    connector.sync()
    before = connector.published()
    for name in ("p0", "p1", "p2"):
        pool.directory.remove_user(name)
    pool.directory.add_user(a_user("p9"))

    result = connector.limited(max_removed_users=Limit(2)).sync()

    assert (result.outcome, result.exit_code, result.generation) == ("refused", 3, 1)
    document = result.as_json()
    assert document["approve"] == f"cognito-scim sync --approve {result.plan.digest}"
    assert "3 of 6 users would be removed" in document["reason"]
    assert {example["change"] for example in document["examples"][:3]} == {"removed"}
    assert connector.published() == before


def remove_members(directory):
    """Empty every group."""
    for group, name in (("admins", "p0"), ("admins", "p1"), ("staff", "p1"), ("staff", "p2"), ("staff", "p3")):
        directory.remove_member(group, name)


def remove_groups(directory):
    """Remove every group, and so every membership."""
    for group in ("admins", "staff", "nobody"):
        directory.remove_group(group)


def remove_users(directory):
    """Remove everybody, and so every membership."""
    for number in range(6):
        directory.remove_user(f"p{number}")


@pytest.mark.parametrize(
    ("remove", "reasons"),
    [
        (remove_members, ["all 5 memberships would be removed"]),
        (remove_groups, ["all 3 groups would be removed", "all 5 memberships would be removed"]),
        (remove_users, ["all 6 users would be removed", "all 5 memberships would be removed"]),
    ],
)
def test_from_some_to_none_waits_for_approval_whatever_the_limits(connector, pool, remove, reasons):
    """P02, P03: a successful answer of a pool that lost sight of them looks the same; approved, it stays so."""
    assert connector.sync().outcome == "published"
    before = connector.published()
    remove(pool.directory)

    refused = connector.sync()

    assert (refused.outcome, refused.as_json()["reasons"], connector.published()) == ("refused", reasons, before)
    assert connector.approve(refused.plan.digest).plan.harvested.memberships == 0
    assert connector.sync().outcome == "unchanged"


def test_a_directory_that_never_had_memberships_needs_no_approval(database):
    """P02: what was never there cannot be missed, from the first sync on."""
    with SimulatedPool(people(3), {"nobody": []}) as pool:
        connector = Connector(pool, database)
        first = connector.sync().outcome
        pool.directory.remove_user("p0")

        assert (first, connector.sync().outcome) == ("published", "published")


def test_an_approval_publishes_exactly_the_refused_plan_without_reading_the_pool(connector, pool):
    """P03: approve A while the source has become B: A is published."""
    connector.sync()
    pool.directory.remove_user("p0")
    refused = connector.limited(max_removed_users=Limit(0)).sync()
    pool.directory.remove_user("p1")
    pool.calls.clear()

    result = connector.approve(refused.plan.digest)

    assert (result.outcome, result.generation, result.plan.users) == ("published", 2, Changes(removed=1, updated=0))
    assert sum(pool.calls.values()) == 0
    served = sorted(text.split('"externalId":"')[1][:2] for text in connector.published()["users"])
    assert served == ["p1", "p2", "p3", "p4", "p5"]


def test_an_approval_is_good_once_and_for_one_digest(connector, pool):
    """P03: no approval opens the door for another plan."""
    connector.sync()
    pool.directory.remove_user("p0")
    digest = connector.limited(max_removed_users=Limit(0)).sync().plan.digest

    with pytest.raises(ApprovalRefused):
        connector.approve("0" * 64)
    connector.approve(digest)
    with pytest.raises(ApprovalRefused) as again:
        connector.approve(digest)
    assert again.value.exit_code == 3


def test_a_refused_plan_of_the_plan_command_cannot_be_approved(connector, pool):
    """A plan writes nothing, so there is nothing to publish; a sync makes what can be approved."""
    connector.sync()
    pool.directory.remove_user("p0")

    planned = connector.limited(max_removed_users=Limit(0)).plan()

    assert (planned.outcome, planned.exit_code) == ("refused", 3)
    assert "approve" not in planned.as_json()
    with pytest.raises(ApprovalRefused):
        connector.approve(planned.plan.digest)


def test_narrowing_the_list_of_groups_waits_for_approval(connector):
    """P06: the first sync after a change of the list that removes anybody is refused."""
    connector.sync()
    connector.groups = ("admins",)

    result = connector.sync()

    assert result.outcome == "refused"
    assert connector.approve(result.plan.digest).plan.users == Changes(removed=4, updated=1)
    assert connector.sync().outcome == "unchanged"


def test_who_is_served_under_another_name_is_reported(connector, pool):
    """P16: a collision never costs a user their place, nor goes unnoticed."""
    connector.sync()
    pool.directory.add_user(a_user("P0"))

    result = connector.sync()

    assert result.plan.harvested.users == 7
    assert [entry["wanted"] for entry in result.as_json()["renamed"]] == ["P0"]


@pytest.mark.parametrize("size", [0, 1, 59, 60, 61, 120, 361])
def test_sizes_across_page_borders_are_exact(database, size):
    """P09: users, groups and members, from the wire to the generation, in the calls of the formula."""
    names = [f"p{number}" for number in range(size)]
    groups = {"all": names, **{f"g{number}": [] for number in range(size)}}
    with SimulatedPool(people(size), groups) as pool:
        result = Connector(pool, database).sync()

    def pages(items):
        return max(1, math.ceil(items / 60))

    assert result.as_json()["users"] == size
    assert (result.plan.harvested.groups, result.plan.harvested.memberships) == (size + 1, size)
    assert result.calls == {
        "AssumeRole": 1,
        "ListUsers": pages(size),
        "ListGroups": pages(size + 1),
        "ListUsersInGroup": pages(size) + size,
    }


@given(
    users=st.lists(st.integers(0, 4), max_size=12),
    members=st.lists(st.integers(0, 4), max_size=12),
)
@settings(max_examples=20)
def test_any_split_into_pages_gives_the_same_directory(open_store, pool, users, members):
    """P07: short and empty pages are normal; only a null token ends a walk."""
    connector = Connector(pool, open_store())
    connector.sync()
    pool.split_pages("ListUsers", users)
    pool.split_pages("ListUsersInGroup", members)

    assert connector.sync().outcome == "unchanged"


def test_a_pool_that_drifts_gives_a_consistent_directory(connector, pool):
    """P11, P18: who is there throughout is there, and members are users."""
    pool.split_pages("ListUsers", [2, 2, 2])

    def drift():
        pool.directory.add_user(a_user("p7"))
        pool.directory.add_member("staff", "p7")
        pool.directory.remove_user("p1")

    pool.before("ListUsers", call=3, do=drift)

    assert connector.sync().outcome == "published"
    reader = DirectoryReader(connector.database)
    generation = reader.newest()
    served = {found.id for found in reader.page(Kind.USERS, generation, start=1, count=99).resources}
    groups = [found.id for found in reader.page(Kind.GROUPS, generation, start=1, count=99).resources]
    members = {member.id for group in groups for member in reader.members(group, generation)}
    assert members <= served
    assert generation.users in {6, 7}


def test_a_run_that_lost_its_lease_leaves_nothing_to_approve(connector, pool):
    """P01, P20: rows that a successor cleared away are no plan, however the run would have ended."""
    connector.sync()
    pool.directory.remove_user("p0")

    def succeed():
        with connector.database.writing() as connection:
            connection.execute(update(leases).values(expires_at=1))
        with begin(connector.database, RunKind.SYNC, cause=Cause.COMMAND) as heir:
            heir.end(RunOutcome.INCOMPLETE, {})

    pool.calls.clear()
    pool.before("ListUsersInGroup", call=2, do=succeed)

    result = connector.limited(max_removed_users=Limit(0)).sync()

    assert (result.outcome, result.exit_code) == ("incomplete", 75)
    assert "lease" in result.as_json()["cause"]


def test_a_bad_user_in_many_listed_groups_is_one_reject(connector, pool):
    """P17: rejects and notes count users, not memberships."""
    pool.directory.add_user(a_user("b\0d"))
    pool.directory.add_user(a_user("bare"))
    for group in ("admins", "staff", "nobody"):
        pool.directory.add_member(group, "b\0d")
        pool.directory.add_member(group, "bare")
    connector.groups = ("admins", "staff", "nobody")

    document = connector.sync().as_json()

    assert (document["rejected"], len(document["rejects"])) == (1, 1)
    assert document["notes"] == {
        "displayName filled in": 5,
        "email filled in": 1,
        "familyName filled in": 5,
        "givenName filled in": 5,
    }


def test_groups_whose_names_differ_only_in_case_are_noted(connector, pool):
    """P16: all are served, but `displayName eq` finds each of them under the name of any."""
    for name in ("Sales", "SALES", "Groß", "GROSS", "Other"):
        pool.directory.add_group(name)

    assert connector.sync().as_json()["notes"]["group name differs from another only in case"] == 4


@pytest.mark.parametrize("chosen", [(), ("admins", "staff")])
def test_records_with_one_sub_are_all_rejects_that_name_each_other(connector, pool, chosen):
    """P17, P18: an id is one person's; nobody is silently taken for somebody else, and no group names them."""
    for name, sub in (("ann", "s-1"), ("bo", "s-1"), ("cy", "s-2"), ("di", "s-2"), ("ed", "s-2")):
        pool.directory.add_user(a_user(name, sub=sub))
        for group in ("admins", "staff"):
            pool.directory.add_member(group, name)
    connector.groups = chosen

    result = connector.sync()

    rejects = {reject.source: reject.reason for reject in result.rejects}
    assert rejects == {
        "ann": "its sub s-1 is also that of 'bo'",
        "bo": "its sub s-1 is also that of 'ann'",
        "cy": "its sub s-2 is also that of 'di', 'ed'",
        "di": "its sub s-2 is also that of 'cy', 'ed'",
        "ed": "its sub s-2 is also that of 'cy', 'di'",
    }
    assert (result.rejected, result.dropped_members, result.plan.harvested.memberships) == (5, 4, 5)
    assert "s-1" not in str(connector.published())


def test_no_result_of_a_run_holds_half_a_surrogate_pair(connector, pool):
    """P17: whatever the pool sends, every reader of JSON takes what a run tells of it (RFC 8259, section 8.2)."""
    half = "\ud83d"
    pool.directory.add_user(a_user(f"name{half}", sub="s-1"))
    pool.directory.add_user(a_user("sub", sub=half))
    pool.directory.add_user(a_user("status", status=half))
    pool.directory.add_user(a_user("value", name=half, identities=json.dumps([{"providerName": half}])))
    pool.directory.add_user(a_user("attribute", attributes={f"custom:{half}": "of a name", "custom:level": half}))
    pool.directory.add_group(f"group{half}", ["value"])

    document = connector.sync().as_json()

    assert orjson.loads(orjson.dumps(document))["rejected"] == 3
    assert {reject["source"] for reject in document["rejects"]} == {"name?", "sub", "group?"}
    assert document["notes"]["attribute Attributes left out"] == 1


def test_a_listed_group_of_an_identity_provider_is_served_though_others_are_left_out(connector, pool):
    """Who names a group wants it; the rule is for groups that nobody chose."""
    provider = f"{POOL_ID}_Google"
    pool.directory.add_group(provider, ["p0"])
    connector.rules = replace(connector.rules, provider_groups=False)
    assert connector.sync().plan.harvested.groups == 3

    connector.groups = (provider,)
    refused = connector.sync()

    assert (refused.outcome, refused.plan.harvested.groups, refused.plan.harvested.users) == ("refused", 1, 1)


def test_a_list_of_groups_that_changes_nothing_is_remembered(connector, pool):
    """P06: only the first sync after the change is held back, not an ordinary removal later."""
    for name in ("p4", "p5"):
        pool.directory.remove_user(name)
    connector.sync()
    connector.groups = ("admins", "staff", "nobody")
    assert connector.sync().outcome == "unchanged"
    pool.directory.remove_user("p3")

    assert connector.sync().outcome == "published"


def test_an_approval_is_on_record_and_a_mistaken_one_is_no_run(connector, pool):
    """P03: history says what was approved."""
    connector.sync()
    pool.directory.remove_user("p0")
    digest = connector.limited(max_removed_users=Limit(0)).sync().plan.digest
    with pytest.raises(ApprovalRefused):
        connector.approve("nope")

    approved = connector.approve(digest)

    with connector.database.reading() as connection:
        history = connection.execute(select(runs.c.outcome, runs.c.result).order_by(runs.c.id)).all()
    assert [row.outcome for row in history] == ["published", "refused", "published"]
    assert json.loads(history[-1].result)["approved"] == approved.as_json()["approved"] == digest


def test_texts_as_long_as_cognito_allows_are_served(connector, pool):
    """P17: 2,048 characters of any script fit every index of every database, and are found."""
    name = "".join(chr(0x4E00 + number) for number in range(2048))
    pool.directory.add_user(a_user("long", name=name, email=f"{name[:2000]}@example.com"))
    connector.rules = replace(connector.rules, user_name="name")

    assert connector.sync().outcome == "published"

    reader = DirectoryReader(connector.database)
    for attribute, value in (("displayName", name), ("userName", name), ("emails", f"{name[:2000]}@example.com")):
        node = Comparison(AttrPath(attribute), CompareOperator.eq, value)
        assert reader.page(Kind.USERS, reader.newest(), start=1, count=9, where=node).total == 1


def test_a_run_that_published_is_on_record_with_all_it_did(connector, monkeypatch):
    """P22: its end is told in the transaction that publishes; nobody ever reads half of it."""

    def fail(*_):
        raise StoreError("The store went away right after the commit.")

    monkeypatch.setattr(Run, "end", fail)
    result = connector.sync()

    with connector.database.reading() as connection:
        row = connection.execute(select(runs.c.state, runs.c.result)).one()
    told = json.loads(row.result)
    assert (row.state, result.outcome) == ("ended", "published")
    assert told == json.loads(json.dumps(result.as_json()))


def test_a_publish_is_recorded_once_in_its_transaction(connector):
    """P22: one statement ends the run and one counts it, before the commit that publishes; none corrects them."""
    said = []
    listen(connector.database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    listen(connector.database.engine, "commit", lambda _: said.append("COMMIT"))
    connector.sync()

    published = next(place for place, statement in enumerate(said) if statement.startswith("INSERT INTO generations"))
    committed = said.index("COMMIT", published)
    for beginning in ("UPDATE runs SET state", "INSERT INTO run_totals", "INSERT INTO call_totals"):
        assert [published < place < committed for place in places(said, beginning)] == [True]


def places(said, beginning):
    """Return where statements stand that begin like this."""
    return [place for place, statement in enumerate(said) if statement.startswith(beginning)]
