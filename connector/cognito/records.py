"""From the answers of the Cognito API to records, whatever they leave out (API reference: UserType, GroupType).

A record without a name is still a record: it is the directory that says why one cannot be served (P17).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connector.directory.records import GroupRecord, UserRecord


def user_record(answer: Mapping[str, Any]) -> UserRecord:
    """Return the user that an answer describes."""
    return UserRecord(
        username=answer.get("Username", ""),
        attributes={one["Name"]: one.get("Value", "") for one in answer.get("Attributes", ()) if "Name" in one},
        enabled=answer.get("Enabled", True),
        status=answer.get("UserStatus", ""),
        created=_utc(answer.get("UserCreateDate")),
        modified=_utc(answer.get("UserLastModifiedDate")),
    )


def group_record(answer: Mapping[str, Any]) -> GroupRecord:
    """Return the group that an answer describes."""
    return GroupRecord(
        name=answer.get("GroupName", ""),
        description=answer.get("Description", ""),
        precedence=answer.get("Precedence"),
        role_arn=answer.get("RoleArn", ""),
        created=_utc(answer.get("CreationDate")),
        modified=_utc(answer.get("LastModifiedDate")),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)
