"""Publishing and reading generations, on each database."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from connector.directory.change_plan import Changes, GroupLoss
from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind
from connector.errors import LeaseLost
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.publish import publish
from connector.store.reading.reader import DirectoryReader, Member
from connector.store.runs.run import begin
from connector.store.sql.tables import FOREVER, groups, memberships, tombstones, users
from tests.store.population import POOL, Directory, people, person, publish_directory, result_of, stage, team


def ids(reader, kind, generation, start=1, count=10_000):
    """Return the ids of a page."""
    return [found.id for found in reader.page(kind, generation, start=start, count=count).resources]


def modified(reader, kind):
    """Return the time of the last change of each living resource."""
    generation = reader.newest()
    return {found.id: found.modified for found in reader.page(kind, generation, start=1, count=1000).resources}


def test_before_the_first_publish_there_is_no_generation(database):
    """P04: no generation is not an empty one."""
    assert DirectoryReader(database).newest() is None


def test_a_pool_without_anybody_is_a_generation_of_its_own(database):
    """P04: an empty pool, read completely, is an empty directory."""
    published = publish_directory(database, Directory())

    assert (published.generation.number, published.generation.users) == (1, 0)
    assert list(DirectoryReader(database).page(Kind.USERS, published.generation, start=1, count=10).resources) == []


def test_what_was_published_is_what_is_read(database):
    """P09: sizes across slices and landmarks are exact, for users, groups and members."""
    folk = people(1201)
    directory = Directory(folk, [team("g1"), team("g2")], {"g1": [one.id for one in folk], "g2": ["u00007"]})

    generation = publish_directory(database, directory).generation
    reader = DirectoryReader(database)

    assert (generation.users, generation.groups, generation.memberships) == (1201, 2, 1202)
    assert ids(reader, Kind.USERS, generation) == [one.id for one in folk]
    assert [member.id for member in reader.members("g1", generation)] == [one.id for one in folk]
    assert list(reader.members("g2", generation)) == [Member("u00007", "user-u00007")]


@pytest.mark.parametrize("size", [1, 7, 99, 100, 101, 250])
def test_pages_of_any_size_make_up_the_whole(database, size):
    """P34: a page holds min(count, what remains); together the pages are the generation, once each."""
    generation = publish_directory(database, Directory(people(250))).generation
    reader = DirectoryReader(database)

    pages = [ids(reader, Kind.USERS, generation, start, size) for start in range(1, 251, size)]

    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert [one for page in pages for one in page] == [one.id for one in people(250)]


def test_past_the_end_there_is_nothing(database):
    """P34: a page past the end is empty and still knows the total."""
    generation = publish_directory(database, Directory(people(3))).generation

    page = DirectoryReader(database).page(Kind.USERS, generation, start=4, count=10)

    assert (page.total, list(page.resources)) == (3, [])


def test_an_unchanged_pool_writes_no_rows(database):
    """An unchanged harvest makes no generation and touches no resource."""
    directory = Directory(people(20), [team("g1")], {"g1": ["u00001", "u00002"]})
    publish_directory(database, directory)
    before = _count(database)

    published = publish_directory(database, directory)

    assert published.generation is None
    assert (_count(database), DirectoryReader(database).newest().number) == (before, 1)


def _count(database):
    with database.reading() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in (users, groups, memberships)]


def test_last_modified_moves_for_exactly_what_changed(database):
    """A new member moves the user and the group; everybody else stays."""
    folk, teams = people(4), [team("g1"), team("g2")]
    publish_directory(database, Directory(folk, teams, {"g1": ["u00001"], "g2": ["u00002"]}))
    reader = DirectoryReader(database)
    users_before, groups_before = modified(reader, Kind.USERS), modified(reader, Kind.GROUPS)

    publish_directory(database, Directory(folk, teams, {"g1": ["u00001", "u00003"], "g2": ["u00002"]}))

    users_after, groups_after = modified(reader, Kind.USERS), modified(reader, Kind.GROUPS)
    assert [one for one in users_after if users_after[one] != users_before[one]] == ["u00003"]
    assert [one for one in groups_after if groups_after[one] != groups_before[one]] == ["g1"]
    assert users_after["u00003"] == groups_after["g1"] == reader.newest().published_at


def test_a_renamed_user_moves_the_groups_that_show_the_name(database):
    """The user name is part of what a group shows of its members."""
    teams, members = [team("g1"), team("g2")], {"g1": ["u1"], "g2": ["u2"]}
    publish_directory(database, Directory([person("u1", "ann"), person("u2", "bo")], teams, members))
    published = publish_directory(database, Directory([person("u1", "anna"), person("u2", "bo")], teams, members))

    assert (published.plan.users, published.plan.groups) == (Changes(updated=1), Changes(updated=1))
    assert (published.plan.members_added, published.plan.members_removed) == (0, 0)
    assert list(DirectoryReader(database).members("g1", published.generation)) == [Member("u1", "anna")]


def test_counts_of_changes_are_exact(database):
    """P06: created, updated, removed, memberships, deactivations and losses are counted as they are."""
    folk = people(6)
    publish_directory(
        database,
        Directory(folk, [team("g1"), team("g2")], {"g1": ["u00001", "u00002", "u00003"], "g2": ["u00004"]}),
    )
    changed = [person("u00001", "renamed"), person("u00002", active=False), *folk[2:5], person("u00007")]

    plan = publish_directory(
        database, Directory(changed, [team("g1"), team("g3")], {"g1": ["u00001", "u00007"], "g3": ["u00005"]})
    ).plan

    assert plan.users == Changes(created=1, updated=5, removed=1)
    assert plan.groups == Changes(created=1, updated=1, removed=1)
    assert (plan.members_added, plan.members_removed, plan.deactivated) == (2, 3, 1)
    assert plan.losses == (GroupLoss("group-g1", 2, 3),)


def test_a_removed_resource_leaves_the_list_and_a_tombstone(database):
    """P15: who is gone is gone from the next generation on, and remembered by id and time."""
    publish_directory(database, Directory(people(3), [team("g1")]))
    published = publish_directory(database, Directory(people(2)))
    reader = DirectoryReader(database)

    assert reader.find(Kind.USERS, "u00003", published.generation) is None
    assert ids(reader, Kind.GROUPS, published.generation) == []
    with database.reading() as connection:
        rows = connection.execute(select(tombstones).order_by(tombstones.c.id)).all()
    assert [tuple(row) for row in rows] == [
        ("groups", "g1", 2, published.generation.published_at),
        ("users", "u00003", 2, published.generation.published_at),
    ]


def test_memberships_end_with_their_user_or_group(database):
    """P18: who comes back is in no group that the pool does not name, and no row outlives what it joins."""
    publish_directory(database, Directory(people(3), [team("g1"), team("g2")], {"g1": ["u00001"], "g2": ["u00002"]}))
    publish_directory(database, Directory(people(3)[1:], [team("g1")]))
    with database.reading() as connection:
        living = connection.execute(select(memberships).where(memberships.c.until == FOREVER)).all()
    plan = publish_directory(database, Directory(people(3), [team("g1")])).plan

    assert living == []
    assert (plan.members_added, plan.members_removed) == (0, 0)


def test_an_old_generation_reads_as_it_was(database):
    """P14: what was published before is still there for who began to read it."""
    reader = DirectoryReader(database)
    first = publish_directory(database, Directory(people(5), [team("g1")], {"g1": ["u00001", "u00005"]})).generation
    before = [(found.id, found.body) for found in reader.page(Kind.USERS, first, start=1, count=10).resources]

    publish_directory(database, Directory([person("u00001", "renamed"), *people(3)[1:]], [team("g1")]))

    page = reader.page(Kind.USERS, first, start=1, count=10)
    assert (page.total, [(found.id, found.body) for found in page.resources]) == (5, before)
    assert list(reader.members("g1", first)) == [Member("u00001", "user-u00001"), Member("u00005", "user-u00005")]
    assert reader.find(Kind.USERS, "u00005", first) is not None


def test_generations_never_share_a_time(database):
    """Times grow strictly, also when several generations fall in one millisecond or the clock goes back."""
    times = [publish_directory(database, Directory(people(count))).generation.published_at for count in range(1, 8)]

    assert all(earlier < later for earlier, later in pairwise(times))


def test_a_plan_made_against_an_older_generation_is_not_published(database):
    """P20: between comparison and publish nothing else may have been published."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staging = stage(database, run.id, Directory(people(1)))
        note_changes(database, run.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        publish(database, run.id, plan, under=run.lease, record=result_of)
        with pytest.raises(LeaseLost):
            publish(database, run.id, plan, under=run.lease, record=result_of)

    assert DirectoryReader(database).newest().number == 1


populations = st.lists(
    st.tuples(
        st.sets(st.sampled_from([f"u{number}" for number in range(8)])),
        st.sets(st.tuples(st.sampled_from(["g1", "g2"]), st.sampled_from([f"u{number}" for number in range(8)]))),
    ),
    min_size=1,
    max_size=4,
)


@given(states=populations)
@settings(max_examples=15)
def test_each_generation_is_exactly_its_harvest_and_both_sides_of_membership_agree(open_store, states):
    """P18, P22: whatever was published before, users, members and the groups users show are those of the harvest."""
    database = open_store()
    reader = DirectoryReader(database)
    for living, belonging in states:
        members = {group: sorted(user for of, user in belonging if of == group) for group in ("g1", "g2")}
        publish_directory(
            database, Directory([person(one) for one in sorted(living)], [team("g1"), team("g2")], members)
        )
        generation = reader.newest()
        found = {one.id: one.body for one in reader.page(Kind.USERS, generation, start=1, count=99).resources}
        assert set(found) == living
        for group in ("g1", "g2"):
            shown = {member.id for member in reader.members(group, generation)}
            assert shown == {user for of, user in belonging if of == group and user in living}
            assert {user for user, head in found.items() if f"/Groups/{group}" in head} == shown
        assert generation.memberships == sum(user in living for _, user in belonging)
