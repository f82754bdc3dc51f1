"""The comparison and the plan, row by row, beside what must not disturb them: history and other staging rows."""

import hashlib
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text

from connector.directory.change_plan import Changes, GroupLoss, Sizes, digest_of
from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.publishing.compare import _groups_of, note_changes
from connector.store.publishing.harvest_plan import _count_changes, ids_of_changed, new_members, read_plan
from connector.store.publishing.user_names import settle_names
from connector.store.runs.run import begin
from connector.store.sql.tables import staged_changes, staged_groups, staged_memberships, staged_users
from tests.store.population import POOL, Directory, person, publish_directory, stage, team

ANOTHER_RUN = 10**6
TEAMS = {"1g": "zeta", "2g": "alpha", "3g": "mid", "4g": "former", "5g": "new", "6g": "same", "7g": "settled"}


def folk(*numbers, **changed):
    """Return people by number; `changed` gives attributes to some, under `p` and their number."""
    return [person(f"{number}u", f"name{number}", **changed.get(f"p{number}", {})) for number in numbers]


def directory(people, members, names=TEAMS):
    """Return a directory whose groups are those that are mentioned."""
    return Directory(people, [team(group, names[group]) for group in members], members)


@contextmanager
def compared(database, harvested):
    """Compare a harvest with what is published, beside the staging rows of another run that differ in everything."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        gone = {"title": "another", "active": False}
        strangers = [*folk(*range(1, 12), p1=gone, p5=gone, p6=gone), person("0u"), person("99u")]
        groups = {group: ["0u", "1u", "2u", "3u", "4u", "5u", "99u"] for group in TEAMS}
        staging = stage(database, run.id, harvested)
        stage(database, ANOTHER_RUN, directory(strangers, groups, {group: f"another {group}" for group in TEAMS}))
        for number in (ANOTHER_RUN, run.id):
            settle_names(database, number)
            note_changes(database, number)
        yield staging
        run.end(RunOutcome.INCOMPLETE, {})


@pytest.fixture
def changed(database):
    """Staging rows of a harvest in which something of every kind happened, on top of two generations."""
    first = folk(*range(1, 9), 10)
    members = {"1g": ["1u", "2u", "3u"], "2g": ["4u"], "3g": ["5u", "8u"], "4g": ["1u"], "6g": ["1u"], "7g": ["1u"]}
    publish_directory(database, directory(first, members))
    second = folk(*range(1, 8), 10, p2={"title": "x"}, p7={"active": False}, p10={"active": False})
    members = {"1g": ["1u", "2u", "3u", "4u"], "2g": ["4u", "5u"], "3g": ["5u", "6u"], "6g": ["1u"], "7g": ["6u"]}
    publish_directory(database, directory(second, members))
    inactive = {"active": False}
    third = folk(1, 2, *range(4, 11), p2={"title": "x"} | inactive, p4=inactive, p9=inactive, p10=inactive)
    members = {"1g": ["1u", "2u", "9u"], "2g": ["4u"], "5g": ["8u"], "6g": ["1u"], "7g": ["6u"]}
    with compared(database, directory(third, members)) as staging:
        yield staging


def changes(database, kind, run):
    """Return the noted changes of one kind, by id."""
    noted = staged_changes.c
    with database.reading() as connection:
        rows = connection.execute(select(staged_changes).where(noted.run == run, noted.kind == kind.value))
        return {row.id: row for row in rows}


def staged(database, table, run):
    """Return the staged resources of a run, by id."""
    with database.reading() as connection:
        return {row.id: row for row in connection.execute(select(table).where(table.c.run == run))}


def test_exactly_what_changed_is_noted(database, changed):
    """P06: created, updated, removed and unchanged, for whatever reason a representation moves."""
    users, groups = (changes(database, kind, changed.run) for kind in Kind)

    assert {one: row.change for one, row in users.items()} == {
        "8u": "created",
        "9u": "created",
        **dict.fromkeys(("2u", "4u", "5u", "6u", "7u"), "updated"),
        "3u": "removed",
    }
    assert {one: row.change for one, row in groups.items()} == {
        "1g": "updated",
        "2g": "updated",
        "3g": "removed",
        "5g": "created",
    }
    assert {one: row.members for one, row in groups.items()} == {"1g": 3, "2g": 1, "3g": 0, "5g": 1}


def test_a_digest_is_that_of_everything_shown(database, changed):
    """A user shows their name and groups, a group its members' ids and names; the digest is the SHA-256 of that."""
    around = staged(database, staged_users, changed.run)
    for one, row in changes(database, Kind.USERS, changed.run).items():
        if row.change != "removed":
            shown = f"{around[one].opening}{row.middle}{around[one].closing}"
            assert row.digest == hashlib.sha256(shown.encode()).hexdigest()
    head = staged(database, staged_groups, changed.run)["1g"].head
    members = "".join(f"{number}u\0name{number}\0" for number in (1, 2, 9))
    digest = changes(database, Kind.GROUPS, changed.run)["1g"].digest
    assert digest == hashlib.sha256((head + members).encode()).hexdigest()


def test_groups_of_a_user_are_shown_in_the_order_of_their_names(database):
    """The same groups give the same bytes, in whatever order they were read."""
    members = {"1g": ["1u"], "2g": ["1u"], "3g": ["1u", "2u"]}
    with compared(database, directory(folk(1, 2, 3), members)) as staging:
        middles = {one: row.middle for one, row in changes(database, Kind.USERS, staging.run).items()}
        with database.reading() as connection:
            rows = connection.execute(select(staged_groups).where(staged_groups.c.run == staging.run))
            mention = {row.name: row.mention for row in rows}

    shown = {
        "1u": f'"name1","groups":[{mention["alpha"]},{mention["mid"]},{mention["zeta"]}]',
        "2u": f'"name2","groups":[{mention["mid"]}]',
        "3u": '"name3"',
    }
    assert middles == shown


def test_slices_have_no_seams(database):
    """P18: over several slices every membership is seen from both sides, once."""
    ids = [f"{number:05}" for number in range(2100)]
    members = {"1g": ids, "2g": ids[::3]}
    with compared(database, directory(map(person, ids), members)) as staging:
        users, groups = (changes(database, kind, staging.run) for kind in Kind)
        heads = {one: row.head for one, row in staged(database, staged_groups, staging.run).items()}

    shown = {group: [one for one in ids if f"/Groups/{group}" in users[one].middle] for group in members}
    assert shown == members
    for group, of_it in members.items():
        said = heads[group] + "".join(f"{one}\0user-{one}\0" for one in of_it)
        assert (groups[group].members, groups[group].digest) == (len(of_it), hashlib.sha256(said.encode()).hexdigest())


def test_a_plan_counts_what_a_publish_would_do(database, changed):
    """P06: every number of the plan, and the digest of exactly these changes."""
    plan = read_plan(database, changed, POOL, rejects=3)

    noted = {
        (kind.value, one): (row.change, row.digest)
        for kind in Kind
        for one, row in changes(database, kind, changed.run).items()
    }
    assert plan.digest == digest_of(2, POOL, [(*key, *noted[key]) for key in sorted(noted)])
    assert (plan.base, plan.source, plan.published_source, plan.rejects) == (2, POOL, POOL, 3)
    assert (plan.published, plan.harvested) == (Sizes(8, 5, 10), Sizes(9, 5, 7))
    assert (plan.users, plan.groups) == (Changes(2, 5, 1), Changes(1, 2, 1))
    assert (plan.members_added, plan.members_removed, plan.deactivated) == (2, 5, 2)
    assert plan.losses == (GroupLoss("alpha", 1, 2), GroupLoss("zeta", 2, 4))


def test_only_what_changed_is_counted(database, changed):
    """P06: by change; the unchanged are nobody's business."""
    with database.reading() as connection:
        counted = _count_changes(connection, changed.run)

    assert counted == {Kind.USERS: Changes(2, 5, 1), Kind.GROUPS: Changes(1, 2, 1)}


def test_a_first_plan_has_nothing_to_compare_with(database):
    """P06: before the first generation everything is new, and nothing is lost."""
    with compared(database, directory(folk(1, 2), {"1g": ["1u"]})) as staging:
        plan = read_plan(database, staging, POOL, rejects=0)

    assert (plan.base, plan.published_source, plan.published) == (0, None, Sizes())
    assert (plan.users, plan.groups) == (Changes(created=2), Changes(created=1))
    assert (plan.members_added, plan.members_removed, plan.deactivated, plan.losses) == (1, 0, 0, ())


def test_a_slice_reads_only_its_own_memberships(database, changed):
    """Memory does not grow with the pool: of a large harvest, each slice reads the groups of its users alone."""
    with database.reading() as connection:
        belongs = _groups_of(connection, changed.run, "2u", "8u")

    assert dict(belongs) == {"2u": ["1g"], "4u": ["2g"], "6u": ["7g"], "8u": ["5g"]}


def test_a_change_of_few_is_found_by_looking_at_few(database, changed):
    """Only memberships of who changed or is gone are compared."""
    with database.reading() as connection:
        looked_at = connection.scalars(ids_of_changed(changed.run, Kind.USERS)).all()
        new = select(staged_memberships.c.group_id, staged_memberships.c.user_id).where(new_members(changed.run))
        found = [tuple(row) for row in connection.execute(new)]

    assert sorted(looked_at) == ["2u", "3u", "4u", "5u", "6u", "7u", "8u", "9u"]
    assert sorted(found) == [("1g", "9u"), ("5g", "8u")]


def test_the_planner_knows_how_much_a_complete_harvest_staged(database):
    """P23: PostgreSQL takes the rows of a run that it has not counted for few, and joins them one with all others."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staging = stage(database, run.id, directory(folk(1, 2, 3), {"1g": ["1u"]}))
        staging.complete()
        with database.reading() as connection:
            if database.dialect == "postgresql":
                known = text("SELECT reltuples FROM pg_class WHERE relname = 'staged_users'")
                assert connection.scalar(known) == 3
            assert staging.sizes().users == 3


def test_who_would_be_somebody_else_is_counted(database):
    """P02: other names and addresses of who stays, and groups that lose everybody; letters alone are no other name."""
    before = folk(1, 2, 3, 4, 5, p4={"email": ""}, p5={"email": "five@example.com"})
    publish_directory(database, directory(before, {"1g": ["1u"], "2g": ["2u", "3u"], "3g": []}))
    after = [
        person("1u", "other", email="name1@example.com"),
        person("2u", "NAME2", email="NAME2@example.com"),
        person("3u", "name3", email="third@example.com"),
        person("4u", "name4", email="first@example.com"),
        person("5u", "name5", email=""),
        person("6u", "new"),
    ]
    with compared(database, directory(after, {"1g": [], "2g": ["6u"], "3g": []})) as staging:
        plan = read_plan(database, staging, POOL, rejects=0)

    assert (plan.renamed, plan.changed_emails, plan.emptied) == (1, 2, 1)
    assert (plan.changes, plan.versions_ended) == (5 + 1 + 2 + 1 + 3, 5 + 2 + 3)
