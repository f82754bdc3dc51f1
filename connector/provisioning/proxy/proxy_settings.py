"""What the function's environment says, and nothing else may: every value that a token or an event is held against."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from connector.directory.pool_names import issuer

SHORTEST_SESSION = 900
"""Seconds; STS gives no shorter session (STS API reference: AssumeRole, DurationSeconds)."""
LONGEST_SESSION = 43_200
_CLIENT_ID = re.compile(r"[\w+]{1,128}", re.ASCII)
_ROLE = re.compile(r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)


class NotConfigured(Exception):
    """A value of the environment is missing or unusable; names it, for the function's log only."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The configuration of the function.

    Args:
        issuer: of the tokens.
        client_ids: app clients whose tokens are taken.
        default_role: the role of a request that names none.
        roles: every role that may be asked for.
        longest_session: seconds.
        secret_id: the secret that holds the access key of the proxy's user.
    """

    issuer: str
    client_ids: frozenset[str]
    default_role: str
    roles: frozenset[str]
    longest_session: int
    secret_id: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return what the environment says.

        Raises:
            NotConfigured: something is missing or unusable.
        """
        default_role = _required(environment, "DEFAULT_ROLE_ARN")
        client_ids = _list(_required(environment, "COGNITO_CLIENT_ID"))
        roles = {default_role, *_list(environment.get("ALLOWED_ROLE_ARNS", ""))}
        if not all(map(_CLIENT_ID.fullmatch, client_ids)):
            raise NotConfigured("COGNITO_CLIENT_ID")
        if not all(map(_ROLE.fullmatch, roles)):
            raise NotConfigured("DEFAULT_ROLE_ARN or ALLOWED_ROLE_ARNS")
        return cls(
            issuer=_issuer(_required(environment, "COGNITO_USER_POOL_ID")),
            client_ids=frozenset(client_ids),
            default_role=default_role,
            roles=frozenset(roles),
            longest_session=_longest_session(environment.get("MAX_DURATION_SECONDS", "") or str(LONGEST_SESSION)),
            secret_id=_required(environment, "PROXY_SECRET_ID"),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise NotConfigured(name)
    return value


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _issuer(pool_id: str) -> str:
    try:
        return issuer(pool_id)
    except ValueError:
        raise NotConfigured("COGNITO_USER_POOL_ID") from None


def _longest_session(text: str) -> int:
    if not (text.isascii() and text.isdigit() and SHORTEST_SESSION <= int(text) <= LONGEST_SESSION):
        raise NotConfigured("MAX_DURATION_SECONDS")
    return int(text)
