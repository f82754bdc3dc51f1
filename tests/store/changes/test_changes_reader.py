"""Lists of changes: of a refused plan, of what was published, and between two generations."""

import json
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from connector.directory.changes import ChangeFilter, ChangeKind
from connector.store.changes.changes_reader import ChangesReader, Wanted
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.user_names import settle_names
from connector.store.runs.run import begin
from connector.store.sql.tables import metadata
from tests.store.population import POOL, Directory, person, publish_directory, stage, team

BEFORE = Directory(
    [
        person("u1", "ann"),
        person("u2", "bo", title="clerk"),
        person("u3", "cy"),
        person("u4", "dan"),
        person("u5", "eve", email="eve@old.example"),
        person("u6", "flo"),
    ],
    [team("g1", "admins"), team("g2", "staff"), team("g3", "former")],
    {"g1": ["u1", "u2"], "g2": ["u1", "u3", "u4"], "g3": ["u1"]},
)
AFTER = Directory(
    [
        person("u1", "ann.smith", display_name="ann", email="ann@example.com", family_name="ann"),
        person("u2", "bo", title="boss"),
        person("u4", "dan", active=False),
        person("u5", "eve", email="eve@new.example"),
        person("u6", "flo"),
        person("u7", "=HYPERLINK()"),
    ],
    [team("g1", "admins"), team("g2", "staff"), team("g4", "new")],
    {"g1": [], "g2": ["u1", "u4", "u6"], "g4": ["u7"]},
)
CHANGES = [
    ("users", "updated", "ann.smith"),
    ("users", "updated", "bo"),
    ("users", "removed", "cy"),
    ("users", "updated", "dan"),
    ("users", "updated", "eve"),
    ("users", "updated", "flo"),
    ("users", "created", "=HYPERLINK()"),
    ("groups", "updated", "admins"),
    ("groups", "updated", "staff"),
    ("groups", "removed", "former"),
    ("groups", "created", "new"),
]
MOVES = {
    ("removed", "ann in admins"),
    ("removed", "bo in admins"),
    ("removed", "cy in staff"),
    ("removed", "ann in former"),
    ("created", "flo in staff"),
    ("created", "=HYPERLINK() in new"),
}


@contextmanager
def refused(database, directory):
    """Give the run of a plan that is refused when the block ends."""
    with begin(database, "sync", cause="command") as run:
        staging = stage(database, run.id, directory)
        settle_names(database, run.id)
        note_changes(database, run.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        yield run.id
        run.end("refused", {"digest": plan.digest, "base": plan.base, "generation": plan.base or None})


def list_of_refused(database):
    """Return what a refused plan would change."""
    publish_directory(database, BEFORE)
    with refused(database, AFTER) as run:
        pass
    return ChangesReader(database).of_run(run)


def list_of_published(database):
    """Return what a run changed."""
    publish_directory(database, BEFORE)
    publish_directory(database, AFTER)
    return ChangesReader(database).of_run(2)


def list_between(database):
    """Return what two generations do not share, with another between them."""
    publish_directory(database, Directory([person("u0")]))
    publish_directory(database, BEFORE)
    publish_directory(database, Directory([person("u6", "flo", title="for a while"), person("u8", "short-lived")]))
    publish_directory(database, AFTER)
    return ChangesReader(database).between(2, 4)


@pytest.fixture(params=[list_of_refused, list_of_published, list_between])
def changes(request, database):
    """The same changes, as each of the three ways tells them."""
    return request.param(database)


def told(found):
    """Return what a list says of each change."""
    return [(change.kind.value, change.change, change.name) for change in found]


def names(changes, **wanted):
    """Return who is found."""
    return [change.name for change in changes.page(Wanted(**wanted))]


def test_every_change_is_listed_once(changes):
    """P06: users, groups and memberships, by who and what, whether a plan would do it or a publish did it."""
    listed = told(changes.stream())

    assert listed[: len(CHANGES)] == CHANGES
    assert sorted(listed[len(CHANGES) :]) == sorted(("memberships", *move) for move in MOVES)


def test_a_change_shows_the_attributes_that_changed_old_and_new(changes):
    """P06: what is the same in both is left out; a nested attribute shows the part that changed."""
    shown = {change.name: (change.was, change.now) for change in changes.stream() if change.of}

    assert shown["bo"] == (
        {"title": "clerk", "groups": [{"value": "g1", "display": "admins", "type": "direct"}]},
        {"title": "boss"},
    )
    assert shown["eve"][0]["emails"][0]["value"] == "eve@old.example"
    assert shown["eve"][1]["emails"][0]["value"] == "eve@new.example"
    assert (shown["ann.smith"][0]["userName"], shown["ann.smith"][1]["userName"]) == ("ann", "ann.smith")
    assert (shown["dan"][0], shown["dan"][1]) == ({"active": True}, {"active": False})
    assert shown["cy"][1] == shown["new"][0] == {}
    assert (shown["cy"][0]["userName"], shown["new"][1]["members"]) == ("cy", 1)
    assert shown["admins"] == ({"members": 2}, {"members": 0})
    assert shown["staff"] == ({"members": 3}, {"members": 3})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ChangeFilter.CREATED, ["=HYPERLINK()", "new", "=HYPERLINK() in new", "flo in staff"]),
        (ChangeFilter.UPDATED, ["ann.smith", "bo", "dan", "eve", "flo", "admins", "staff"]),
        (ChangeFilter.REMOVED, ["cy", "former", "ann in admins", "bo in admins", "cy in staff", "ann in former"]),
        (ChangeFilter.RENAMED, ["ann.smith"]),
        (ChangeFilter.DEACTIVATED, ["dan"]),
        (ChangeFilter.EMAIL_CHANGED, ["eve"]),
        (ChangeFilter.EMPTIED, ["admins"]),
    ],
)
def test_what_became_of_them_can_be_asked_for(changes, change, expected):
    """P06: each count of a plan leads to those who were counted."""
    assert sorted(names(changes, change=change)) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANN", ["ann.smith", "ann in admins", "ann in former"]),
        ("old.example", ["eve"]),
        ("NEW.example", ["eve"]),
        ("u3", ["cy", "cy in staff"]),
        ("former", ["former", "ann in former"]),
        ("%", []),
        ("_", []),
    ],
)
def test_a_text_finds_names_and_addresses_old_and_new(changes, text, expected):
    """P06: in any case, as plain text, or a whole id."""
    assert sorted(names(changes, text=text)) == sorted(expected)


def test_kinds_can_be_asked_for(changes):
    """P06: a kind alone, and nothing where the kind cannot become what is asked for."""
    assert told(changes.page(Wanted(kind=ChangeKind.GROUPS))) == [one for one in CHANGES if one[0] == "groups"]
    assert len(changes.page(Wanted(kind=ChangeKind.MEMBERSHIPS))) == len(MOVES)
    assert changes.page(Wanted(kind=ChangeKind.GROUPS, change=ChangeFilter.RENAMED)) == []


@pytest.mark.parametrize("count", [1, 2, 3, 7, 17, 100])
def test_pages_of_any_size_fit_together(changes, count):
    """P06: page after page is the whole list, nothing twice and nothing left out."""
    found, after = [], ""
    while page := changes.page(after=after, count=count):
        assert len(page) <= count
        found += page
        after = page[-1].key

    assert [change.as_json() for change in found] == [change.as_json() for change in changes.stream()]
    assert len(found) == len(CHANGES) + len(MOVES)


@pytest.mark.parametrize("key", ["users", "users/a/b", "memberships/a", "nobody/a", "/", "memberships"])
def test_only_a_key_can_be_gone_on_from(changes, key):
    """What is not a key is refused, never taken for the beginning."""
    with pytest.raises(ValueError, match="is not"):
        changes.page(after=key)


def test_the_first_generation_created_everybody(database):
    """P06: there was nothing before it."""
    publish_directory(database, BEFORE)

    found = list(ChangesReader(database).of_run(1).stream())
    assert {change.change for change in found} == {"created"}
    assert len(found) == 6 + 3 + 6


def test_generations_that_are_the_same_differ_in_nothing(database):
    """P06: who changed there and back is as they were."""
    for directory in (BEFORE, AFTER, BEFORE):
        publish_directory(database, directory)

    assert list(ChangesReader(database).between(1, 3).stream()) == []


PEOPLE = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["x", "y"]), max_size=6)
GROUPS = st.dictionaries(st.sampled_from("gh"), st.frozensets(st.sampled_from("abcdef"), max_size=4), max_size=2)


def made_of(people, groups):
    """Return a directory, and all that can be told of it: titles of users, members of groups who are users."""
    members = {group: sorted(users & people.keys()) for group, users in groups.items()}
    directory = Directory([person(one, title=title) for one, title in people.items()], map(team, groups), members)
    return directory, dict(people), {(group, user) for group, users in members.items() for user in users}


@settings(max_examples=12)
@given(states=st.lists(st.tuples(PEOPLE, GROUPS), min_size=2, max_size=4))
def test_a_list_is_the_difference_of_two_directories(open_store, states):
    """P06: whatever the directories and however many lie between them, for a plan as for what it then published."""
    database = open_store()
    for table in reversed(metadata.sorted_tables):
        if table.name not in {"schema_version", "leases"}:
            with database.writing() as connection:
                connection.execute(delete(table))
    made = [made_of(*state) for state in states]
    numbers = [published.generation for published in (publish_directory(database, one[0]) for one in made[:-1])]
    first = next((one.number for one in reversed(numbers) if one), 0)
    with refused(database, made_of(*states[-1])[0]) as run:
        pass
    last = publish_directory(database, made_of(*states[-1])[0]).generation
    planned = [one.as_json() for one in ChangesReader(database).of_run(run).stream()] if last else []
    published = [one.as_json() for one in ChangesReader(database).between(first, last.number).stream()] if last else []

    (_, was, had), (_, now, has) = made[-2:]
    memberships = {(c["change"], c["group"]["id"], c["user"]["id"]) for c in published if c["kind"] == "memberships"}
    assert memberships == {("created", *one) for one in has - had} | {("removed", *one) for one in had - has}
    users = {c["id"]: (c["was"].get("title"), c["now"].get("title")) for c in published if c["kind"] == "users"}
    titles = {one: (was.get(one), now.get(one)) for one in {*was, *now} if was.get(one) != now.get(one)}
    assert {one: users.get(one) for one in titles} == titles
    assert key_of(planned) == key_of(published)


def key_of(changes):
    """Return changes in one order, which memberships of a plan and of a publish do not share."""
    return sorted(json.dumps(change, sort_keys=True) for change in changes)
