"""Rows: people and teams rendered once, ready to be staged, compared, published and served as they are."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

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
    """The form under which text is compared without case, which folding again leaves as it is.

    NFC around Unicode's full case folding (RFC 7643, section 7, caseExact false; Unicode, D145): the
    two small sigmas are equal, and so are `GROSS` and `groß`.
    """
    return normalize(normalize(text).casefold())


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user, rendered; `stored_body` says how `opening` and `closing` become a body."""

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
    """A group, rendered; `stored_body` says how `head` and `mention` are used."""

    id: str
    name: str
    head: str
    mention: str
