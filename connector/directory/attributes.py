"""Reading the attributes of one user record, with a remark for each that had to be filled in or left out.

Standard attributes are those of OpenID Connect Core 5.1; `address` and `identities` hold JSON.
"""

import dataclasses
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from connector.directory.people import Address, FederatedIdentity, Person
from connector.directory.records import UserRecord

_CUSTOM = ("custom:", "dev:custom:")
_UNSERVABLE = re.compile("[\0\ud800-\udfff]")
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "esq", "phd", "ph.d", "md", "m.d"})
"""What follows a comma without being a given name: `Martin King, Jr.`"""


class AttributeReader:
    """Reads one record; every reader method returns an empty value for what is not there or cannot be served."""

    def __init__(self, record: UserRecord) -> None:
        self._attributes = record.attributes
        self._remarks: list[str] = []
        for name in record.unread:
            self._leave_out(name)

    @staticmethod
    def is_servable(text: str) -> bool:
        """Tell whether text is there and every reader and database takes it: no NUL, no lone surrogate."""
        return bool(text.strip()) and not _UNSERVABLE.search(text)

    def text(self, name: str) -> str:
        """Return an attribute as it is."""
        value = self._attributes.get(name) if name else None
        return self.servable(name, value) if value else ""

    def servable(self, name: str, value: str) -> str:
        """Return a value as it is, if it can be served; what stands beside the attributes is text of others too."""
        if not value or self.is_servable(value):
            return value
        if value.strip():
            self._leave_out(name)
        return ""

    def flag(self, name: str) -> bool:
        """Return an attribute that Cognito writes as `true` or `false`."""
        return self.text(name) == "true"

    def words(self, name: str) -> tuple[str, ...]:
        """Return the values of an attribute that lists several, separated by commas."""
        return tuple(dict.fromkeys(word.strip() for word in self.text(name).split(",") if word.strip()))

    def url(self, name: str) -> str:
        """Return an attribute that is a web address; readers refuse a user with any other reference."""
        value = self.text(name)
        if not value or _is_web_address(value):
            return value
        return self._leave_out(name)

    def address(self, name: str) -> Address | None:
        """Return the postal address, given as the JSON of OpenID Connect Core 5.1.1 or as plain text."""
        value = self.text(name)
        if not value:
            return None
        parts = _load_json(value)
        if not isinstance(parts, dict):
            return Address(formatted=value)
        known = {field.name for field in dataclasses.fields(Address)}
        return Address(**{key: text for key, text in parts.items() if key in known and self._is_text(text)})

    def identities(self) -> tuple[FederatedIdentity, ...]:
        """Return the sign-ins through identity providers that are linked to the user."""
        value = self.text("identities")
        if not value:
            return ()
        linked = _load_json(value)
        if not isinstance(linked, list) or not all(isinstance(entry, dict) for entry in linked):
            self._leave_out("identities")
            return ()
        return tuple(_identity(entry) for entry in linked)

    def custom_names(self) -> Iterable[str]:
        """Return the names of all custom attributes, in order."""
        return sorted(name for name in self._attributes if name.startswith(_CUSTOM))

    def names(self, given: str, family: str, whole: str) -> tuple[str, str]:
        """Return given and family name; what is missing is taken from the whole name, if there is one."""
        if not whole or (given and family):
            return given, family
        first, last = _split_name(whole, given, family)
        self._remarks += [
            f"{attribute} taken from the whole name"
            for attribute, known in (("givenName", given), ("familyName", family))
            if not known
        ]
        return given or first, family or last

    def fallback(self, attribute: str, template: str, values: dict[str, str]) -> str:
        """Return what stands in for a SCIM attribute that the record does not have."""
        if not template:
            return ""
        self._remarks.append(f"{attribute} filled in")
        return template.format_map(values)

    def remark_on(self, person: Person) -> Person:
        """Return the person with the remarks gathered while reading."""
        return dataclasses.replace(person, remarks=tuple(dict.fromkeys(self._remarks))) if self._remarks else person

    def _leave_out(self, name: str) -> str:
        self._remarks.append(f"attribute {name} left out")
        return ""

    def _is_text(self, value: Any) -> bool:
        return isinstance(value, str) and self.is_servable(value)


def _split_name(whole: str, given: str, family: str) -> tuple[str, str]:
    """Return what a whole name says of its two parts: `Ann Mary Lee`, or `Lee, Ann Mary`; one word is both."""
    before, _, after = (part.strip() for part in whole.partition(","))
    if before and after.lower().rstrip(".") in _SUFFIXES:
        whole = before
    elif before and after:
        return after, before
    words = whole.split()
    whole = " ".join(words)
    if family and whole.endswith(f" {family}"):
        return whole.removesuffix(family).strip(), family
    if given and whole.startswith(f"{given} "):
        return given, whole.removeprefix(given).strip()
    return " ".join(words[:-1]) or words[-1], words[-1]


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not any(sign <= " " for sign in value)


def _load_json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _identity(entry: dict[str, Any]) -> FederatedIdentity:
    def text(key: str) -> str:
        value = str(entry.get(key) or "")
        return value if AttributeReader.is_servable(value) else ""

    return FederatedIdentity(
        provider_name=text("providerName"),
        provider_type=text("providerType"),
        user_id=text("userId"),
        primary=str(entry.get("primary")).lower() == "true",
    )
