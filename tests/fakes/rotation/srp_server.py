"""The server's side of Cognito's SRP, written for itself from RFC 5054: a wrong password really fails here.

Numbers are hashed as hexadecimal text, the way the published clients of AWS do it; the product hashes bytes.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from connector.rotation.sign_in.srp import GROUP


@dataclass
class Verifier:
    """What a server keeps of a password: it cannot be signed in with."""

    pool_name: str
    user: str
    password: str = field(repr=False)
    salt: str = field(default_factory=lambda: secrets.token_hex(16))

    @cached_property
    def value(self) -> int:
        """Return v = g^x."""
        inner = hashlib.sha256(f"{self.pool_name}{self.user}:{self.password}".encode()).hexdigest()
        return pow(2, int(_hash(_padded(int(self.salt, 16)) + inner), 16), GROUP)


class ServerExchange:
    """One sign-in: B goes out, a signature comes back."""

    def __init__(self, verifier: Verifier, client_public: str) -> None:
        self._verifier = verifier
        self._client_public = int(client_public, 16)
        self._private = secrets.randbits(256)
        k = int(_hash(_padded(GROUP) + _padded(2)), 16)
        self._public = (k * verifier.value + pow(2, self._private, GROUP)) % GROUP
        self.secret_block = base64.b64encode(secrets.token_bytes(96)).decode()

    def challenge(self) -> dict[str, str]:
        """Return the ChallengeParameters."""
        return {
            "USER_ID_FOR_SRP": self._verifier.user,
            "USERNAME": self._verifier.user,
            "SALT": self._verifier.salt,
            "SRP_B": f"{self._public:x}",
            "SECRET_BLOCK": self.secret_block,
        }

    def proves(self, signature: str, timestamp: str) -> bool:
        """Say whether the signature was made by one who knows the password."""
        u = int(_hash(_padded(self._client_public) + _padded(self._public)), 16)
        shared = pow(self._client_public * pow(self._verifier.value, u, GROUP), self._private, GROUP)
        extracted = hmac.new(bytes.fromhex(_padded(u)), bytes.fromhex(_padded(shared)), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        who = self._verifier.pool_name + self._verifier.user
        claim = who.encode() + base64.b64decode(self.secret_block) + timestamp.encode()
        expected = base64.b64encode(hmac.new(key, claim, hashlib.sha256).digest()).decode()
        return self._client_public % GROUP != 0 and hmac.compare_digest(expected, signature)


def _padded(number: int) -> str:
    text = f"{number:x}"
    text = text if len(text) % 2 == 0 else f"0{text}"
    return f"00{text}" if text[0] in "89abcdef" else text


def _hash(hexadecimal: str) -> str:
    return hashlib.sha256(bytes.fromhex(hexadecimal)).hexdigest()
