"""How often somebody may knock: requests of a client, failures of an address; counted in this process (RFC 6585).

Token buckets: what is not used is saved up to a burst, never more. Secrets of 256 bits cannot be guessed, so the limit
on failures only keeps noise away: it touches nobody who shows a valid credential, wherever others fail.
"""

import ipaddress
import logging
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scim2_models import SCIMException

FAILURES_PER_MINUTE = 20
HELD_KEYS = 10_000

_WHOLE = 1 - 1e-9  # what rounding leaves of one
LONGEST_ADDRESS = 64
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]*)?|([0-9.]+):[0-9]*", re.ASCII)
_SHARED_IPV6_PREFIX = 64
_log = logging.getLogger(__name__)
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still do.

    Args:
        allowed: whether one more is allowed now, or was.
        limit: how many at once, at most.
        remaining: how many more now.
        wait: whole seconds until one more is allowed; 0 = now.
        reset: whole seconds until all are.
    """

    allowed: bool
    limit: int
    remaining: int
    wait: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return what pacing importers read (SailPoint's names)."""
        return {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(self.remaining),
            "X-Rate-Limit-Reset": str(self.reset),
        }


class TooManyRequests(SCIMException):
    """A caller has to wait."""

    status = 429

    def __init__(self, detail: str, wait: int) -> None:
        super().__init__(detail=detail)
        self.wait = wait

    def headers(self) -> dict[str, str]:
        """Return how long to wait, under the names that importers read."""
        return {"Retry-After": str(self.wait), "X-Rate-Limit-Retry-After-Seconds": str(self.wait)}


class Buckets:
    """Token buckets by key; beyond `held` keys, those that were taken from longest ago are forgotten.

    Args:
        rate: how many a second a bucket gains.
        burst: how many it holds, and a new one has.
        clock: seconds of any origin, never going back.
        held: how many buckets are kept.
    """

    def __init__(self, *, rate: float, burst: int, clock: Clock, held: int = HELD_KEYS) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._held = held
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> Allowance:
        """Take one, where there is one."""
        with self._lock:
            now = self._clock()
            level = self._level(key, now)
            allowed = level >= _WHOLE
            level = max(0.0, level - 1) if allowed else level
            self._levels[key] = (level, now)
            self._levels.move_to_end(key)
            if len(self._levels) > self._held:
                self._levels.popitem(last=False)
        return self._allowance(level, allowed=allowed)

    def _level(self, key: str, now: float) -> float:
        level, then = self._levels.get(key, (float(self._burst), now))
        return min(self._burst, level + (now - then) * self._rate)

    def _allowance(self, level: float, *, allowed: bool) -> Allowance:
        return Allowance(
            allowed=allowed,
            limit=self._burst,
            remaining=math.floor(level + 1 - _WHOLE),
            wait=0 if level >= _WHOLE else math.ceil((_WHOLE - level) / self._rate),
            reset=math.ceil((self._burst - level) / self._rate),
        )


class RateLimits:
    """What callers may do within a time.

    Args:
        requests_per_second: of one client, on average and at once; None = as many as it likes.
        clock: seconds of any origin, never going back.
    """

    def __init__(self, requests_per_second: float | None, clock: Clock) -> None:
        self._failures = Buckets(rate=FAILURES_PER_MINUTE / 60, burst=FAILURES_PER_MINUTE, clock=clock)
        self._requests = (
            Buckets(rate=requests_per_second, burst=max(1, math.ceil(requests_per_second)), clock=clock)
            if requests_per_second
            else None
        )

    def count_failure(self, address: str | None) -> None:
        """Remember that a sign-in failed.

        Raises:
            TooManyRequests: too many came from there.
        """
        allowance = self._failures.take(network_of(address))
        if not allowance.allowed:
            raise TooManyRequests("Too many failed sign-ins came from this address.", allowance.wait)
        if not allowance.remaining:
            _log.warning("too many failed sign-ins came from %s; the next ones have to wait", network_of(address))

    def count_request(self, client: int) -> Allowance | None:
        """Count a request of a client and return what it may still do, None without a limit.

        Raises:
            TooManyRequests: it asks too fast.
        """
        if self._requests is None:
            return None
        allowance = self._requests.take(str(client))
        if not allowance.allowed:
            raise RequestsTooFast(allowance)
        return allowance


class RequestsTooFast(TooManyRequests):
    """A client asks faster than `server.requests_per_second_per_client`."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__("This client asks faster than it may.", max(1, allowance.wait))
        self.allowance = allowance

    def headers(self) -> dict[str, str]:
        """Return the limit as well."""
        return {**super().headers(), **self.allowance.headers()}


def network_of(address: str | None) -> str:
    """Return what failures are counted under: an IPv4 address, or the /64 that one IPv6 host has to itself.

    Some proxies write the port behind the address that they tell.
    """
    text = (address or "").strip()[:LONGEST_ADDRESS]
    bracketed = _WITH_PORT.fullmatch(text)
    return _read_network(bracketed[1] or bracketed[2] if bracketed else text)


@lru_cache(maxsize=HELD_KEYS)
def _read_network(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, _SHARED_IPV6_PREFIX), strict=False))
