"""People and teams rendered once, as the text that is served from then on (rows.py says how the pieces fit).

The order of the members is fixed and empty values are left out, so that equal people give equal bytes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import Any, Protocol

from connector.directory.people import Address, Identity, Person, Team
from connector.directory.rows import BASE, GroupRow, UserRow
from connector.directory.times import rfc3339
from connector.scim.encoding import encode_body, encode_text
from connector.scim.urns import COGNITO_GROUP, COGNITO_USER, ENTERPRISE_USER, GROUP, USER

_ENTERPRISE_NAMES = {
    "employee_number": "employeeNumber",
    "cost_center": "costCenter",
    "organization": "organization",
    "division": "division",
    "department": "department",
}
_MEMBERS_IN_A_PIECE = 500
_ADDRESS_NAMES = {
    "formatted": "formatted",
    "street_address": "streetAddress",
    "locality": "locality",
    "region": "region",
    "postal_code": "postalCode",
    "country": "country",
}


class Member(Protocol):
    """A member of a group."""

    @property
    def id(self) -> str:
        """The id of the user."""

    @property
    def user_name(self) -> str:
        """The name under which the user is served."""


def user_row(person: Person) -> UserRow:
    """Render a person."""
    created, modified = _time(person.created), _time(person.modified)
    extensions = _user_extensions(person, created, modified)
    core = {"schemas": [USER, *extensions], **_core_user(person)}
    return UserRow(
        id=person.id,
        external_id=person.username,
        names=person.names,
        display_name=person.display_name,
        email=person.email,
        active=person.active,
        created=created,
        modified=modified,
        opening=f'{encode_body(core)[:-1]},"userName":',
        closing=f",{encode_body(extensions)[1:-1]},{_meta('User', 'Users', person.id, created)}",
        remarks=person.remarks,
    )


def group_row(team: Team) -> GroupRow:
    """Render a team."""
    core = {
        "schemas": [GROUP, COGNITO_GROUP],
        "id": team.id,
        "externalId": team.name,
        "displayName": team.name,
        COGNITO_GROUP: _group_extension(team),
    }
    reference = _reference("Groups", team.id)
    return GroupRow(
        id=team.id,
        name=team.name,
        head=f"{encode_body(core)[:-1]},{_meta('Group', 'Groups', team.id, _time(team.created))}",
        mention=f'{{"value":{encode_body(team.id)},"$ref":{reference},"display":{encode_body(team.name)},"type":"direct"}}',
    )


def group_body(body: str, members: Iterable[Member]) -> Iterator[str]:
    """Return the body of a group with its members, in pieces, so that a large group never lies in memory as a whole."""
    return chain((body[:-1],), member_list(members), ("}",))


def member_list(members: Iterable[Member], parts: Collection[str] | None = None) -> Iterator[str]:
    """Return the attribute `members` as it follows others, in pieces; nothing for a group without members.

    Args:
        members: who belongs to the group.
        parts: which sub-attributes to show, None for all.
    """
    show = _member if parts is None else partial(_part_of_member, parts=parts)
    left = iter(members)
    before = ',"members":['
    while some := ",".join(map(show, islice(left, _MEMBERS_IN_A_PIECE))):
        yield before + some
        before = ","
    if before == ",":
        yield "]"


def _member(member: Member) -> str:
    identifier, user_name = encode_text(member.id)[1:], encode_text(member.user_name)
    return f'{{"value":"{identifier},"$ref":"{BASE}/Users/{identifier},"display":{user_name},"type":"User"}}'


def _part_of_member(member: Member, parts: Collection[str]) -> str:
    whole = {
        "value": encode_body(member.id),
        "$ref": _reference("Users", member.id),
        "display": encode_body(member.user_name),
        "type": '"User"',
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in whole.items() if name in parts) + "}"


def _core_user(person: Person) -> dict[str, Any]:
    everything = {
        "id": person.id,
        "externalId": person.username,
        "active": person.active,
        "name": _filled(
            {
                "formatted": person.formatted_name,
                "familyName": person.family_name,
                "givenName": person.given_name,
                "middleName": person.middle_name,
            }
        ),
        "displayName": person.display_name,
        "nickName": person.nick_name,
        "profileUrl": person.profile_url,
        "title": person.title,
        "userType": person.user_type,
        "preferredLanguage": person.preferred_language,
        "locale": person.locale,
        "timezone": person.timezone,
        "emails": _single(person.email, "work"),
        "phoneNumbers": _single(person.phone_number, "work"),
        "photos": _single(person.photo, "photo"),
        "addresses": _addresses(person.address),
        "roles": _several(person.roles),
        "entitlements": _several(person.entitlements),
    }
    return _filled(everything)


def _user_extensions(person: Person, created: str, modified: str) -> dict[str, Any]:
    enterprise = {name: person.enterprise.get(key, "") for key, name in _ENTERPRISE_NAMES.items()}
    cognito = {
        "username": person.username,
        "status": person.status,
        "emailVerified": person.email_verified,
        "phoneNumberVerified": person.phone_number_verified,
        "createdAt": created,
        "lastModifiedAt": modified,
        "preferredUsername": person.preferred_username,
        "birthdate": person.birthdate,
        "gender": person.gender,
        "website": person.website,
        "updatedAt": person.updated_at,
        "identities": [_identity(identity) for identity in person.identities],
        "customAttributes": [{"name": name, "value": value} for name, value in person.custom_attributes.items()],
    }
    return _filled({ENTERPRISE_USER: _filled(enterprise), COGNITO_USER: _filled(cognito)})


def _group_extension(team: Team) -> dict[str, Any]:
    return _filled(
        {
            "description": team.description,
            "precedence": team.precedence,
            "roleArn": team.role_arn,
            "createdAt": _time(team.created),
            "lastModifiedAt": _time(team.modified),
            "identityProviderGroup": team.provider,
        }
    )


def _identity(identity: Identity) -> dict[str, Any]:
    return _filled(
        {
            "providerName": identity.provider_name,
            "providerType": identity.provider_type,
            "userId": identity.user_id,
            "primary": identity.primary,
        }
    )


def _addresses(address: Address | None) -> list[dict[str, Any]]:
    if address is None:
        return []
    parts = _filled({name: getattr(address, key) for key, name in _ADDRESS_NAMES.items()})
    return [{**parts, "type": "work", "primary": True}] if parts else []


def _single(value: str, kind: str) -> list[dict[str, Any]]:
    return [{"value": value, "type": kind, "primary": True}] if value else []


def _several(values: Iterable[str]) -> list[dict[str, Any]]:
    """Only the first of several values is the primary one (RFC 7643, section 2.4)."""
    return [{"value": value, "primary": True} if not place else {"value": value} for place, value in enumerate(values)]


def _meta(resource_type: str, collection: str, identifier: str, created: str) -> str:
    """Return the beginning of `meta`, which ends where the time of the last change belongs."""
    when = f'"created":"{created}",' if created else ""
    reference = _reference(collection, identifier)
    return f'"meta":{{"resourceType":"{resource_type}",{when}"location":{reference},"lastModified":"'


def _reference(collection: str, identifier: str) -> str:
    """Return the address of a resource as JSON; `BASE` must not be escaped, so it is put in front afterwards."""
    return f'"{BASE}/{collection}/{encode_body(identifier)[1:]}'


def _time(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _filled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty; a False and a zero are values."""
    return {name: value for name, value in members.items() if value or value == 0}
