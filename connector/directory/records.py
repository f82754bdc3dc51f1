"""What Cognito says of a user or a group, before anything is made of it (API reference: UserType, GroupType)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One user as ListUsers and ListUsersInGroup return it; what Cognito left out is empty or None.

    `unread` names what was there but could not be read, so it is empty or None as well.
    """

    username: str
    attributes: Mapping[str, str]
    enabled: bool = True
    status: str = "CONFIRMED"
    created: datetime | None = None
    modified: datetime | None = None
    unread: tuple[str, ...] = ()

    @property
    def sub(self) -> str:
        """The immutable identifier of the user; empty when the record has none."""
        return self.attributes.get("sub", "")


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """One group as ListGroups and GetGroup return it."""

    name: str
    description: str = ""
    precedence: int | None = None
    role_arn: str = ""
    created: datetime | None = None
    modified: datetime | None = None
