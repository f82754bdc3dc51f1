"""From the answers of the Cognito API to records, whatever they leave out (API reference: UserType, GroupType).

A record without a name is still a record: it is the directory that says why one cannot be served (P17).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp

from connector.directory.records import GroupRecord, UserRecord

_TIMES = ("UserCreateDate", "UserLastModifiedDate")


def user_record(answer: Mapping[str, Any]) -> UserRecord:
    """Return the user that an answer describes."""
    created, modified = (_utc(answer.get(name)) for name in _TIMES)
    return UserRecord(
        username=answer.get("Username") or "",
        attributes={one["Name"]: one.get("Value") or "" for one in answer.get("Attributes") or () if one.get("Name")},
        enabled=answer.get("Enabled") is not False,
        status=answer.get("UserStatus") or "",
        created=created,
        modified=modified,
        unread=() if created and modified else _unread(answer, created, modified),
    )


def _unread(answer: Mapping[str, Any], *times: datetime | None) -> tuple[str, ...]:
    """Name the times that are there but are none."""
    return tuple(
        name for name, time in zip(_TIMES, times, strict=True) if time is None and answer.get(name) is not None
    )


def user_sub(answer: Mapping[str, Any]) -> str:
    """Return only the `sub` of a user, empty if there is none."""
    for one in answer.get("Attributes") or ():
        if one.get("Name") == "sub":
            return one.get("Value") or ""
    return ""


def group_record(answer: Mapping[str, Any]) -> GroupRecord:
    """Return the group that an answer describes."""
    return GroupRecord(
        name=answer.get("GroupName") or "",
        description=answer.get("Description") or "",
        precedence=answer.get("Precedence"),
        role_arn=answer.get("RoleArn") or "",
        created=_utc(answer.get("CreationDate")),
        modified=_utc(answer.get("LastModifiedDate")),
    )


def _utc(moment: float | str | None) -> datetime | None:
    """Read a time: seconds since 1970, unless somebody before AWS writes it in one of the other ways of its APIs.

    Returns:
        None where there is none that could be read.
    """
    if moment is None:
        return None
    try:
        if isinstance(moment, float | int):
            return datetime.fromtimestamp(moment, UTC)
        return parse_timestamp(moment).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, AttributeError):  # parse_timestamp takes anything for a time
        return None
