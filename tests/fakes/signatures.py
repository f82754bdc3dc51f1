"""Check the signature of a request as AWS does (IAM User Guide, "Signature Version 4 signing process")."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from tests.fakes.wire import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)"
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What the Authorization header of a request claims."""

    key_id: str
    day: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    at: datetime
    token: str

    def fits(self, request: Request, secret: str) -> bool:
        """Say whether the signature was made with this secret for this request."""
        scope = f"{self.day}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical(request, self.headers).encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{request.headers['X-Amz-Date']}\n{scope}\n{digest}"
        expected = hmac.new(_signing_key(secret, scope), text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.signature, expected)


def read_signature(request: Request) -> Signed | None:
    """Return what signed a request, or None if nothing did."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        return None
    key_id, day, region, service, headers, signature = found.groups()
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    token = request.headers.get("X-Amz-Security-Token", "")
    return Signed(key_id, day, region, service, tuple(headers.split(";")), signature, at, token)


def canonical(request: Request, headers: tuple[str, ...]) -> str:
    """Return the canonical request, which AWS repeats in the error when a signature does not fit."""
    lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in headers)
    body = hashlib.sha256(request.body).hexdigest()
    return f"{request.method}\n{request.path}\n\n{lines}\n{';'.join(headers)}\n{body}"


@lru_cache(maxsize=64)
def _signing_key(secret: str, scope: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
