"""From what Cognito says to what is served: records become people and teams by configured rules.

A missing attribute never costs a user their place: required names fall back to a template. An attribute that cannot be
served is left out with a remark; only a record without identity is rejected (P17). E-mail addresses are kept verbatim.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from connector.directory.attributes import AttributeReader
from connector.directory.identity import AUTO, group_id, is_provider_group, sign_in_name, user_id
from connector.directory.people import Person, Team
from connector.directory.records import GroupRecord, UserRecord
from connector.errors import RecordRejected

ALL = "all"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """Templates over `{id}`, `{username}` and `{user_name}` for what importers require; an empty one leaves it out.

    `{username}` is Cognito's, which may be generated; `{user_name}` is the sign-in name that people know.

    The domain of the e-mail address is reserved (RFC 2606), so nothing is ever delivered to it; `.invalid` would say
    the same, but common SCIM libraries refuse a whole page for it.
    """

    given_name: str = "{user_name}"
    family_name: str = "{user_name}"
    display_name: str = "{user_name}"
    email: str = "{id}@no-email.example.com"


@dataclass(frozen=True, slots=True)
class Rules:
    """Which Cognito attribute feeds which SCIM attribute; an empty name serves nothing."""

    user_name: str = AUTO
    formatted_name: str = "name"
    given_name: str = "given_name"
    middle_name: str = "middle_name"
    family_name: str = "family_name"
    display_name: str = "name"
    nick_name: str = "nickname"
    profile_url: str = "profile"
    photo: str = "picture"
    email: str = "email"
    phone_number: str = "phone_number"
    address: str = "address"
    locale: str = "locale"
    timezone: str = "zoneinfo"
    preferred_language: str = ""
    title: str = ""
    user_type: str = ""
    roles: str = ""
    entitlements: str = ""
    enterprise: Mapping[str, str] = field(default_factory=dict)
    custom_attributes: str | tuple[str, ...] = ALL
    fallbacks: Fallbacks = Fallbacks()
    provider_groups: bool = True


def describe_rules(rules: Rules) -> dict[str, str]:
    """Return each setting under `mapping` with its value as text, so that two mappings can be compared and shown."""
    described: dict[str, str] = {}
    for name, value in asdict(rules).items():
        parts = {f"{name}.{part}": text for part, text in value.items()} if isinstance(value, dict) else {name: value}
        described |= {key: ", ".join(part) if isinstance(part, tuple) else str(part) for key, part in parts.items()}
    return described


def person_of(record: UserRecord, rules: Rules) -> Person:
    """Return the person that a user record describes.

    Raises:
        RecordRejected: the record has no identity that could be served.
    """
    identifier = user_id(record)
    read = AttributeReader(record)
    if not read.is_servable(record.username):
        raise RecordRejected("the username is missing or holds characters that no JSON reader accepts")
    formatted = read.text(rules.formatted_name)
    given, family = read.names(read.text(rules.given_name), read.text(rules.family_name), formatted)
    whole = " ".join(part for part in (given, family) if part)
    wanted = sign_in_name(record, rules.user_name)
    known = wanted if read.is_servable(wanted) else record.username
    fill = {"id": identifier, "username": record.username, "user_name": known}
    person = Person(
        id=identifier,
        username=record.username,
        names=(known, record.username, identifier),
        active=record.enabled,
        status=read.servable("UserStatus", record.status),
        created=record.created,
        modified=record.modified,
        formatted_name=formatted,
        given_name=given or read.fallback("givenName", rules.fallbacks.given_name, fill),
        middle_name=read.text(rules.middle_name),
        family_name=family or read.fallback("familyName", rules.fallbacks.family_name, fill),
        display_name=read.text(rules.display_name)
        or whole
        or read.fallback("displayName", rules.fallbacks.display_name, fill),
        nick_name=read.text(rules.nick_name),
        profile_url=read.url(rules.profile_url),
        title=read.text(rules.title),
        user_type=read.text(rules.user_type),
        preferred_language=read.text(rules.preferred_language),
        locale=read.text(rules.locale),
        timezone=read.text(rules.timezone),
        email=read.text(rules.email) or read.fallback("email", rules.fallbacks.email, fill),
        email_verified=read.flag("email_verified"),
        phone_number=read.text(rules.phone_number),
        phone_number_verified=read.flag("phone_number_verified"),
        photo=read.url(rules.photo),
        address=read.address(rules.address),
        roles=read.words(rules.roles),
        entitlements=read.words(rules.entitlements),
        enterprise={name: text for name, source in rules.enterprise.items() if (text := read.text(source))},
        preferred_username=read.text("preferred_username"),
        birthdate=read.text("birthdate"),
        gender=read.text("gender"),
        website=read.text("website"),
        updated_at=read.text("updated_at"),
        identities=read.identities(),
        custom_attributes=_custom_attributes(read, rules.custom_attributes),
    )
    return read.remark_on(person)


def _custom_attributes(read: AttributeReader, chosen: str | tuple[str, ...]) -> dict[str, str]:
    names = read.custom_names() if chosen == ALL else () if chosen == NONE else chosen
    return {name: text for name in names if (text := read.text(name))}


def team_of(record: GroupRecord, pool_id: str) -> Team:
    """Return the team that a group record describes.

    Raises:
        RecordRejected: the record has no name or no creation date, so it has no lasting identity.
    """
    if not AttributeReader.is_servable(record.name):
        raise RecordRejected("the group name is missing or holds characters that no JSON reader accepts")
    if record.created is None:
        raise RecordRejected(
            "the group has no creation date that can be read, without which a re-created group cannot be told apart"
        )
    return Team(
        id=group_id(pool_id, record.name, record.created),
        name=record.name,
        description=record.description if AttributeReader.is_servable(record.description) else "",
        precedence=record.precedence,
        role_arn=record.role_arn if AttributeReader.is_servable(record.role_arn) else "",
        created=record.created,
        modified=record.modified,
        provider=is_provider_group(pool_id, record.name),
    )
