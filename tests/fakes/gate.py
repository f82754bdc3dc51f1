"""Who may come in: keys, role sessions with an end, signatures, the clock; the refusals in the words of AWS."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.refusals import Refusal
from tests.fakes.signatures import Signed, canonical, read_signature
from tests.fakes.wire import Request

TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a session of a role."""

    arn: str
    key_id: str
    secret: str
    token: str = ""
    expires: datetime | None = None


@dataclass
class Gate:
    """Knows every principal by its key.

    Args:
        now: the clock by which sessions end.
        wall_clock: the clock that signatures are compared with.
    """

    now: Callable[[], datetime]
    wall_clock: Callable[[], datetime]
    _principals: dict[str, Principal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, principal: Principal) -> None:
        """Know a principal from now on."""
        with self._lock:
            self._principals[principal.key_id] = principal

    def open_session(self, arn: str, seconds: int) -> Principal:
        """Admit a new session of a role."""
        session = Principal(
            arn=arn,
            key_id=f"ASIA{secrets.token_hex(8).upper()}",
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(120),
            expires=self.now() + timedelta(seconds=seconds),
        )
        self.admit(session)
        return session

    def identify(self, request: Request) -> Principal | Refusal:
        """Return who signed a request, or why nobody is let in by it."""
        signed = read_signature(request)
        if signed is None:
            return _refuse("MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing token")
        principal = self._principals.get(signed.key_id)
        if principal is None or principal.token != signed.token:
            text = "The security token included in the request is invalid."
            return _refuse("UnrecognizedClientException", "InvalidClientTokenId", text)
        return self._late(signed) or self._ended(principal) or self._misfit(signed, principal, request) or principal

    def _late(self, signed: Signed) -> Refusal | None:
        here = self.wall_clock()
        if abs(here - signed.at) <= TOLERANCE:
            return None
        times = f"{signed.at:%Y%m%dT%H%M%SZ}", f"{here:%Y%m%dT%H%M%SZ}"
        if signed.at < here:
            text = f"Signature expired: {times[0]} is now earlier than {times[1]} (- 5 min.)"
        else:
            text = f"Signature not yet current: {times[0]} is still later than {times[1]} (+ 5 min.)"
        return _refuse("InvalidSignatureException", "SignatureDoesNotMatch", text)

    def _ended(self, principal: Principal) -> Refusal | None:
        if principal.expires is None or self.now() < principal.expires:
            return None
        text = "The security token included in the request is expired"
        return _refuse("ExpiredTokenException", "ExpiredToken", text)

    def _misfit(self, signed: Signed, principal: Principal, request: Request) -> Refusal | None:
        if signed.fits(request, principal.secret):
            return None
        text = (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
            " Access Key and signing method.\n\nThe Canonical String for this request should have been\n'"
            f"{canonical(request, signed.headers)}'"
        )
        return _refuse("InvalidSignatureException", "SignatureDoesNotMatch", text)


def _refuse(code: str, query_code: str, message: str) -> Refusal:
    return Refusal(code, message, query_code=query_code)
