"""Open what earlier versions sealed: HMAC-SHA256 in counter mode (NIST SP 800-108), then HMAC-SHA256 over everything.

Nothing is sealed so any more. Both keys come from the journal's key and a random salt by HKDF (RFC 5869).
"""

import hashlib
import hmac
from itertools import count

_MARK = b"cognito-scim journal 1\n"
_SALT_BYTES = 32
_TAG_BYTES = hashlib.sha256().digest_size


def is_old(sealed: bytes) -> bool:
    """Return whether it has the form of an old seal."""
    return sealed.startswith(_MARK)


def open_old(key: bytes, sealed: bytes, *, about: bytes) -> bytes | None:
    """Return what was sealed about something with a key; None if it was changed, cut, or sealed with another key."""
    body, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    if len(body) < len(_MARK) + _SALT_BYTES:
        return None
    salt = body[len(_MARK) : len(_MARK) + _SALT_BYTES]
    signed = len(about).to_bytes(8, "big") + about + body
    if not hmac.compare_digest(tag, hmac.digest(derive(key, salt=salt, info=b"authenticate"), signed, "sha256")):
        return None
    padded = _mask(derive(key, salt=salt, info=b"encrypt"), body[len(_MARK) + _SALT_BYTES :])
    return padded[8 : 8 + int.from_bytes(padded[:8], "big")]


def derive(key: bytes, *, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """Return a key made from another (HKDF with SHA-256, RFC 5869)."""
    extracted = hmac.digest(salt, key, "sha256")
    made = block = b""
    for number in range(1, -(-length // _TAG_BYTES) + 1):
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        made += block
    return made[:length]


def _mask(key: bytes, text: bytes) -> bytes:
    stream = b""
    for number in count():
        if len(stream) >= len(text):
            break
        stream += hmac.digest(key, number.to_bytes(8, "big"), "sha256")
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))
