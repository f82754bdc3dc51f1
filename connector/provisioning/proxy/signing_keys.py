"""The public keys of a user pool, by their id: fetched once, and again when a token names one that is not known.

Cognito replaces its keys without notice, so an unknown id is looked for once more; whoever sends invented ids makes
the pool's endpoint be asked at most once a minute (Cognito developer guide, "Verifying JSON web tokens").
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from connector.provisioning.proxy.rs256 import PublicKey

_SECONDS_BETWEEN_FETCHES = 60
_FETCH_TIMEOUT = 5
_LARGEST_ANSWER = 65_536
_PATH = "/.well-known/jwks.json"


class KeysUnavailable(Exception):
    """The pool's keys cannot be had now."""


class SigningKeys:
    """The keys of one pool.

    Args:
        fetch: returns the JWKS document as bytes.
        monotonic: seconds, by which fetches are held apart.
    """

    def __init__(self, fetch: Callable[[], bytes], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str) -> PublicKey | None:
        """Return the key of this id, or None if the pool has none.

        Raises:
            KeysUnavailable: no keys were ever read, and none can be.
        """
        with self._lock:
            if key_id not in self._keys and self._may_fetch():
                self._refresh()
            return self._keys.get(key_id)

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or self._monotonic() - self._fetched_at >= _SECONDS_BETWEEN_FETCHES

    def _refresh(self) -> None:
        try:
            self._keys = read_keys(self._fetch())
        except (OSError, ValueError) as error:
            if not self._keys:
                raise KeysUnavailable(type(error).__name__) from None
        self._fetched_at = self._monotonic()


def read_keys(document: bytes) -> dict[str, PublicKey]:
    """Return the keys of a JWKS document that can check RS256 signatures (RFC 7517, section 5).

    Raises:
        ValueError: there is none.
    """
    try:
        entries: Any = json.loads(document)["keys"]
    except (LookupError, TypeError, RecursionError):
        raise ValueError("not a set of keys") from None
    keys = {}
    for entry in entries if isinstance(entries, list) else []:
        try:
            keys[str(entry["kid"])] = PublicKey.read(entry)
        except (LookupError, TypeError, ValueError, AttributeError):
            continue  # unknown kinds of key are ignored (RFC 7517, section 5)
    if not keys:
        raise ValueError("a set without keys")
    return keys


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from where the configuration says, or not at all."""

    def redirect_request(self, *_: object) -> None:
        """Refuse to be sent elsewhere."""
        return


def fetch_jwks(base_url: str) -> bytes:
    """Return the JWKS document of a pool.

    Args:
        base_url: the issuer, or where an endpoint setting says that it is.

    Raises:
        OSError: it is unreachable, or answers otherwise.
        ValueError: the answer is too large.
    """
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(f"{base_url}{_PATH}", timeout=_FETCH_TIMEOUT) as answer:
        content: bytes = answer.read(_LARGEST_ANSWER + 1)
    if len(content) > _LARGEST_ANSWER:
        raise ValueError("the answer is too large")
    return content
