"""Read a message of the change feed: who may have changed, said by CloudTrail over EventBridge, or by a trigger.

What a message says is never published; it only names whom to read again (P40). AWS publishes no sample of a user pool's
management event, so every field may be absent, hidden or of another type; where each was seen stands beside it. Nobody
can be sure who sent a message, so one that cannot be read, or is about somebody else's pool, is counted and deleted.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connector.directory.hints import Hint

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in place of a value that nobody should see."""

LONGEST_MESSAGE = 1_048_576
"""Bytes of a message at most (SQS quotas); what is longer never came from there."""

LONGEST_GROUP_NAME = 128
"""Characters of a group's name at most, each a letter, mark, symbol, number or punctuation (Cognito: GroupNameType)."""

_SUB = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SOURCE = "cognito-idp.amazonaws.com"

OF_USERS = frozenset(
    {
        # By an administrator: aed.sub, captured 2022 and 2026 for attributes, read so by others for the rest.
        *("AdminConfirmSignUp", "AdminCreateUser", "AdminDeleteUser", "AdminDeleteUserAttributes", "AdminDisableUser"),
        *("AdminEnableUser", "AdminResetUserPassword", "AdminSetUserPassword", "AdminUpdateUserAttributes"),
        # By the user, with an access token: the pool in aed.userPoolId.
        *("DeleteUser", "DeleteUserAttributes", "UpdateUserAttributes", "VerifyUserAttribute"),
        # By anybody, through an app client: the pool may be missing, since the call names the client only.
        *("ConfirmForgotPassword", "ConfirmSignUp", "SignUp"),
        # Endpoints of the hosted pages ("Understanding Amazon Cognito entries"), whose values are lists.
        *("Confirm_POST", "ForgotPassword_POST", "ConfirmForgotPassword_POST", "ResetPassword_POST"),
    }
)
"""Operations after which one user is another."""

OF_MEMBERSHIPS = frozenset({"AdminAddUserToGroup", "AdminRemoveUserFromGroup"})
"""Operations after which one user is in another group; the group's name is clear."""

OF_GROUPS = frozenset({"CreateGroup", "DeleteGroup", "UpdateGroup"})
"""Operations after which one group is another."""

SIGN_INS = frozenset(
    {"AdminInitiateAuth", "AdminRespondToAuthChallenge", "InitiateAuth", "RespondToAuthChallenge", "Token_POST"}
)
"""What mostly changes nobody, so that one which names nobody asks for nothing."""

OF_THE_POOL: Mapping[str, str] = {
    "AddCustomAttributes": "The pool's schema was changed.",
    "CreateIdentityProvider": "An identity provider of the pool was changed.",
    "CreateUserImportJob": "Users were imported.",
    "DeleteIdentityProvider": "An identity provider of the pool was changed.",
    "InitiatePointInTimeRecovery": "The pool was brought back to an earlier time.",
    "StartPointInTimeRecovery": "The pool was brought back to an earlier time.",
    "StartUserImportJob": "Users were imported.",
    "StopUserImportJob": "Users were imported.",
    "UpdateIdentityProvider": "An identity provider of the pool was changed.",
    "UpdateUserPool": "The pool's settings were changed.",
}
"""Operations after which anybody may be another, and why a full sync is due then."""

OF_NOBODY_NAMED = frozenset(
    {"AdminDisableProviderForUser", "AdminLinkProviderForUser", "SAML2Response_POST", "Signup_POST"}
)
"""Operations after which somebody is another whom the event does not name."""

OF_SOMEBODY = OF_USERS | OF_MEMBERSHIPS | OF_GROUPS | SIGN_INS | OF_NOBODY_NAMED

POOL_DELETED = "The user pool was deleted."
NAMED_NOBODY = "An event did not say who was changed."
INCOMPLETE = "CloudTrail reported that events came late or were missing."


class Reading(StrEnum):
    """What a message turned out to be."""

    HINT = "hint"
    PULSE = "pulse"
    OTHER_POOL = "of another pool"
    FAILED_CALL = "of a call that failed"
    UNLISTED = "of an operation that changes nobody"
    NONSENSE = "not understood"


@dataclass(frozen=True, slots=True)
class Watched:
    """The pool whose changes are wanted.

    Args:
        user_pool_id: the pool.
        account: the AWS account that holds it.
        region: where it is.
    """

    user_pool_id: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was read."""

    reading: Reading
    hint: Hint = field(default_factory=Hint)


def read_message(body: str, watched: Watched) -> Message:
    """Return what a message says; no body whatever raises.

    Args:
        body: of the message, by anybody.
        watched: whose changes are wanted.
    """
    if len(body) > LONGEST_MESSAGE:
        return Message(Reading.NONSENSE)
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return Message(Reading.NONSENSE)
    if not isinstance(event, dict):
        return Message(Reading.NONSENSE)
    if _text(event, "detail-type") == "Scheduled Event" and _text(event, "source") == "aws.events":
        return Message(Reading.PULSE, Hint(pulse=True)) if _is_ours(event, {}, watched) else Message(Reading.OTHER_POOL)
    if "detail" not in event:
        return _read_trigger(event, watched)
    return _read_event(event, _part(event, "detail"), watched)


def _read_trigger(event: Mapping[str, Any], watched: Watched) -> Message:
    """Return what the trigger function sent: the sub of somebody who signed up or in, and the pool."""
    sub = _sub(event.get("sub"))
    if not sub:
        return Message(Reading.NONSENSE)
    if event.get("userPoolId") not in (None, watched.user_pool_id):
        return Message(Reading.OTHER_POOL)
    return Message(Reading.HINT, Hint(users=(sub,)))


def _read_event(event: Mapping[str, Any], detail: Mapping[str, Any], watched: Watched) -> Message:
    # The detail-type differs from one partition's pages to another's, so the event's own source decides.
    if _text(detail, "eventSource") != _SOURCE:
        return Message(Reading.NONSENSE)
    if not _is_ours(event, detail, watched):
        return Message(Reading.OTHER_POOL)
    name = _text(detail, "eventName")
    if detail.get("errorCode") not in (None, ""):  # endpoint events carry an empty one on success
        return Message(Reading.FAILED_CALL)
    hint = _hint(name, detail)
    if hint is None:
        return Message(Reading.UNLISTED)
    return Message(Reading.HINT, hint)


def _hint(name: str, detail: Mapping[str, Any]) -> Hint | None:
    """Return what a successful operation on our pool says, None where it changes nobody."""
    outage = (INCOMPLETE,) if _text(_part(detail, "addendum"), "reason") == "SERVICE_OUTAGE" else ()
    if name == "DeleteUserPool":
        return Hint(full_sync=outage, stop=POOL_DELETED)
    if name in OF_THE_POOL:
        return Hint(full_sync=(OF_THE_POOL[name], *outage))
    if name not in OF_SOMEBODY:
        return Hint(full_sync=outage) if outage else None
    # After a change of a membership the user is read, with all of its groups; the group only where nobody is named.
    sub = "" if name in OF_GROUPS else _named_user(detail)
    group = "" if sub or name not in OF_GROUPS | OF_MEMBERSHIPS else _named_group(detail)
    if not sub and not group and name not in SIGN_INS:
        return Hint(full_sync=(NAMED_NOBODY, *outage))
    return Hint(users=(sub,) if sub else (), groups=(group,) if group else (), full_sync=outage)


def _is_ours(event: Mapping[str, Any], detail: Mapping[str, Any], watched: Watched) -> bool:
    """Tell whether an event can be about the watched pool; what it does not say does not speak against it.

    A call through an app client or with an access token has no requestParameters.userPoolId; the rule has no other way
    to sort those out either. That costs calls, never truth.
    """
    parameters, more = _part(detail, "requestParameters"), _part(detail, "additionalEventData")
    said = {
        watched.user_pool_id: (parameters.get("userPoolId"), more.get("userPoolId")),
        watched.account: (event.get("account"), detail.get("recipientAccountId")),
        watched.region: (event.get("region"), detail.get("awsRegion")),
    }
    return all(_single(value) in ("", wanted) for wanted, values in said.items() for value in values)


def _named_user(detail: Mapping[str, Any]) -> str:
    """Return the sub that an event names, empty where it names none.

    A user name counts only if it is a UUID: it is mostly hidden, and what is shown may be anything.
    """
    parameters, more = _part(detail, "requestParameters"), _part(detail, "additionalEventData")
    of_endpoint, answer = _part(more, "requestParameters"), _part(detail, "responseElements")
    places = (
        more.get("sub"),
        of_endpoint.get("sub"),
        answer.get("userSub"),
        _part(answer, "user").get("username"),
        parameters.get("username"),
    )
    return next((sub for sub in map(_sub, places) if sub), "")


def _named_group(detail: Mapping[str, Any]) -> str:
    name = _single(_part(detail, "requestParameters").get("groupName"))
    is_one = 0 < len(name) <= LONGEST_GROUP_NAME and all(unicodedata.category(sign)[0] in "LMSNP" for sign in name)
    return name if is_one and name != HIDDEN else ""


def _sub(value: Any) -> str:
    text = _single(value)
    return text.lower() if _SUB.fullmatch(text) else ""


def _single(value: Any) -> str:
    """Return a text, also one that stands alone in a list as endpoints have them; else the empty one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = of.get(name)
    return part if isinstance(part, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    return _single(of.get(name))
