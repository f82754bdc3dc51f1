"""The JSON that a secret holds about one account, in the shape of the Cognito guides or in the fuller one.

Only `password` ever changes; every other key, known here or not, goes from version to version as it is.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeVar

from connector.errors import VaultUnfit
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import FLOW_CHOICES, Flow, read_flows

_REMEDY = "Store a JSON object with the texts clientid, username and password."
Choice = TypeVar("Choice", bound=StrEnum)
_CLIENT_ID = ("clientid", "clientId", "client_id")


class Mode(StrEnum):
    """Which way the password is set."""

    ADMIN = "admin"
    """AdminSetUserPassword."""
    SELF = "self"
    """As the user does, signed in with the current one."""


@dataclass(frozen=True, slots=True)
class SecretDocument:
    """One version of a secret.

    Args:
        username: whose password it is.
        password: what signs in.
        client_id: the app client (`clientid`, `clientId` or `client_id`).
        client_secret: the app client's secret, if it has one.
        user_pool_id: the pool.
        mode: `admin` or `self`, which way the password is set.
        flows: how the app client lets users sign in (`auth_flow`, such as `USER_SRP_AUTH`, or `auto`).
        totp_secret_id: the secret that holds the user's TOTP seed.
        text: the whole of it.
    """

    username: str
    password: Secret
    client_id: str | None
    client_secret: Secret | None
    user_pool_id: str | None
    mode: Mode | None
    flows: tuple[Flow, ...] | None
    totp_secret_id: str | None
    text: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a SecretString says.

        Raises:
            VaultUnfit: it is no JSON object, or lacks or contradicts what is needed of it.
        """
        try:
            keys = json.loads(text)
        except (ValueError, RecursionError):
            raise VaultUnfit("The secret is not JSON, or nested too deep.", remedy=_REMEDY) from None
        if not isinstance(keys, dict):
            raise VaultUnfit("The secret is JSON, but no object.", remedy=_REMEDY)
        client_secret = _text(keys, "client_secret", "clientSecret")
        return cls(
            username=_required(keys, "username"),
            password=Secret(_required(keys, "password")),
            client_id=_text(keys, *_CLIENT_ID),
            client_secret=Secret(client_secret) if client_secret else None,
            user_pool_id=_text(keys, "user_pool_id", "userPoolId"),
            mode=choose(Mode, "mode", _text(keys, "mode")),
            flows=choose_flows("auth_flow", _text(keys, "auth_flow")),
            totp_secret_id=_text(keys, "totp_secret_id"),
            text=text,
        )

    def with_password(self, password: Secret) -> str:
        """Return the SecretString that differs in its password only, character for character."""
        text = self.text
        for start, end in reversed(list(_passwords(text))):
            text = text[:start] + json.dumps(password.reveal()) + text[end:]
        return text

    @property
    def account(self) -> tuple[str, str | None, str | None]:
        """Whose password it is, and where; two versions that differ in it are of two accounts."""
        return self.username, self.client_id, self.user_pool_id


def choose(kind: type[Choice], key: str, text: str | None) -> Choice | None:
    """Return the member of an enumeration that a text names; None stays None.

    Raises:
        VaultUnfit: it names none.
    """
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise VaultUnfit(f"{key} is none of {', '.join(kind)}.", remedy=f"Correct {key}.") from None


def choose_flows(key: str, text: str | None) -> tuple[Flow, ...] | None:
    """Return the flows that a text names; None stays None.

    Raises:
        VaultUnfit: it names none.
    """
    try:
        return None if text is None else read_flows(text)
    except ValueError:
        raise VaultUnfit(f"{key} is none of {', '.join(FLOW_CHOICES)}.", remedy=f"Correct {key}.") from None


def _passwords(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values of the key `password` begin and end in a JSON object, which was read before."""
    decoder, position = json.JSONDecoder(), text.index("{") + 1
    while (position := _skip(text, position)) < len(text) and text[position] != "}":
        key, position = decoder.raw_decode(text, position)
        start = _skip(text, position)
        _, position = decoder.raw_decode(text, start)
        if key == "password":
            yield start, position


def _skip(text: str, position: int) -> int:
    """Return where the next key, value or end is, behind white space, colon and comma (RFC 8259 section 2)."""
    while position < len(text) and text[position] in " \t\n\r:,":
        position += 1
    return position


def _required(keys: Mapping[str, Any], name: str) -> str:
    found = _text(keys, name)
    if not found:
        raise VaultUnfit(f"The secret has no {name}.", remedy=_REMEDY)
    return found


def _text(keys: Mapping[str, Any], *names: str) -> str | None:
    """Return what stands under one of several spellings of a name."""
    found = {name: keys[name] for name in names if keys.get(name) not in (None, "")}
    if not all(isinstance(value, str) for value in found.values()):
        raise VaultUnfit(f"In the secret, {' and '.join(found)} is no text.", remedy=_REMEDY)
    if not all(_is_unicode(value) for value in found.values()):
        raise VaultUnfit(f"In the secret, {' and '.join(found)} is no Unicode.", remedy=_REMEDY)
    if len(set(found.values())) > 1:
        raise VaultUnfit(f"In the secret, {' and '.join(found)} contradict each other.", remedy="Remove one.")
    return next(iter(found.values()), None)


def _is_unicode(text: str) -> bool:
    """Tell a text from one with half a surrogate pair, which nothing could send."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
