"""A user pool's users and its app clients, as the fake keeps them."""

import base64
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.rotation.policies import PoolPolicy

FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH")
TOTP_STEP = 30


@dataclass
class FakeUser:
    """One user.

    Args:
        username: the internal one, which SRP is computed with.
        aliases: other names it may sign in by.
        challenge: asked after the password: SMS_MFA, EMAIL_OTP, MFA_SETUP, SELECT_MFA_TYPE, …
        asks_first: asked before any password: CUSTOM_CHALLENGE or SELECT_CHALLENGE.
        totp: base32 seed of its authenticator; asked for after the password.
        required: attributes that must be given with a first password, such as `name`.
        required_text: what is sent as `requiredAttributes` instead of these.
    """

    username: str
    password: str = field(repr=False)
    status: str = "CONFIRMED"
    enabled: bool = True
    aliases: set[str] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    challenge: str = ""
    asks_first: str = ""
    totp: str = field(default="", repr=False)
    required: list[str] = field(default_factory=list)
    required_text: str = ""
    former: list[str] = field(default_factory=list, repr=False)
    used_steps: set[int] = field(default_factory=set)
    failures: int = 0
    locked_until: float = 0.0
    changes: int = 0

    def set_password(self, password: str, status: str) -> None:
        """Take a password over, and remember the one before."""
        self.former.insert(0, self.password)
        self.password, self.status = password, status
        self.changes += 1

    def remembers(self, password: str, size: int) -> bool:
        """Say whether a history of this size forbids a password: the present one and those before it."""
        return size > 0 and password in [self.password, *self.former[:size]]

    def fail(self, now: float) -> None:
        """Count a wrong password; from the fifth on each locks for twice as long, at most 15 minutes."""
        self.failures += 1
        if self.failures >= 5:
            self.locked_until = now + min(2.0 ** (self.failures - 5), 900)

    def succeed(self) -> None:
        """Forget the failures."""
        self.failures, self.locked_until = 0, 0.0


@dataclass
class AppClient:
    """An app client; with any secret, SECRET_HASH is asked for."""

    client_id: str
    secrets: list[str] = field(default_factory=list, repr=False)
    flows: set[str] = field(default_factory=lambda: set(FLOWS))
    hides_users: bool = True

    def hashes(self, username: str) -> set[str]:
        """Return every SECRET_HASH that is right for a username."""
        message = f"{username}{self.client_id}".encode()
        digests = (hmac.new(secret.encode(), message, hashlib.sha256).digest() for secret in self.secrets)
        return {base64.b64encode(digest).decode() for digest in digests}


@dataclass
class FakeUserPool:
    """Everything that a pool knows.

    Args:
        monotonic: seconds by which lock-outs pass.
    """

    pool_id: str
    monotonic: Callable[[], float]
    policy: PoolPolicy = field(default_factory=PoolPolicy)
    users: dict[str, FakeUser] = field(default_factory=dict)
    clients: dict[str, AppClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    refresh_tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def add_user(self, username: str, password: str, **about: object) -> FakeUser:
        """Add a user; see `FakeUser` for what may be said about it."""
        self.users[username] = FakeUser(username, password, **about)  # type: ignore[arg-type]  # checked by the class
        return self.users[username]

    def add_client(self, client_id: str, **about: object) -> AppClient:
        """Add an app client; see `AppClient`."""
        self.clients[client_id] = AppClient(client_id, **about)  # type: ignore[arg-type]  # checked by the class
        return self.clients[client_id]

    def find(self, name: str) -> FakeUser | None:
        """Return the user of this username or alias."""
        return self.users.get(name) or next((user for user in self.users.values() if name in user.aliases), None)

    def signs_in(self, username: str, password: str) -> bool:
        """Say whether a password is the live one, without anybody noticing."""
        user = self.find(username)
        return user is not None and user.enabled and user.password == password


def totp_code(seed: str, step: int) -> str:
    """Return the code of a time step (RFC 4226, section 5.3), from a base32 seed."""
    key = base64.b32decode(seed.upper() + "=" * (-len(seed) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
