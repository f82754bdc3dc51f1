"""A user pool's signing key, and tokens made with it: as Cognito makes them, or wrong in any way one likes."""

import base64
import json
import time
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class TokenIssuer:
    """Issues tokens for one pool and app client, signed with RS256.

    The claims are those of an ID token of Cognito (developer guide, "Understanding the identity (ID) token").
    """

    def __init__(self, pool_id: str, client_id: str, *, key_id: str = "key-1", bits: int = 2048) -> None:
        self.pool_id = pool_id
        self.client_id = client_id
        self.key_id = key_id
        self._bits = bits

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The pool's private key."""
        return rsa.generate_private_key(public_exponent=65537, key_size=self._bits)

    def claims(self, username: str = "ann", **others: Any) -> dict[str, Any]:
        """Return the claims of an ID token; a value of None takes one away."""
        now = int(time.time())
        claims = {
            "sub": "b1a7c0de-0000-4000-8000-00000000a11e",
            "iss": f"https://cognito-idp.{self.pool_id.partition('_')[0]}.amazonaws.com/{self.pool_id}",
            "aud": self.client_id,
            "token_use": "id",
            "cognito:username": username,
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
        } | others
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, claims: dict[str, Any] | None = None, **header: Any) -> str:
        """Return a token; the header may be given otherwise."""
        head = {"kid": self.key_id, "alg": "RS256"} | header
        return self.sign(json.dumps(head).encode(), json.dumps(claims or self.claims()).encode())

    def sign(self, header: bytes, payload: bytes) -> str:
        """Return a token of these bytes, whatever they are."""
        signed = f"{base64url(header)}.{base64url(payload)}"
        signature = self.private_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"

    def jwk(self) -> dict[str, str]:
        """Return the public key as it stands in the pool's JWKS."""
        numbers = self.private_key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {
            "alg": "RS256",
            "e": base64url(numbers.e.to_bytes(3, "big")),
            "kid": self.key_id,
            "kty": "RSA",
            "n": base64url(numbers.n.to_bytes(size, "big")),
            "use": "sig",
        }

    def jwks(self) -> bytes:
        """Return the pool's JWKS document."""
        return json.dumps({"keys": [self.jwk()]}).encode()


def base64url(content: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
