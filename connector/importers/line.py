"""A line to the endpoint as an importer has it: over the network, with its own TLS, through no proxy of this machine.

An importer elsewhere sees the certificate and the address that it is given, and so does this.
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60.0
"""SailPoint waits this long for an answer; others wait about as long."""

_MOST_WAITS, _LONGEST_WAIT = 5, 30.0
_WAITED_FOR = frozenset({429, 503})


class Stumble(Exception):
    """An importer would get no further.

    Args:
        detail: what happened.
        remedy: what to do.
    """

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the endpoint."""

    status: int
    document: Mapping[str, Any]
    seconds: float


@dataclass(slots=True)
class Line:
    """Asks the endpoint, one request after the other, on one connection.

    Args:
        base_url: the SCIM base URL that importers are given.
        headers: sent with every request.
        check: called before every request, to end the walk from outside.
    """

    base_url: str
    headers: dict[str, str]
    check: Callable[[], None]
    requests: int = 0
    slowest: float = 0.0
    waits: int = 0
    _connection: HTTPConnection | None = field(default=None)

    def get(self, path: str) -> Answer:
        """Return the answer to a read below the base URL, which must be 200; waits where it is told to.

        Raises:
            Stumble: no answer came, or another.
        """
        for _ in range(_MOST_WAITS):
            answer, wait = self._send("GET", f"{self.base_url}{path}", b"", {})
            if wait is None:
                break
            self.waits += 1
            time.sleep(wait)
        if answer.status != 200:  # noqa: PLR2004 - RFC 9110
            what = str(answer.document.get("detail") or "no SCIM error in the body")
            raise Stumble(f"GET {path.partition('?')[0]} was answered with {answer.status}: {what}", _remedy_of(answer))
        return answer

    def status_without_credential(self) -> int:
        """Return the status of the answer to somebody unknown."""
        answer, _ = self._send("GET", f"{self.base_url}/Users?count=1", b"", {"Authorization": ""})
        return answer.status

    def post_form(self, url: str, form: str) -> Answer:
        """Return the answer to a form, such as a request for a token."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self._send("POST", url, form.encode(), kind)[0]

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()

    def _send(self, method: str, url: str, body: bytes, more: Mapping[str, str]) -> tuple[Answer, float | None]:
        """Return the answer, and how long to wait before asking again, if that is wanted."""
        self.check()
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {name: value for name, value in {**self.headers, **more}.items() if value}
        began = time.perf_counter()
        try:
            connection = self._connection = self._connection or _connect(url)
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            text = response.read()
        except ssl.SSLCertVerificationError as error:
            raise Stumble(
                f"The certificate of {parts.netloc} is not trusted: {error.verify_message}.",
                "Importers demand a certificate of a public authority, for the name in server.public_base_url; one of"
                " your own authority is trusted here when the environment variable SSL_CERT_FILE names it.",
            ) from error
        except (OSError, HTTPException) as error:
            self.close()
            self._connection = None
            raise Stumble(
                f"{parts.netloc} gave no answer: {error or type(error).__name__}.",
                "Importers are given this address (server.public_base_url). See that its name and port lead here, from"
                " this machine too.",
            ) from error
        seconds = time.perf_counter() - began
        self.requests += 1
        self.slowest = max(self.slowest, seconds)
        wait = _wait_of(response.getheader("Retry-After")) if response.status in _WAITED_FOR else None
        return Answer(response.status, _document_of(text), seconds), wait


def _connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=context)
    return HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)


def _wait_of(header: str | None) -> float | None:
    """Return the seconds to wait, None where nobody says or it would be too long."""
    seconds = float(header) if header and header.isdigit() else None
    return None if seconds is None or seconds > _LONGEST_WAIT else seconds


def _document_of(text: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _remedy_of(answer: Answer) -> str:
    if answer.status == 503:  # noqa: PLR2004 - RFC 9110
        return "Sync first: until a directory is published, importers are answered with 503."
    if answer.document.get("scimType") == "tooMany":
        return "Set a page size in the importer, or raise server.max_results."
    if 300 <= answer.status < 400:  # noqa: PLR2004 - RFC 9110
        return "Importers follow no redirect: name the address that answers in server.public_base_url."
    return "Compare with the log of serve; a proxy in front may have answered in its place."
