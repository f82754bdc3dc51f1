"""The JSON that a secret holds about one account, in the shape of the Cognito guides or in the fuller one.

Only `password` ever changes; every other key, known here or not, goes from version to version as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from connector.errors import VaultUnfit
from connector.rotation.secret import Secret

_REMEDY = "Store a JSON object with the texts clientid, username and password."
_CLIENT_ID = ("clientid", "clientId", "client_id")


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
        auth_flow: how the app client lets users sign in, such as `USER_SRP_AUTH`.
        totp_secret_id: the secret that holds the user's TOTP seed.
        keys: all that it holds.
    """

    username: str
    password: Secret
    client_id: str | None
    client_secret: Secret | None
    user_pool_id: str | None
    mode: str | None
    auth_flow: str | None
    totp_secret_id: str | None
    keys: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what a SecretString says.

        Raises:
            VaultUnfit: it is no JSON object, or lacks or contradicts what is needed of it.
        """
        try:
            keys = json.loads(text)
        except ValueError:
            raise VaultUnfit("The secret is not JSON.", remedy=_REMEDY) from None
        if not isinstance(keys, dict):
            raise VaultUnfit("The secret is JSON, but no object.", remedy=_REMEDY)
        client_secret = _text(keys, "client_secret", "clientSecret")
        return cls(
            username=_required(keys, "username"),
            password=Secret(_required(keys, "password")),
            client_id=_text(keys, *_CLIENT_ID),
            client_secret=Secret(client_secret) if client_secret else None,
            user_pool_id=_text(keys, "user_pool_id", "userPoolId"),
            mode=_text(keys, "mode"),
            auth_flow=_text(keys, "auth_flow"),
            totp_secret_id=_text(keys, "totp_secret_id"),
            keys=keys,
        )

    def with_password(self, password: Secret) -> str:
        """Return the SecretString that differs in its password only."""
        return json.dumps({**self.keys, "password": password.reveal()})

    @property
    def account(self) -> tuple[str, str | None, str | None]:
        """Whose password it is, and where; two versions that differ in it are of two accounts."""
        return self.username, self.client_id, self.user_pool_id


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
    if len(set(found.values())) > 1:
        raise VaultUnfit(f"In the secret, {' and '.join(found)} contradict each other.", remedy="Remove one.")
    return next(iter(found.values()), None)
