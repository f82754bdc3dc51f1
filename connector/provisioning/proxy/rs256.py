"""Check a signature of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2; JWA's RS256, RFC 7518, section 3.3).

The expected encoding is made and compared as a whole: nothing of what was signed is parsed, so that no sloppiness in
parsing can be used (Bleichenbacher's forgery of 2006, and its many returns).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo for SHA-256, up to the digest (RFC 8017, section 9.2, note 1)."""
_LEAST_BITS, _MOST_BITS = 2048, 8192
_LEAST_EXPONENT, _MOST_EXPONENT = 65537, 2**32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key.

    Raises:
        ValueError: it is too small, too large, or no RSA key at all.
    """

    modulus: int
    exponent: int

    def __post_init__(self) -> None:
        if not (_LEAST_BITS <= self.modulus.bit_length() <= _MOST_BITS and self.modulus % 2):
            raise ValueError("the modulus is not one of 2048 to 8192 bits")
        if not (_LEAST_EXPONENT <= self.exponent < _MOST_EXPONENT and self.exponent % 2):
            raise ValueError("the exponent is not an odd number from 65537 on")

    @classmethod
    def read(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key of a JSON Web Key (RFC 7518, section 6.3.1).

        Raises:
            ValueError: it is not an RSA key for RS256 signatures.
        """
        if jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig" or jwk.get("alg", "RS256") != "RS256":
            raise ValueError("not an RSA key for RS256")
        modulus, exponent = (int.from_bytes(decode_base64url(jwk.get(name)), "big") for name in ("n", "e"))
        return cls(modulus, exponent)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is the one that this key's owner makes for the message."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        info = _DIGEST_INFO + hashlib.sha256(message).digest()
        expected = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return hmac.compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size, "big"), expected)


def decode_base64url(text: object) -> bytes:
    """Return what a text in base64url without padding encodes (RFC 7515, section 2).

    Raises:
        ValueError: it is something else, or another text would say the same.
    """
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("not base64url")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != text:
        raise ValueError("not base64url in its one form")
    return content
