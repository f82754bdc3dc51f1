"""What a login is made of: where a person signs in, what the pool gave, what AWS gave."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import SAFEST_FIRST, Flow

RENEW_BEFORE = timedelta(minutes=15)
"""How long before their end credentials are replaced: the SDKs of AWS begin to ask for new ones then."""
_SHARE_LEFT = 4
"""Credentials that live shorter are replaced when a quarter of their time is left."""


class Federation(StrEnum):
    """How a token of the user pool becomes AWS credentials."""

    IDENTITY_POOL = "identity-pool"
    """By an identity pool, for an hour."""
    WEB_IDENTITY = "web-identity"
    """By STS itself, which knows the user pool as an OIDC provider: up to twelve hours, no key, no function."""
    LAMBDA = "lambda"
    """By an identity pool, and from there by the credential proxy: up to twelve hours."""


@dataclass(frozen=True, slots=True)
class LoginPlan:
    """How a person comes to credentials; an empty text is a setting that was left out.

    Args:
        pool_id: the user pool.
        client_id: the app client at which people sign in.
        client_secrets: none, or its secrets.
        flows: ways to show a password, in the order in which they are tried.
        federation: how the token becomes credentials.
        identity_pool_id: for the ways that go through one.
        role_arn: the role that is assumed (web identity) or asked for (Lambda; empty takes the proxy's default).
        seconds: how long the credentials shall last.
        function: name or ARN of the credential proxy.
        region: where the proxy is, and what profiles name.
    """

    pool_id: str
    client_id: str
    client_secrets: tuple[Secret, ...] = ()
    flows: tuple[Flow, ...] = SAFEST_FIRST[:2]
    federation: Federation = Federation.IDENTITY_POOL
    identity_pool_id: str = ""
    role_arn: str = ""
    seconds: int = 3600
    function: str = "cognito-credential-proxy"
    region: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells one plan from another, but for the way: what was kept under another plan is not used."""
        parts = (self.pool_id, self.client_id, self.identity_pool_id, self.role_arn, self.function)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the user pool gave.

    Args:
        username: the internal one, which a secret hash is made with.
        id_token: the proof of who it is.
        access_token: for the user's own settings at the pool.
        refresh_token: gets new ones without a password.
        client_secret: the one that fitted.
        device_key: of the device that the pool remembers, if it tracks devices.
    """

    username: str
    id_token: Secret
    access_token: Secret
    refresh_token: Secret | None = None
    client_secret: Secret | None = None
    device_key: str = ""

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the id token says, unverified: it came from the pool itself, over TLS."""
        payload = self.id_token.reveal().split(".")[1:2]
        try:
            claims = json.loads(base64.urlsafe_b64decode(f"{payload[0]}==="))
        except (LookupError, ValueError, binascii.Error):
            return {}
        return claims if isinstance(claims, dict) else {}


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What AWS gave, for a time.

    Args:
        expires: by AWS's word.
        issued: when they came, by this machine's clock.
        account: of AWS.
        arn: who the person is, as AWS says.
        federation: how they came.
    """

    access_key_id: str
    secret_access_key: Secret = field(repr=False)
    session_token: Secret = field(repr=False)
    expires: datetime
    issued: datetime
    account: str = ""
    arn: str = ""
    federation: Federation = Federation.IDENTITY_POOL

    def are_fresh(self, now: datetime) -> bool:
        """Say whether they may be handed over; such as end soon are replaced first."""
        return now < self.expires - min(RENEW_BEFORE, (self.expires - self.issued) / _SHARE_LEFT)


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """Somebody who is signed in.

    Args:
        plan: the fingerprint of the plan by which it was done.
        person: the name by which somebody signed in.
        federation: the way that was chosen then, which renewals go too.
        seconds: likewise.
        tokens: of the user pool.
        credentials: of AWS; None until they are asked for.
    """

    plan: str
    person: str
    federation: Federation
    seconds: int
    tokens: Tokens
    credentials: AwsCredentials | None = None
