"""People and teams: the directory's own words for what is served as SCIM Users and Groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """One sign-in of a federated user (Cognito attribute `identities`)."""

    provider_name: str
    provider_type: str
    user_id: str
    primary: bool


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address (OpenID Connect Core 5.1.1, claim `address`)."""

    formatted: str = ""
    street_address: str = ""
    locality: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the directory; an empty string means that the attribute is not there.

    `names` are the user names to try in order: the wanted one, the Cognito username, the sub, which is always free.
    `remarks` say what was filled in or left out on the way from the record; they are counted, never served.
    """

    id: str
    username: str
    names: tuple[str, str, str]
    active: bool
    status: str
    family_name: str
    display_name: str
    email: str
    created: datetime | None = None
    modified: datetime | None = None
    email_verified: bool = False
    formatted_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    nick_name: str = ""
    profile_url: str = ""
    title: str = ""
    user_type: str = ""
    preferred_language: str = ""
    locale: str = ""
    timezone: str = ""
    phone_number: str = ""
    phone_number_verified: bool = False
    photo: str = ""
    address: Address | None = None
    roles: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    enterprise: Mapping[str, str] = field(default_factory=dict)
    preferred_username: str = ""
    birthdate: str = ""
    gender: str = ""
    website: str = ""
    updated_at: str = ""
    identities: tuple[FederatedIdentity, ...] = ()
    custom_attributes: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """A group of the directory; `provider` marks one that Cognito made for the users of an identity provider."""

    id: str
    name: str
    description: str = ""
    precedence: int | None = None
    role_arn: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    provider: bool = False
