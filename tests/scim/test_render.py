import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given

from connector.directory.people import Person, Team
from connector.directory.rows import Kind
from connector.directory.stored_body import BASE, ending, with_members
from connector.directory.times import rfc3339
from connector.scim.bodies import Bodies
from connector.scim.encoding import encode
from connector.scim.list_response import public_blocks
from connector.scim.render import group_row, user_row
from connector.scim.schemas import resource_model
from connector.scim.urns import COGNITO_GROUP, COGNITO_USER, ENTERPRISE_USER, GROUP, USER
from tests.scim.samples import ANN, BO, TEAM, hostile_people, hostile_teams, hostile_text

URL = "https://scim.example.com/scim/v2"
PUBLISHED = "2026-01-02T03:04:05.678Z"
VERSION = f'W/"{PUBLISHED}-{Bodies(URL).edition}"'


@dataclass(frozen=True)
class InGroup:
    """A member of a group."""

    id: str
    user_name: str


def _text_of(pieces: Iterable[str]) -> str:
    return b"".join(public_blocks(pieces, Bodies(URL).places)).decode("ascii")


def _render_user(person: Person, user_name: str, groups: str = "") -> dict[str, Any]:
    row = user_row(person)
    return dict(json.loads(_text_of([f"{row.opening}{encode(user_name)}{groups}{row.closing}{ending(PUBLISHED)}"])))


def _render_group(team: Team, members: Iterable[InGroup] = ()) -> dict[str, Any]:
    return dict(json.loads(_text_of(with_members(group_row(team).head + ending(PUBLISHED), members))))


def _without_empty(value: Any) -> Any:
    """Leave out what is empty, at every level."""
    if isinstance(value, list):
        return [_without_empty(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_empty(entry) for name, entry in value.items()}
    return {name: entry for name, entry in kept.items() if entry not in ("", None, [], {})}


def _with_milliseconds(value: Any) -> Any:
    """Write the dates of a dumped model as they are served."""
    if isinstance(value, list):
        return [_with_milliseconds(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    dates = {"created", "lastModified", "createdAt", "lastModifiedAt"}
    return {
        name: rfc3339(datetime.fromisoformat(entry)) if name in dates else _with_milliseconds(entry)
        for name, entry in value.items()
    }


def _expected_address(person: Person) -> list[dict[str, Any]]:
    place = person.address
    if place is None or place == type(place)():
        return []
    parts = {"formatted": place.formatted, "streetAddress": place.street_address, "locality": place.locality}
    parts |= {"region": place.region, "postalCode": place.postal_code, "country": place.country}
    return [{**parts, "type": "work", "primary": True}]


def _expected_values(values: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"value": value} | ({"primary": True} if at == 0 else {}) for at, value in enumerate(values)]


def _expected_user(person: Person, user_name: str) -> dict[str, Any]:
    """Say again, by hand, how a person is to be served."""
    created = rfc3339(person.created) if person.created else ""
    changed = rfc3339(person.modified) if person.modified else ""
    enterprise = {
        "employeeNumber": person.enterprise.get("employee_number"),
        "costCenter": person.enterprise.get("cost_center"),
        "organization": person.enterprise.get("organization"),
        "division": person.enterprise.get("division"),
        "department": person.enterprise.get("department"),
    }
    user = {
        "schemas": [USER, *([ENTERPRISE_USER] if _without_empty(enterprise) else []), COGNITO_USER],
        "id": person.id,
        "externalId": person.username,
        "userName": user_name,
        "active": person.active,
        "name": {
            "formatted": person.formatted_name,
            "familyName": person.family_name,
            "givenName": person.given_name,
            "middleName": person.middle_name,
        },
        "displayName": person.display_name,
        "nickName": person.nick_name,
        "profileUrl": person.profile_url,
        "title": person.title,
        "userType": person.user_type,
        "preferredLanguage": person.preferred_language,
        "locale": person.locale,
        "timezone": person.timezone,
        "emails": [{"value": person.email, "type": "work", "primary": True}] if person.email else [],
        "phoneNumbers": [{"value": person.phone_number, "type": "work", "primary": True}]
        if person.phone_number
        else [],
        "photos": [{"value": person.photo, "type": "photo", "primary": True}] if person.photo else [],
        "addresses": _expected_address(person),
        "roles": _expected_values(person.roles),
        "entitlements": _expected_values(person.entitlements),
        ENTERPRISE_USER: enterprise,
        COGNITO_USER: {
            "username": person.username,
            "status": person.status,
            "emailVerified": person.email_verified,
            "phoneNumberVerified": person.phone_number_verified,
            "createdAt": created,
            "lastModifiedAt": changed,
            "preferredUsername": person.preferred_username,
            "birthdate": person.birthdate,
            "gender": person.gender,
            "website": person.website,
            "updatedAt": person.updated_at,
            "identities": [
                {
                    "providerName": identity.provider_name,
                    "providerType": identity.provider_type,
                    "userId": identity.user_id,
                    "primary": identity.primary,
                }
                for identity in person.identities
            ],
            "customAttributes": [{"name": name, "value": text} for name, text in person.custom_attributes.items()],
        },
        "meta": {
            "resourceType": "User",
            "created": created,
            "location": f"{URL}/Users/{person.id}",
            "lastModified": PUBLISHED,
            "version": VERSION,
        },
    }
    return dict(_without_empty(user))


def _expected_group(team: Team) -> dict[str, Any]:
    created = rfc3339(team.created) if team.created else ""
    group = {
        "schemas": [GROUP, COGNITO_GROUP],
        "id": team.id,
        "externalId": team.name,
        "displayName": team.name,
        COGNITO_GROUP: {
            "description": team.description,
            "precedence": team.precedence,
            "roleArn": team.role_arn,
            "createdAt": created,
            "lastModifiedAt": rfc3339(team.modified) if team.modified else "",
            "identityProviderGroup": team.provider,
        },
        "meta": {
            "resourceType": "Group",
            "created": created,
            "location": f"{URL}/Groups/{team.id}",
            "lastModified": PUBLISHED,
            "version": VERSION,
        },
    }
    return dict(_without_empty(group))


@pytest.mark.parametrize("person", [ANN, BO], ids=["everything", "least"])
def test_a_user_shows_every_attribute_of_the_person_and_no_empty_one(person: Person) -> None:
    """RFC 7643, section 4.1: what the pool holds is served, attribute by attribute."""
    assert _render_user(person, "ann") == _expected_user(person, "ann")


@given(person=hostile_people(), user_name=hostile_text.filter(bool))
def test_hostile_text_comes_back_as_it_was(person: Person, user_name: str) -> None:
    """P17: whatever a directory holds, its text is served verbatim and breaks out of nothing."""
    assert _render_user(person, user_name) == _expected_user(person, user_name)


@given(person=hostile_people(), user_name=hostile_text.filter(bool))
def test_every_user_conforms_to_the_served_schemas(person: Person, user_name: str) -> None:
    """RFC 7643, section 7: a reader that forbids unknown attributes accepts what is served, and loses nothing."""
    served = _render_user(person, user_name)

    read = resource_model(Kind.USERS).model_validate(served)

    assert _with_milliseconds(read.model_dump()) == served


@given(team=hostile_teams())
def test_every_group_conforms_to_the_served_schemas(team: Team) -> None:
    """RFC 7643, section 4.2: the same of groups."""
    served = _render_group(team)

    read = resource_model(Kind.GROUPS).model_validate(served)

    assert served == _expected_group(team)
    assert _with_milliseconds(read.model_dump()) == served


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_a_group_shows_its_members(size: int) -> None:
    """RFC 7643, section 4.2: each member with value, display, type and a $ref under the public base URL."""
    members = [InGroup(f"u-{number}", f'näme "{number}"') for number in range(size)]

    shown = _render_group(TEAM, members).get("members")

    assert shown == (
        [
            {"value": member.id, "$ref": f"{URL}/Users/{member.id}", "display": member.user_name, "type": "User"}
            for member in members
        ]
        or None
    )


@given(team=hostile_teams())
def test_a_user_shows_its_groups(team: Team) -> None:
    """RFC 7643, section 4.1.2: a mention is the group's id, address and name."""
    shown = _render_user(ANN, "ann", f',"groups":[{group_row(team).mention}]')

    assert shown["groups"] == [
        {"value": team.id, "$ref": f"{URL}/Groups/{team.id}", "display": team.name, "type": "direct"}
    ]
    assert resource_model(Kind.USERS).model_validate(shown)["groups.value"] == [team.id]


@given(person=hostile_people())
def test_the_base_url_stands_only_where_addresses_are(person: Person) -> None:
    """rows.py: the placeholder of the base URL cannot come from the directory."""
    row = user_row(person)

    assert (row.opening.count(BASE), row.closing.count(BASE)) == (0, 1)


def test_a_row_carries_what_the_store_searches() -> None:
    """rows.py: the promoted attributes are those of the person."""
    row = user_row(ANN)

    assert (row.id, row.external_id, row.names, row.display_name, row.email, row.active) == (
        ANN.id,
        "ann",
        ANN.names,
        "Ann Ångström",
        "a@corp.local",
        True,
    )
    assert (row.created, row.modified) == ("2024-02-29T12:00:00.123Z", "2025-12-31T23:59:59.999Z")


def test_members_are_streamed() -> None:
    """P23: no more members are read than were asked for, however large the group."""
    read = []

    def members() -> Iterable[InGroup]:
        for number in range(1_000_000):
            read.append(number)
            yield InGroup(str(number), "name")

    pieces = with_members(group_row(TEAM).head + ending(PUBLISHED), members())
    for _ in range(3):
        next(pieces)

    assert len(read) < 1_500
