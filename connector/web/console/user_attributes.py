"""The attributes of a user as a person reads them: each with its value and the Cognito attribute that it comes from.

Which feeds which, the configuration says (`mapping.*`); what no Cognito attribute gave, a fallback may have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.scim.urns import COGNITO_USER, ENTERPRISE_USER

_FALLBACKS = {"given_name", "family_name", "display_name", "email"}
_PLACES: tuple[tuple[str, str, tuple[str | int, ...]], ...] = (
    ("userName", "user_name", ("userName",)),
    ("displayName", "display_name", ("displayName",)),
    ("name.formatted", "formatted_name", ("name", "formatted")),
    ("name.givenName", "given_name", ("name", "givenName")),
    ("name.middleName", "middle_name", ("name", "middleName")),
    ("name.familyName", "family_name", ("name", "familyName")),
    ("nickName", "nick_name", ("nickName",)),
    ("emails.value", "email", ("emails", 0, "value")),
    ("phoneNumbers.value", "phone_number", ("phoneNumbers", 0, "value")),
    ("title", "title", ("title",)),
    ("userType", "user_type", ("userType",)),
    ("locale", "locale", ("locale",)),
    ("timezone", "timezone", ("timezone",)),
    ("preferredLanguage", "preferred_language", ("preferredLanguage",)),
    ("profileUrl", "profile_url", ("profileUrl",)),
    ("photos.value", "photo", ("photos", 0, "value")),
    ("addresses.formatted", "address", ("addresses", 0, "formatted")),
    ("roles", "roles", ("roles",)),
    ("entitlements", "entitlements", ("entitlements",)),
    ("employeeNumber", "enterprise.employee_number", (ENTERPRISE_USER, "employeeNumber")),
    ("costCenter", "enterprise.cost_center", (ENTERPRISE_USER, "costCenter")),
    ("organization", "enterprise.organization", (ENTERPRISE_USER, "organization")),
    ("division", "enterprise.division", (ENTERPRISE_USER, "division")),
    ("department", "enterprise.department", (ENTERPRISE_USER, "department")),
)
"""Each attribute, the key under `mapping` that says what feeds it, and where it stands in the SCIM resource."""

_FACTS = (
    ("username", "Username"),
    ("status", "Status"),
    ("emailVerified", "E-mail verified"),
    ("phoneNumberVerified", "Phone number verified"),
    ("createdAt", "Created"),
    ("lastModifiedAt", "Last modified"),
    ("preferredUsername", "Preferred username"),
    ("birthdate", "Birthdate"),
    ("gender", "Gender"),
    ("website", "Website"),
    ("updatedAt", "Updated"),
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a user.

    Args:
        name: in SCIM.
        value: as text.
        source: the Cognito attribute that feeds it, empty where none does.
        is_filled_in: whether a fallback stands in.
    """

    name: str
    value: str
    source: str
    is_filled_in: bool = False


def attributes_of(resource: Mapping[str, Any], sources: Mapping[str, str]) -> list[Attribute]:
    """Return the attributes that a user has or could have by the mapping.

    Args:
        resource: the SCIM resource.
        sources: the Cognito attribute by the key under `mapping`, as the configuration shows it.
    """
    found = []
    cognito = resource.get(COGNITO_USER, {})
    for name, key, path in _PLACES:
        value, source = _as_text(_at(resource, path)), sources.get(key, "").strip('"')
        if not value and not source:
            continue
        fallback = sources.get(f"fallbacks.{key}", "").strip('"') if key in _FALLBACKS else ""
        filled = fallback.replace("{username}", str(cognito.get("username", ""))).replace("{id}", str(resource["id"]))
        found.append(Attribute(name, value, source, is_filled_in=bool(fallback) and value == filled))
    return found


def facts_of(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what Cognito says of a user beside the attributes, each with its name."""
    cognito = resource.get(COGNITO_USER, {})
    for name, label in _FACTS:
        if name in cognito:
            yield label, cognito[name]
    for identity in cognito.get("identities", []):
        yield "Signs in with", " ".join(str(identity.get(part, "")) for part in ("providerName", "userId"))
    for custom in cognito.get("customAttributes", []):
        yield str(custom.get("name", "")), custom.get("value", "")


def _at(resource: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            resource = resource[step]
        except (KeyError, IndexError):
            return None
    return resource


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one.get("value", "")) for one in value)
    return "" if value is None else str(value)
