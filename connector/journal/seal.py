"""Seal what the journal keeps: AES-256-GCM of the package cryptography (NIST SP 800-38D).

Each seal has a key of its own, made from the journal's key and a random salt by HKDF (RFC 5869), so that no nonce is
used twice with one key. What it belongs to is authenticated with it: an entry does not open as another account's.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.journal import old_seal

KEY_BYTES_AT_LEAST = 32
_MARK = b"cognito-scim journal 2\n"
_SALT_BYTES, _NONCE_BYTES, _AES_KEY_BYTES = 32, 12, 32
_PAD_TO = 512


class BrokenSeal(ValueError):
    """Sealed with another key, about something else, or not what was written."""


class Sealer:
    """Seals and opens with one key; opens also what earlier versions sealed.

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
        salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
        padded = len(content).to_bytes(8, "big") + content
        padded += bytes(-len(padded) % _PAD_TO)
        return _MARK + salt + nonce + self._cipher(salt).encrypt(nonce, padded, _MARK + about)

    def open(self, sealed: bytes, *, about: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            BrokenSeal: this is not what was sealed about it with this key.
        """
        if old_seal.is_old(sealed):
            content = old_seal.open_old(self._key, sealed, about=about)
            if content is None:
                raise BrokenSeal("it was changed, or sealed with another key")
            return content
        salt, rest = sealed[len(_MARK) :][:_SALT_BYTES], sealed[len(_MARK) + _SALT_BYTES :]
        if not sealed.startswith(_MARK) or len(rest) < _NONCE_BYTES:
            raise BrokenSeal("it was not written by this program, or is cut short")
        try:
            padded = self._cipher(salt).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _MARK + about)
        except InvalidTag:
            raise BrokenSeal("it was changed, or sealed with another key") from None
        return padded[8 : 8 + int.from_bytes(padded[:8], "big")]

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), _AES_KEY_BYTES, salt, b"cognito-scim journal").derive(self._key))


def is_outdated(sealed: bytes) -> bool:
    """Return whether an earlier version sealed it, so that it is to be sealed anew."""
    return old_seal.is_old(sealed)
