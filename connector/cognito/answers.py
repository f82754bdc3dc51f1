"""From the answers of the Cognito API to records, whatever they leave out (API reference: UserType, GroupType).

A record without a name is still a record: it is the directory that says why one cannot be served (P17).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp

from connector.directory.records import GroupRecord, UserRecord

_TIMES = ("UserCreateDate", "UserLastModifiedDate")
_LONGEST_NAME = 64


def user_record(answer: Any) -> UserRecord:
    """Return the user that an answer describes; what is of another type than AWS gives it is named as unread.

    Emulators send numbers, truth values and lists where AWS sends text.
    """
    if not isinstance(answer, dict):
        answer = {}
    attributes, unread = _read_attributes(answer.get("Attributes"))
    username, status = (_text(answer, name, unread) for name in ("Username", "UserStatus"))
    created, modified = (_utc(answer.get(name)) for name in _TIMES)
    enabled = answer.get("Enabled", True)
    if enabled is not True and enabled is not False:
        enabled = _truth(enabled, unread)
    if created is None or modified is None:
        unread += _unread_times(answer, created, modified)
    return UserRecord(username, attributes, enabled, status, created, modified, tuple(unread))


def _read_attributes(listed: Any) -> tuple[dict[str, str], list[str]]:
    """Return the attributes of a user, and the names of those whose values are not text.

    One with a name that Cognito allows nobody (AttributeNameType) is not an attribute, and its name is not repeated.
    """
    attributes: dict[str, str] = {}
    unread: list[str] = []
    if listed is not None and not isinstance(listed, list):
        return attributes, ["Attributes"]
    for one in listed or ():
        name, value = (one.get("Name") or "", one.get("Value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not name.isprintable() or len(name) > _LONGEST_NAME:
            unread.append("Attributes")
        elif value is None or isinstance(value, str):
            if name:
                attributes[name] = value or ""
        else:
            unread.append(name)
    return attributes, unread


def _text(answer: Mapping[str, Any], name: str, unread: list[str]) -> str:
    value = answer.get(name) or ""
    if isinstance(value, str):
        return value
    unread.append(name)
    return ""


def _truth(value: Any, unread: list[str]) -> bool:
    """Read a truth value that is none: who may be disabled is not active."""
    if value is None:
        return True
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    unread.append("Enabled")
    return False


def _unread_times(answer: Mapping[str, Any], *times: datetime | None) -> list[str]:
    """Name the times that are there but are none."""
    return [name for name, time in zip(_TIMES, times, strict=True) if time is None and answer.get(name) is not None]


def user_sub(answer: Any) -> str:
    """Return only the `sub` of a user, empty if there is none."""
    listed = answer.get("Attributes") if isinstance(answer, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("Name") == "sub":
            value = one.get("Value")
            return value if isinstance(value, str) else ""
    return ""


def group_record(answer: Any) -> GroupRecord:
    """Return the group that an answer describes; what is of another type than AWS gives it counts as left out."""
    if not isinstance(answer, dict):
        answer = {}
    precedence = answer.get("Precedence")
    name, description, role_arn = (_text(answer, name, []) for name in ("GroupName", "Description", "RoleArn"))
    return GroupRecord(
        name=name,
        description=description,
        precedence=precedence if type(precedence) is int else None,
        role_arn=role_arn,
        created=_utc(answer.get("CreationDate")),
        modified=_utc(answer.get("LastModifiedDate")),
    )


def _utc(moment: Any) -> datetime | None:
    """Read a time: seconds since 1970, unless somebody before AWS writes it in one of the other ways of its APIs.

    Returns:
        None where there is none that could be read.
    """
    if moment is None or isinstance(moment, bool):
        return None
    try:
        if isinstance(moment, float | int):
            return datetime.fromtimestamp(moment, UTC)
        return parse_timestamp(moment).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, AttributeError):  # parse_timestamp takes anything for a time
        return None
