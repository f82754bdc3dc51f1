"""How a login is written down: one JSON document, read strictly, so that a damaged one is not signed in with."""

import json
from datetime import datetime
from typing import Any

from connector.access.model import AwsCredentials, Federation, SignedInPerson, Tokens
from connector.rotation.model.secret import Secret

_VERSION = 1


def write_login(login: SignedInPerson) -> str:
    """Return a login as text."""
    tokens, credentials = login.tokens, login.credentials
    document: dict[str, Any] = {
        "version": _VERSION,
        "plan": login.plan,
        "person": login.person,
        "way": login.federation.value,
        "seconds": login.seconds,
        "username": tokens.username,
        "id_token": tokens.id_token.reveal(),
        "access_token": tokens.access_token.reveal(),
        "refresh_token": _reveal(tokens.refresh_token),
        "device_key": tokens.device_key,
    }
    if credentials:
        document["credentials"] = {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key.reveal(),
            "session_token": credentials.session_token.reveal(),
            "expires": credentials.expires.isoformat(),
            "issued": credentials.issued.isoformat(),
            "account": credentials.account,
            "arn": credentials.arn,
            "federation": credentials.federation.value,
        }
    return json.dumps(document)


def read_login(text: str) -> SignedInPerson:
    """Return the login that a text describes.

    Raises:
        ValueError: it describes none, or one of another version of this program.
    """
    try:
        found = json.loads(text)
        if found["version"] != _VERSION:
            raise ValueError("written by another version")
        refresh = found["refresh_token"]
        tokens = Tokens(
            username=str(found["username"]),
            id_token=Secret(found["id_token"]),
            access_token=Secret(found["access_token"]),
            refresh_token=Secret(refresh) if refresh else None,
            device_key=str(found["device_key"]),
        )
        credentials = _credentials(found["credentials"]) if found.get("credentials") else None
        way, seconds = Federation(found["way"]), int(found["seconds"])
        return SignedInPerson(str(found["plan"]), str(found["person"]), way, seconds, tokens, credentials)
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a login ({type(error).__name__})") from None


def _credentials(found: dict[str, Any]) -> AwsCredentials:
    expires, issued = (datetime.fromisoformat(found[name]) for name in ("expires", "issued"))
    if expires.tzinfo is None or issued.tzinfo is None:
        raise ValueError("a time without its zone")
    return AwsCredentials(
        access_key_id=str(found["access_key_id"]),
        secret_access_key=Secret(found["secret_access_key"]),
        session_token=Secret(found["session_token"]),
        expires=expires,
        issued=issued,
        account=str(found["account"]),
        arn=str(found["arn"]),
        federation=Federation(found["federation"]),
    )


def _reveal(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
