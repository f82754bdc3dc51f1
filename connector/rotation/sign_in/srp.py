"""Prove a password to Cognito without sending it: SRP-6a over the 3072-bit group (RFC 5054, RFC 3526 section 5).

What Cognito does its own way is known from the published clients of AWS: how numbers are padded, that the name of the
pool goes before the user's, and that the key is derived with the words "Caldera Derived Key". No SDK for Python has it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

GROUP = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
_DERIVED_KEY_INFO = b"Caldera Derived Key"
_DERIVED_KEY_BYTES = 16
_PRIVATE_BITS = 256
"""As many as a private number has at least (RFC 5054, section 2.5.4)."""


class NotProvable(ValueError):
    """The server's part of the exchange is not one that a password may be proved to."""


@dataclass(frozen=True, slots=True)
class SrpChallenge:
    """What Cognito answers to the first half, in the parameters of a PASSWORD_VERIFIER challenge.

    Args:
        user: the internal username, which is not always the name that was signed in with.
        salt: of the verifier that Cognito keeps.
        server_public: SRP_B.
        secret_block: opaque, base64; it goes back as it came.
    """

    user: str
    salt: int
    server_public: int
    secret_block: str = field(repr=False)

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Return the challenge in ChallengeParameters.

        Raises:
            NotProvable: a parameter is missing, not of its form, or makes the exchange prove nothing.
        """
        try:
            server_public = int(parameters["SRP_B"], 16)
            base64.b64decode(parameters["SECRET_BLOCK"], validate=True)
            challenge = cls(
                parameters["USER_ID_FOR_SRP"], int(parameters["SALT"], 16), server_public, parameters["SECRET_BLOCK"]
            )
        except (KeyError, ValueError, binascii.Error):
            raise NotProvable("a parameter is missing or not of its form") from None
        if challenge.salt < 0 or server_public <= 0 or server_public % GROUP == 0:
            raise NotProvable("SRP_B is zero in the group")
        return challenge


class SrpExchange:
    """One sign-in of one user: a private number, used once.

    Args:
        pool_id: the user pool, such as `eu-west-1_AbCdEf123`.
        private: the private number; drawn anew unless a test vector gives it.
    """

    def __init__(self, pool_id: str, *, private: int | None = None) -> None:
        self._pool_name = pool_id.rpartition("_")[2]
        self._private = secrets.randbits(_PRIVATE_BITS) if private is None else private
        self._public = pow(GENERATOR, self._private, GROUP)

    @property
    def public(self) -> str:
        """SRP_A, in hexadecimal."""
        return f"{self._public:x}"

    def sign(self, challenge: SrpChallenge, password: str, timestamp: str) -> str:
        """Return PASSWORD_CLAIM_SIGNATURE: proof, for this challenge and time only, that the password is known.

        Raises:
            NotProvable: the server's number makes the exchange prove nothing (RFC 5054, section 2.5.4).
        """
        who = f"{self._pool_name}{challenge.user}"
        block = base64.b64decode(challenge.secret_block)
        claim = who.encode(errors="surrogatepass") + block + timestamp.encode()
        return base64.b64encode(hmac.digest(self.derive_key(challenge, password), claim, "sha256")).decode()

    def derive_key(self, challenge: SrpChallenge, password: str) -> bytes:
        """Return the key that both sides come to if the password is the user's.

        Raises:
            NotProvable: the server's number makes the exchange prove nothing (RFC 5054, section 2.5.4).
        """
        u = hash_to_int(pad(self._public), pad(challenge.server_public))
        if u == 0:
            raise NotProvable("the scrambling parameter is zero")
        x = password_exponent(self._pool_name, challenge, password)
        base = challenge.server_public - MULTIPLIER * pow(GENERATOR, x, GROUP)
        return expand(pow(base % GROUP, self._private + u * x, GROUP), u)


def format_timestamp(at: datetime) -> str:
    """Return the time of a claim as Cognito reads it, `Tue Feb 1 03:04:05 UTC 2026`, whatever the locale.

    Args:
        at: in UTC.
    """
    weekday, month, day, clock, year = at.ctime().split()
    return f"{weekday} {month} {day} {clock} UTC {year}"


def password_exponent(pool_name: str, challenge: SrpChallenge, password: str) -> int:
    """Return x, which the password decides (RFC 5054, section 2.4, with the pool's name before the user's)."""
    # Half a surrogate pair is not text, and nobody's password: it is proved wrong like any other.
    inner = f"{pool_name}{challenge.user}:{password}".encode(errors="surrogatepass")
    return hash_to_int(pad(challenge.salt), hashlib.sha256(inner).digest())


def expand(shared: int, u: int) -> bytes:
    """Return the key from the shared number: HKDF (RFC 5869) with u as its salt."""
    extracted = hmac.digest(pad(u), pad(shared), "sha256")
    return hmac.digest(extracted, _DERIVED_KEY_INFO + b"\x01", "sha256")[:_DERIVED_KEY_BYTES]


def pad(number: int) -> bytes:
    """Return a number in the fewest bytes whose first bit is clear, as Java writes its own."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def hash_to_int(*parts: bytes) -> int:
    """Return SHA-256 of the parts, as a number."""
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


MULTIPLIER = hash_to_int(pad(GROUP), pad(GENERATOR))
"""k (RFC 5054, section 2.5.3)."""
