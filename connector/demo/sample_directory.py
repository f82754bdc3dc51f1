"""The sample directory: people in many languages, and every kind of account that a user pool comes to hold.

The same numbers give the same people, so that what was shown once can be shown again. Twenty people hold one of each
kind; the kinds are those with which importers have had trouble.
"""

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector.demo.sample_names import CULTURES, Culture, Name
from connector.directory.records import GroupRecord, UserRecord

PROVIDER = "Google"
_SEED = "cognito-scim"
_SUBS = uuid.uuid5(uuid.NAMESPACE_DNS, "sample-directory.example.com")
_FIRST_DAY = datetime(2024, 1, 8, 7, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """A whole directory as Cognito would tell it; `members` holds usernames by group name."""

    users: tuple[UserRecord, ...]
    groups: tuple[GroupRecord, ...]
    members: Mapping[str, tuple[str, ...]]

    @property
    def memberships(self) -> int:
        """How many memberships there are in all groups."""
        return sum(map(len, self.members.values()))


@dataclass(frozen=True, slots=True)
class _AccountTraits:
    """What is special about an account.

    Args:
        sign_in: `name`, `generated` (the username is the sub) or `provider` (it is what the provider calls the user).
        status: Cognito's UserStatus.
        enabled: whether the account may sign in.
        domain: of the e-mail address.
        verified: whether e-mail address and phone number are.
        grouped: whether the account is in any group.
        without: attributes that were never filled in.
    """

    sign_in: str = "name"
    status: str = "CONFIRMED"
    enabled: bool = True
    domain: str = "example.com"
    verified: bool = True
    grouped: bool = True
    without: frozenset[str] = frozenset()


_ORDINARY = _AccountTraits()
_KINDS = {
    2: _AccountTraits(without=frozenset({"phone_number", "phone_number_verified", "address", "zoneinfo", "locale"})),
    3: _AccountTraits(sign_in="provider", status="EXTERNAL_PROVIDER", domain="example.org"),
    5: _AccountTraits(enabled=False),
    7: _AccountTraits(sign_in="generated"),
    8: _AccountTraits(status="UNCONFIRMED", verified=False, grouped=False),
    9: _AccountTraits(status="RESET_REQUIRED"),
    11: _AccountTraits(status="FORCE_CHANGE_PASSWORD"),
    12: _AccountTraits(sign_in="generated", without=frozenset({"email", "email_verified"})),
    13: _AccountTraits(without=frozenset({"name", "family_name"})),
    14: _AccountTraits(grouped=False, domain="partner.example.net"),
    15: _AccountTraits(without=frozenset({"email", "email_verified"})),
    16: _AccountTraits(without=frozenset({"name", "given_name", "family_name", "nickname"})),
    17: _AccountTraits(domain="corp.local"),
    18: _AccountTraits(sign_in="generated", domain="example.org"),
    19: _AccountTraits(sign_in="provider", status="EXTERNAL_PROVIDER", domain="example.org", verified=False),
}
_CYCLE = 20


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: _AccountTraits
    record: UserRecord


@dataclass(frozen=True, slots=True)
class _Draw:
    """The choices that make one person."""

    number: int
    kind: _AccountTraits
    culture: Culture
    given: Name
    family: Name
    department: str
    created: datetime

    @property
    def sub(self) -> str:
        return str(uuid.uuid5(_SUBS, str(self.number)))


DEPARTMENTS = (
    "engineering",
    "sales",
    "support",
    "finance",
    "idp-admin",
    "idp-support",
    "Vertrieb-DACH",
    "équipe-Lyon",
    "東京オフィス",
)
_DESCRIPTIONS = {
    "idp-admin": "Administrators of the identity domain",
    "idp-support": "First line of support for the identity domain",
    "Vertrieb-DACH": "Vertrieb für Deutschland, Österreich und die Schweiz",
    "équipe-Lyon": "L'équipe de Lyon",
    "東京オフィス": "東京オフィスの社員",
}
EVERYBODY = "all-staff"
NOBODY = "auditors"


def sample_directory(*, users: int, groups: int, pool_id: str) -> Sample:
    """Make the directory.

    Args:
        users: how many people, 0 or more.
        groups: how many groups, 1 or more: everybody, the identity provider's, an empty one, then teams.
        pool_id: the pool, which the group of the identity provider is named after.
    """
    entries = _people(users)
    names = _group_names(groups, pool_id)
    members = {name: tuple(_members(name, position, entries, pool_id)) for position, name in enumerate(names)}
    return Sample(
        users=tuple(entry.record for entry in entries),
        groups=tuple(_group(name, position, pool_id) for position, name in enumerate(names)),
        members=members,
    )


def _people(users: int) -> list[_Entry]:
    taken: dict[str, int] = {}
    return [_person(_draw(number), taken) for number in range(users)]


def _draw(number: int) -> _Draw:
    choose = random.Random(f"{_SEED} {number}")  # noqa: S311 - it has to give the same people again, not to keep a secret
    culture = CULTURES[number % len(CULTURES)]
    return _Draw(
        number=number,
        kind=_KINDS.get(number % _CYCLE, _ORDINARY),
        culture=culture,
        given=choose.choice(culture.given),
        family=choose.choice(culture.family),
        department=choose.choice(DEPARTMENTS),
        created=_FIRST_DAY + timedelta(hours=5 * number, milliseconds=choose.randrange(3_600_000)),
    )


def _person(draw: _Draw, taken: dict[str, int]) -> _Entry:
    """Make one person; `taken` counts how often a name was given out, so that no username comes twice."""
    plain = f"{draw.given.latin}.{draw.family.latin}"
    taken[plain] = taken.get(plain, 0) + 1
    local = plain if taken[plain] == 1 else f"{plain}{taken[plain]}"
    username = {"name": local, "generated": draw.sub, "provider": f"{PROVIDER}_{_provider_id(draw)}"}[draw.kind.sign_in]
    attributes = {
        name: value for name, value in _attributes(draw, local).items() if value and name not in draw.kind.without
    }
    record = UserRecord(
        username=username,
        attributes=attributes,
        enabled=draw.kind.enabled,
        status=draw.kind.status,
        created=draw.created,
        modified=draw.created + timedelta(days=draw.number % 90),
    )
    return _Entry(draw.kind, record)


def _attributes(draw: _Draw, local: str) -> dict[str, str]:
    culture, verified = draw.culture, str(draw.kind.verified).lower()
    names = {"given": draw.given.written, "family": draw.family.written}
    return {
        "sub": draw.sub,
        "given_name": names["given"],
        "family_name": names["family"],
        "name": culture.full_name.format(**names),
        "nickname": draw.given.latin.title() if draw.number % 4 == 0 else "",
        "email": f"{local}@{draw.kind.domain}",
        "email_verified": verified,
        "phone_number": f"+{culture.calling_code}555{draw.number:06d}",
        "phone_number_verified": verified,
        "locale": culture.locale,
        "zoneinfo": culture.timezone,
        "address": _address(draw),
        "profile": f"https://people.example.com/{draw.sub}" if draw.number % 3 == 0 else "",
        "identities": _identities(draw) if draw.kind.sign_in == "provider" else "",
        "custom:department": draw.department,
        "custom:employee_id": f"E-{10_000 + draw.number}",
    }


def _address(draw: _Draw) -> str:
    """Return the claim `address` as JSON text (OpenID Connect Core 1.0, section 5.1.1)."""
    postal_code, city = draw.culture.city
    address = {
        "street_address": f"{draw.number % 180 + 1} {draw.family.written}",
        "locality": city,
        "postal_code": postal_code,
        "country": draw.culture.country,
    }
    return json.dumps(address, ensure_ascii=False)


def _identities(draw: _Draw) -> str:
    """Return the attribute `identities` as Cognito writes it for a user who signed in through a provider."""
    identity = {
        "dateCreated": int(draw.created.timestamp() * 1000),
        "userId": _provider_id(draw),
        "providerName": PROVIDER,
        "providerType": PROVIDER,
        "issuer": None,
        "primary": True,
    }
    return json.dumps([identity])


def _provider_id(draw: _Draw) -> str:
    return f"1{uuid.UUID(draw.sub).int % 10**20:020d}"


def _group_names(groups: int, pool_id: str) -> tuple[str, ...]:
    named = (EVERYBODY, f"{pool_id}_{PROVIDER}", NOBODY, *DEPARTMENTS)
    projects = (f"project-{number:03d}" for number in range(1, groups - len(named) + 1))
    return (*named, *projects)[:groups]


def _members(name: str, position: int, entries: list[_Entry], pool_id: str) -> list[str]:
    """Return the usernames of a group: a project takes every seventh person, beginning somewhere else each time."""
    grouped = [entry for entry in entries if entry.kind.grouped]
    if name == NOBODY:
        chosen = []
    elif name == EVERYBODY:
        chosen = grouped
    elif name == f"{pool_id}_{PROVIDER}":
        chosen = [entry for entry in grouped if entry.kind.sign_in == "provider"]
    elif name in DEPARTMENTS:
        chosen = [entry for entry in grouped if entry.record.attributes["custom:department"] == name]
    else:
        chosen = grouped[position % 7 :: 7]
    return [entry.record.username for entry in chosen]


def _group(name: str, position: int, pool_id: str) -> GroupRecord:
    created = _FIRST_DAY + timedelta(days=position, milliseconds=137 * position)
    is_provider = name.startswith(f"{pool_id}_")
    return GroupRecord(
        name=name,
        description=f"Autogenerated group for users who sign in using {PROVIDER}"
        if is_provider
        else _DESCRIPTIONS.get(name, ""),
        precedence=None if is_provider else position,
        role_arn="arn:aws:iam::123456789012:role/IdentityDomainAdministrator" if name == "idp-admin" else "",
        created=created,
        modified=created,
    )
