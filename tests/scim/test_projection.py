import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.people import Person, Team
from connector.directory.rows import Kind
from connector.directory.stored_body import ending
from connector.scim.bodies import Bodies
from connector.scim.encoding import encode
from connector.scim.list_response import public_blocks
from connector.scim.projection import known_attributes, project
from connector.scim.render import group_row, user_row
from connector.scim.urns import COGNITO_GROUP, COGNITO_USER, ENTERPRISE_USER, GROUP, USER
from connector.store.reading.resources import Member, Stored
from tests.scim.samples import ANN, TEAM, hostile_people, hostile_teams

URL = "https://scim.example.com/scim/v2"
PUBLISHED = "2026-01-02T03:04:05.678Z"
MENTION = group_row(TEAM).mention
MEMBERS = [Member("u1", "ann"), Member("u2", "b\u00f6")]


def _user(person: Person, attributes: Iterable[str] | None = None, excluded: Iterable[str] = ()) -> dict[str, Any]:
    row = user_row(person)
    head = f'{row.opening}{encode(person.names[0])},"groups":[{MENTION}]{row.closing}'
    return _served(Kind.USERS, head, iter(()), attributes, excluded)


def _group(team: Team, attributes: Iterable[str] | None = None, excluded: Iterable[str] = ()) -> dict[str, Any]:
    return _served(Kind.GROUPS, group_row(team).head, iter(MEMBERS), attributes, excluded)


def _served(
    kind: Kind, head: str, members: Iterator[Member], attributes: Iterable[str] | None, excluded: Iterable[str]
) -> dict[str, Any]:
    stored = Stored("x", PUBLISHED, f"{head}{ending(PUBLISHED)}")
    bodies = Bodies(URL)
    pieces = bodies.body(kind, stored, lambda _: members, project(kind, attributes, excluded))
    return dict(json.loads(b"".join(public_blocks(pieces, bodies.places)).decode("ascii")))


def _minimum(body: dict[str, Any], *extensions: str) -> dict[str, Any]:
    return {"schemas": [body["schemas"][0], *extensions], "id": body["id"]}


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["userName", "USERNAME", f"{USER}:userName", f"{USER.upper()}:username"], ["userName"]),
        (["name.givenName", "NAME.GIVENNAME", f"{USER}:name.givenName"], ["name", "givenName"]),
        (["name", f"{USER}:name"], ["name"]),
        (["meta.lastModified", "Meta.lastmodified"], ["meta", "lastModified"]),
        (["externalId", f"{USER}:externalId"], ["externalId"]),
        ([f"{ENTERPRISE_USER}:department", f"{ENTERPRISE_USER.upper()}:DEPARTMENT"], [ENTERPRISE_USER, "department"]),
        ([ENTERPRISE_USER, ENTERPRISE_USER.lower()], [ENTERPRISE_USER]),
        ([f"{COGNITO_USER}:status"], [COGNITO_USER, "status"]),
    ],
)
def test_an_attribute_is_asked_for_by_any_of_its_names(names: list[str], path: list[str]) -> None:
    """RFC 7644, section 3.10: in any case, with or without the URN of its schema, down to a sub-attribute."""
    whole = _user(ANN)
    value = whole
    for step in path:
        value = value[step]
    for step in reversed(path):
        value = {step: value}

    for name in names:
        assert _user(ANN, [name]) == {**_minimum(whole, *(step for step in path if step.startswith("urn:"))), **value}


def test_parts_of_several_values_keep_their_entries() -> None:
    """RFC 7644, section 3.9: `emails.value` is asked of every entry."""
    assert _user(ANN, ["emails.value", "groups.display", f"{COGNITO_USER}:identities.userId"]) == {
        **_minimum(_user(ANN), COGNITO_USER),
        "emails": [{"value": ANN.email}],
        "groups": [{"display": TEAM.name}],
        COGNITO_USER: {"identities": [{"userId": "1234"}]},
    }


def test_the_urn_of_the_core_schema_asks_for_all_of_it() -> None:
    """RFC 7644, section 3.10: a schema stands for its attributes, and common attributes are of no schema."""
    whole = _user(ANN)

    assert _user(ANN, [USER]) == {
        name: [USER] if name == "schemas" else value
        for name, value in whole.items()
        if name not in {"meta", "externalId", ENTERPRISE_USER, COGNITO_USER}
    }


@pytest.mark.parametrize(
    "bogus", ["bogus", "__UID__", "name.bogus", 'emails[type eq "work"]', "urn:x:y", ".", "\0", "$ref"]
)
def test_unknown_names_are_ignored(bogus: str) -> None:
    """Importers ask for what other servers have; that leaves what is always returned, and excludes nothing."""
    whole = _user(ANN)

    assert _user(ANN, [bogus]) == _minimum(whole)
    assert _user(ANN, [bogus, "active"]) == {**_minimum(whole), "active": True}
    assert _user(ANN, None, [bogus]) == whole


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("groups", ["groups"]),
        ("NAME", ["name"]),
        ("meta", ["meta"]),
        (f"{USER}:emails", ["emails"]),
        ("id", []),
        ("schemas", []),
    ],
)
def test_attributes_are_left_out(name: str, gone: list[str]) -> None:
    """RFC 7644, section 3.9: everything but these, and never without `id` and `schemas`."""
    assert _user(ANN, None, [name]) == {key: value for key, value in _user(ANN).items() if key not in gone}


def test_what_is_emptied_disappears() -> None:
    """RFC 7643, section 2.5: an attribute without a value is not shown, and neither is its extension's schema."""
    every_part = [f"{ENTERPRISE_USER}:{name}" for name in _user(ANN)[ENTERPRISE_USER]]
    cut = _user(ANN, None, [*every_part, "emails.value", "emails.type", "emails.primary", "name.givenName"])

    assert cut["schemas"] == [USER, COGNITO_USER]
    assert {ENTERPRISE_USER, "emails"}.isdisjoint(cut)
    assert "givenName" not in cut["name"]
    assert "familyName" in cut["name"]


def test_members_are_cut_like_any_attribute() -> None:
    """RFC 7644, section 3.9: parts of members, in the stream."""
    whole = _group(TEAM)

    assert [entry["value"] for entry in whole["members"]] == ["u1", "u2"]
    assert _group(TEAM, ["members.value", "displayName"]) == {
        **_minimum(whole),
        "displayName": TEAM.name,
        "members": [{"value": "u1"}, {"value": "u2"}],
    }
    assert _group(TEAM, None, ["members.$ref", "members.type", COGNITO_GROUP]) == {
        **{name: value for name, value in whole.items() if name != COGNITO_GROUP},
        "schemas": [GROUP],
        "members": [{"value": "u1", "display": "ann"}, {"value": "u2", "display": "b\u00f6"}],
    }
    assert _group(TEAM, ["members.$REF"])["members"][0] == {"$ref": f"{URL}/Users/u1"}


@pytest.mark.parametrize(
    ("attributes", "excluded"),
    [
        (["displayName"], []),
        (["bogus"], []),
        (None, ["members"]),
        (None, [f"{GROUP}:MEMBERS"]),
        (None, ["members.value", "members.$ref", "members.display", "members.type"]),
    ],
)
def test_members_that_are_not_shown_are_not_read(attributes: list[str] | None, excluded: list[str]) -> None:
    """P23: who asks for no members costs no memberships."""
    stored = Stored("x", PUBLISHED, f"{group_row(TEAM).head}{ending(PUBLISHED)}")

    def members(_: str) -> Iterator[Member]:
        raise AssertionError("the memberships were read")

    body = Bodies(URL).body(Kind.GROUPS, stored, members, project(Kind.GROUPS, attributes, excluded))

    assert "members" not in json.loads("".join(body))


_OTHERS = ["bogus", "", "id", "SCHEMAS", "meta.version"]


def _names(kind: Kind) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*known_attributes(kind), *_OTHERS]).filter(bool), max_size=6)


@given(person=hostile_people(), names=_names(Kind.USERS))
def test_a_user_is_cut_and_nothing_else_changes(person: Person, names: list[str]) -> None:
    """P32: whatever the directory holds, what stays is what was there, and the two halves are the whole."""
    _check_halves(_user(person), _user(person, names), _user(person, None, names))


@given(team=hostile_teams(), names=_names(Kind.GROUPS))
def test_a_group_is_cut_and_nothing_else_changes(team: Team, names: list[str]) -> None:
    """P32: likewise."""
    _check_halves(_group(team), _group(team, names), _group(team, None, names))


def _check_halves(whole: dict[str, Any], asked: dict[str, Any], left: dict[str, Any]) -> None:
    for half in (asked, left):
        assert half["id"] == whole["id"]
        assert half["schemas"] == [urn for urn in whole["schemas"] if urn == whole["schemas"][0] or urn in half]
    common = {"id", "schemas"}
    assert _leaves(asked, common) | _leaves(left, common) == _leaves(whole, common)
    assert not _leaves(asked, common) & _leaves(left, common)


def _leaves(value: Any, without: Iterable[str] = (), path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every innermost value with the names on the way to it; entries of lists count by what they hold."""
    if isinstance(value, dict) and value:
        return set().union(*(_leaves(inner, (), (*path, name)) for name, inner in value.items() if name not in without))
    if isinstance(value, list):
        return set().union(*(_leaves(entry, (), path) for entry in value))
    return {(*path, repr(value))}


def test_a_projection_that_cuts_nothing_is_none() -> None:
    """A page of whole bodies is joined and never parsed."""
    everything = [name for name in known_attributes(Kind.USERS) if name]

    assert project(Kind.USERS, everything, ()) is None
    assert project(Kind.USERS, None, ()) is None
