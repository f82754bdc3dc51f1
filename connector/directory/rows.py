"""Rows: people and teams rendered once, ready to be staged, compared, published and served as they are.

A body is staged as text around the two things that only the whole directory can settle, the user name and the groups,
and stops short of the time of its last change, which publishing adds. JSON text never holds a raw control character
(RFC 8259, section 7), so `BASE` and `EDITION` cannot come from the directory; they stand for the public base URL and
for the edition of all bodies until one is served.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

BASE = "\x02"
EDITION = "\x03"

StoredRow = tuple[str, str, str]
"""A published resource as it is read: its id, the time of its last change, its body."""


class Kind(StrEnum):
    """The two kinds of resources, named as their collections are."""

    USERS = "users"
    GROUPS = "groups"


def normalize(text: str) -> str:
    """The form under which exact text is compared: NFC (RFC 7643, section 7, caseExact true)."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The form under which names are compared: NFC and lower case (RFC 7643, section 7, caseExact false)."""
    return normalize(normalize(text).lower())


def ending(modified: str) -> str:
    """Return how a body ends that was last changed at a time: with the time, and the version that it makes."""
    return f'{modified}","version":"W/\\"{modified}-{EDITION}\\""}}}}'


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user, rendered: `opening` + user name as JSON + `groups` + `closing` + what `ending` returns."""

    id: str
    external_id: str
    names: tuple[str, str, str]
    display_name: str
    email: str
    active: bool
    created: str
    modified: str
    opening: str
    closing: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group, rendered: `head` + `ending`; its members, who show its `mention`, go before the last bracket."""

    id: str
    name: str
    head: str
    mention: str
