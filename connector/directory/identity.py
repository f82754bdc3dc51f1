"""Who is who: identifiers that never change hands, and the user name that people know.

A user's id is Cognito's `sub`; a group's id is derived from what makes it that group, so that one deleted and made
again is a new group (P15). Importers link accounts by userName, so it never comes from what users can write themselves
unless the configuration says so (P19).
"""

import json
import re
import uuid
from datetime import datetime

from connector.directory.records import UserRecord
from connector.errors import RecordRejected

AUTO = "auto"
_GROUPS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ietf:params:scim:schemas:extension:cognito:2.0:Group")
_URL_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


def user_id(record: UserRecord) -> str:
    """Return the `sub`, which must be safe in a URL.

    Raises:
        RecordRejected: there is no usable sub.
    """
    if not _URL_SAFE.fullmatch(record.sub):
        raise RecordRejected("the attribute sub is missing or not safe in a URL")
    return record.sub


def group_id(pool_id: str, name: str, created: datetime) -> str:
    """Return the UUIDv5 of pool, name and creation date in milliseconds (RFC 9562, section 5.5)."""
    made = json.dumps([pool_id, name, round(created.timestamp() * 1000)])
    return str(uuid.uuid5(_GROUPS, made))


def is_federated(record: UserRecord) -> bool:
    """Tell whether the username was generated for a sign-in through an identity provider (`Google_1234`)."""
    return record.status == "EXTERNAL_PROVIDER" and "_" in record.username


def is_provider_group(pool_id: str, name: str) -> bool:
    """Tell whether Cognito made this group for the users of an identity provider (`<pool id>_Google`)."""
    return name.startswith(f"{pool_id}_")


def sign_in_name(record: UserRecord, source: str) -> str:
    """Return the user name that people know.

    Args:
        record: the user.
        source: `auto`, or the attribute that the configuration names.
    """
    if source == AUTO:
        return _known_name(record)
    return {"username": record.username, **record.attributes}.get(source, "") or record.username


def _known_name(record: UserRecord) -> str:
    generated = record.username == record.sub or is_federated(record)
    if not generated:
        return record.username
    for attribute in ("email", "phone_number"):
        if record.attributes.get(attribute) and record.attributes.get(f"{attribute}_verified") == "true":
            return record.attributes[attribute]
    return record.username
