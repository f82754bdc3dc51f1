"""Secrets of callers: 256 random bits behind a prefix that secret scanners know, kept as nothing but SHA-256 (P29).

They are random, so a slow hash would protect nothing more. They hold letters, digits, `-` and `_` alone, because some
importers send them without encoding.
"""

import hashlib
import hmac
import secrets

BEARER_TOKEN = "ccs_"  # noqa: S105 - a prefix, like the next ones
ACCESS_TOKEN = "cca_"  # noqa: S105
CLIENT_ID = "cci_"
CLIENT_SECRET = "cck_"  # noqa: S105
USERNAME = "ccu_"
PASSWORD = "ccp_"  # noqa: S105


def new_secret(prefix: str) -> str:
    """Return a secret nobody can guess."""
    return prefix + secrets.token_urlsafe(32)


def new_name(prefix: str) -> str:
    """Return a name that nothing else has; it is not a secret."""
    return prefix + secrets.token_urlsafe(16)


def digest(secret: str) -> str:
    """Return what is kept of a secret, whatever its characters."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Compare in a time that does not show how much was right."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
