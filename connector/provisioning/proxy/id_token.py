"""Read an ID token of a user pool, and believe it only after every check (RFC 7519, section 7.2; RFC 8725).

The checks are those of the Cognito developer guide, "Verifying JSON web tokens": RS256 by `kid`, issuer, audience, use
and time. What is expected is given from outside.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.provisioning.proxy.rs256 import decode_base64url
from connector.provisioning.proxy.signing_keys import SigningKeys

_LONGEST_TOKEN = 32_768
_LEEWAY = 60
"""Seconds by which clocks may differ."""
_SUBJECT = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What a `sub` of Cognito is made of: nothing that a policy would read as a wildcard or the end of a path."""
_PARTS = 3


class TokenRefused(Exception):
    """The token is not one to be believed; says why in a word or two, for the function's log only."""


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """Whom a token speaks of: verified claims only.

    Args:
        subject: `sub`, the user's own for ever.
        username: `cognito:username`.
    """

    subject: str
    username: str


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Verifies the ID tokens of one pool.

    Args:
        issuer: whose tokens these are.
        client_ids: app clients that they may be made for.
        keys: the pool's.
        now: seconds since the epoch.
    """

    issuer: str
    client_ids: frozenset[str]
    keys: SigningKeys
    now: Callable[[], float] = time.time

    def verify(self, token: object) -> TokenSubject:
        """Return whom a token speaks of.

        Raises:
            TokenRefused: it is not a token of this pool, for one of these clients, for this purpose, at this time.
            KeysUnavailable: nobody can tell now.
        """
        if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST_TOKEN:
            raise TokenRefused("no token")
        parts = token.split(".")
        if len(parts) != _PARTS:
            raise TokenRefused("not a signed token")
        try:
            header, claims = (_read_object(decode_base64url(part)) for part in parts[:2])
            signature = decode_base64url(parts[2])
        except (ValueError, RecursionError):
            raise TokenRefused("unreadable") from None
        self._check_signature(header, f"{parts[0]}.{parts[1]}".encode(), signature)
        self._check_purpose(claims)
        self._check_time(claims)
        return _person(claims)

    def _check_signature(self, header: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
        key_id = header.get("kid")
        if header.get("alg") != "RS256" or "crit" in header or not isinstance(key_id, str):
            raise TokenRefused("algorithm")
        key = self.keys.find(key_id)
        if key is None:
            raise TokenRefused("unknown key")
        if not key.verify(signed, signature):
            raise TokenRefused("signature")

    def _check_purpose(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self.issuer:
            raise TokenRefused("issuer")
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self.client_ids:
            raise TokenRefused("audience")
        if claims.get("token_use") != "id":
            raise TokenRefused("token use")

    def _check_time(self, claims: Mapping[str, Any]) -> None:
        now = self.now()
        if not _number(claims, "exp") > now - _LEEWAY:
            raise TokenRefused("expired")
        for name in {"nbf", "iat"} & set(claims):
            if not _number(claims, name) <= now + _LEEWAY:
                raise TokenRefused("not yet valid")


def _person(claims: Mapping[str, Any]) -> TokenSubject:
    subject, username = claims.get("sub"), claims.get("cognito:username")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("subject")
    return TokenSubject(subject, username if isinstance(username, str) and username else subject)


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(name)
    if isinstance(value, float) and not math.isfinite(value):
        raise TokenRefused(name)
    return value


def _read_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object in which no name comes twice: two readers could take two different values."""
    found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - whoever calls hears of one kind of fault
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
