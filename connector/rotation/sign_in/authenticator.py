"""Time-based one-time passwords, for accounts that ask for one behind the password (RFC 6238)."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime

from connector.errors import ConfigError
from connector.rotation.model.secret import Secret

TIME_STEP = 30
"""Seconds for which a code counts."""
_CODE_DIGITS = 6


class Authenticator:
    """What an authenticator app does with its seed; it gives one code a time step, since Cognito takes each once.

    Args:
        seed: in base32, as it is shown when the app is set up; spaces and case do not matter.
        now: the time, with its zone.
        sleep: waits for so many seconds.

    Raises:
        ConfigError: the seed is not base32.
    """

    def __init__(
        self,
        seed: Secret,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = _decode_seed(seed)
        self._now = now
        self._sleep = sleep
        self._used_until = 0.0

    def next_code(self) -> Secret:
        """Return a code that was not given before, if need be by waiting up to a time step for it."""
        wait = self._used_until - self._now().timestamp()
        if wait > 0:
            self._sleep(wait)
        step = int(self._now().timestamp()) // TIME_STEP
        self._used_until = (step + 1) * TIME_STEP
        return Secret(one_time_code(self._key, step))


def one_time_code(key: bytes, counter: int, *, digits: int = _CODE_DIGITS) -> str:
    """Return the code for a counter (RFC 4226, section 5.3)."""
    digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def _decode_seed(seed: Secret) -> bytes:
    text = "".join(seed.reveal().split()).upper().rstrip("=")
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise ConfigError(
            "The authenticator's seed is not base32.", remedy="Give the text that was shown as the authenticator's key."
        ) from None
