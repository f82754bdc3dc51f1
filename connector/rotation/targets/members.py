"""Who the names of an allow-list are: a group of the pool stands for its members, any other name for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from connector.errors import ConnectorError, RotationDenied, TargetUnavailable
from connector.rotation.aws.errors import AwsCall, aws_error_code, aws_error_says, rotation_faults
from connector.rotation.engine.backoff import Backoff

if TYPE_CHECKING:  # the stubs are there for the type checker only
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_UNTOLD = "Whether {names} are groups may not be told (cognito-idp:ListUsersInGroup), so they are taken for users."


@dataclass(frozen=True, slots=True)
class Members:
    """The users that an allow-list stands for.

    Args:
        names: their names, each once.
        faults: why a name that may be a group's could not be told from a user's, by the name.
        notes: what a person should know, a sentence each.
    """

    names: tuple[str, ...]
    faults: dict[str, ConnectorError]
    notes: tuple[str, ...] = ()


def find_members(
    cognito: "CognitoIdentityProviderClient", pool_id: str, names: Sequence[str], *, backoff: Backoff = Backoff()
) -> Members:
    """Return the users behind some names; a name that cannot be told stops no other.

    Args:
        cognito: made by `AwsDoor`.
        pool_id: the user pool.
        names: of users and groups.
        backoff: how long one call is tried.
    """
    directory = _Groups(cognito, pool_id, backoff)
    found: dict[str, None] = {}
    faults: dict[str, ConnectorError] = {}
    untold: list[str] = []
    for name in names:
        try:
            members = directory.members(name)
        except RotationDenied:
            members, untold = None, [*untold, name]
        except ConnectorError as fault:
            faults[name] = fault
            continue
        found.update(dict.fromkeys([name] if members is None else members))
    notes = (_UNTOLD.format(names=", ".join(map(repr, untold))),) if untold else ()
    return Members(tuple(found), faults, notes)


class _Groups:
    """Reads the members of groups."""

    def __init__(self, cognito: "CognitoIdentityProviderClient", pool_id: str, backoff: Backoff) -> None:
        self._cognito = cognito
        self._pool_id = pool_id
        self._backoff = backoff

    def members(self, group: str) -> list[str] | None:
        """Return the names of a group's members, None if there is no such group."""
        request = {"UserPoolId": self._pool_id, "GroupName": group}
        members: list[str] = []
        seen: set[str] = set()
        while page := self._ask(group, request):
            members += [user["Username"] for user in page.get("Users", []) if "Username" in user]
            token = page.get("NextToken")
            if not token:
                return members
            if token in seen:
                raise TargetUnavailable(
                    f"AWS gave the same page of the group {group!r} again and again.", remedy="Try again later."
                )
            seen.add(token)
            request["NextToken"] = token
        return None

    def _ask(self, group: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return a page, None if there is no such group; a call that changes nothing may be repeated."""
        fault: TargetUnavailable
        for _ in self._backoff.attempts():
            try:
                with rotation_faults(AwsCall("cognito-idp:ListUsersInGroup", f"group {group!r}")):
                    return self._send(request)
            except TargetUnavailable as error:
                fault = error
        raise fault

    def _send(self, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return dict(self._cognito.list_users_in_group(**request))
        except ClientError as error:
            if aws_error_code(error) == "ResourceNotFoundException" and not aws_error_says(error, "user pool"):
                return None
            raise
