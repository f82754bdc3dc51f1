"""People and teams rendered once, as the text that is served from then on (stored_body.py says how the pieces fit).

The order of the members is fixed and empty values are left out, so that equal people give equal bytes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connector.directory import stored_body
from connector.directory.people import Address, FederatedIdentity, Person, Team
from connector.directory.rows import GroupRow, UserRow
from connector.directory.times import rfc3339
from connector.scim.encoding import encode_body
from connector.scim.urns import COGNITO_GROUP, COGNITO_USER, ENTERPRISE_USER, GROUP, USER

_ENTERPRISE_NAMES = {
    "employee_number": "employeeNumber",
    "cost_center": "costCenter",
    "organization": "organization",
    "division": "division",
    "department": "department",
}
_ADDRESS_NAMES = {
    "formatted": "formatted",
    "street_address": "streetAddress",
    "locality": "locality",
    "region": "region",
    "postal_code": "postalCode",
    "country": "country",
}


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
        opening=stored_body.opening(encode_body(core)),
        closing=stored_body.closing(encode_body(extensions), person.id, created),
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
    return GroupRow(
        id=team.id,
        name=team.name,
        head=stored_body.group_head(encode_body(core), team.id, _time(team.created)),
        mention=stored_body.mention(team.id, team.name),
    )


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


def _identity(identity: FederatedIdentity) -> dict[str, Any]:
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


def _time(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else ""


def _filled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty; a False and a zero are values."""
    return {name: value for name, value in members.items() if value or value == 0}
