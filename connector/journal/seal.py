"""Seal what the journal keeps: encrypted, then authenticated, by the standard library alone.

The rotation is carried into functions and plugins without compiled parts, and the standard library has no AES. It has
HMAC-SHA256, which is a pseudo-random function: in counter mode it makes a key stream (NIST SP 800-108 counter mode),
and a second one over everything makes the tag (encrypt-then-MAC, RFC 7366). Both keys come from the journal's key and
a random salt by HKDF (RFC 5869), so that no two seals share a key stream. Entries are short; speed does not matter.
"""

import hashlib
import hmac
import secrets
from itertools import count

KEY_BYTES_AT_LEAST = 32
_MARK = b"cognito-scim journal 1\n"
_SALT_BYTES = 32
_TAG_BYTES = hashlib.sha256().digest_size
_PAD_TO = 512


class BrokenSeal(ValueError):
    """Sealed with another key, about something else, or not what was written."""


class Sealer:
    """Seals and opens with one key.

    Raises:
        ValueError: the key is shorter than 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_AT_LEAST:
            raise ValueError(f"a key has {KEY_BYTES_AT_LEAST} bytes at least")
        self._key = key

    def seal(self, content: bytes, *, about: bytes) -> bytes:
        """Return content that only this key opens.

        Args:
            content: what is sealed; its length shows to the next multiple of 512 bytes.
            about: what it belongs to; it opens for nothing else.
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        encrypting, signing = self._keys(salt)
        body = _MARK + salt + _mask(encrypting, _pad(content))
        return body + _tag(signing, body, about)

    def open(self, sealed: bytes, *, about: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            BrokenSeal: this is not what was sealed about it with this key.
        """
        body, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        if not body.startswith(_MARK) or len(body) < len(_MARK) + _SALT_BYTES:
            raise BrokenSeal("it was not written by this program, or is cut short")
        salt = body[len(_MARK) : len(_MARK) + _SALT_BYTES]
        encrypting, signing = self._keys(salt)
        if not hmac.compare_digest(tag, _tag(signing, body, about)):
            raise BrokenSeal("it was changed, or sealed with another key")
        return _unpad(_mask(encrypting, body[len(_MARK) + _SALT_BYTES :]))

    def _keys(self, salt: bytes) -> tuple[bytes, bytes]:
        return derive(self._key, salt=salt, info=b"encrypt"), derive(self._key, salt=salt, info=b"authenticate")


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


def _tag(key: bytes, body: bytes, about: bytes) -> bytes:
    return hmac.digest(key, len(about).to_bytes(8, "big") + about + body, "sha256")


def _pad(content: bytes) -> bytes:
    padded = len(content).to_bytes(8, "big") + content
    return padded + bytes(-len(padded) % _PAD_TO)


def _unpad(padded: bytes) -> bytes:
    return padded[8 : 8 + int.from_bytes(padded[:8], "big")]
