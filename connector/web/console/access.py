"""Who may use the console: an operator with a session, in a browser that shows one of our own pages (P28, P29).

Three things together keep forms of other sites out: the cookie is not sent for them (SameSite=Strict), browsers say
where a form comes from (Origin; Sec-Fetch-Site), and each form holds a token that only our pages know.
"""

import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from flask import Response, g, request

from connector.store.client_secrets import digest, is_same
from connector.store.sessions import ConsoleSession, Sessions
from connector.web.console.rendering import Renderer
from connector.web.http.request_bodies import read_body

FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field

_MOST_FIELDS = 50
_LONGEST_NEXT = 1000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class PageRefused(Exception):
    """A request that is refused, with what a person is told about it.

    Args:
        status: of the answer.
        what: what happened, in a heading.
        detail: more about it, and what to do.
    """

    def __init__(self, status: int, what: str, detail: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names of the cookies, and how they are set; `why_not` says why none can be, if so."""

    session: str
    probe: str
    is_secure: bool
    why_not: str = ""

    @classmethod
    def for_base(cls, public_base_url: str) -> "Cookies":
        """Return those that a browser keeps at an address.

        Cookies without TLS go no further than this machine. They are shared by all ports of a host, so the port is a
        part of their names; with TLS, `__Host-` lets no other host set them (RFC 6265bis, section 4.1.3).
        """
        base = urlsplit(public_base_url)
        if base.scheme == "https":
            return cls("__Host-console", "__Host-console-probe", is_secure=True)
        why_not = (
            ""
            if is_loopback(base)
            else f"server.public_base_url is {public_base_url}. Without TLS, others could read what signs you in."
            " Set server.tls_certificate and server.tls_key, or put a proxy with TLS in front and name its https"
            " address in server.public_base_url."
        )
        return cls(f"console-{port_of(base)}", f"console-probe-{port_of(base)}", is_secure=False, why_not=why_not)

    def set(self, response: Response, name: str, value: str) -> None:
        """Have the browser keep a cookie until it is closed."""
        response.set_cookie(name, value, path="/", secure=self.is_secure, httponly=True, samesite="Strict")

    def clear(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="Strict")


class Guard:
    """Lets requests in.

    Args:
        sessions: the sessions that there are.
        public_base_url: the address of our own pages.
        renderer: makes the answers.
    """

    def __init__(self, sessions: Sessions, public_base_url: str, renderer: Renderer) -> None:
        self._sessions = sessions
        self._base = urlsplit(public_base_url)
        self._renderer = renderer
        self.cookies = Cookies.for_base(public_base_url)

    def admit(self, *, is_open: bool, is_poll: bool) -> Response | None:
        """Let a request pass, or return the answer instead; called before each view.

        Args:
            is_open: whether it needs no session.
            is_poll: whether the page asks by itself, which makes no session last longer.

        Raises:
            Refused: it comes from a page of another site.
        """
        secret = request.cookies.get(self.cookies.session, "")
        session = self._sessions.find(secret, is_use=not is_poll) if secret else None
        if session:
            self.enter(session, secret)
        if is_open:
            return None
        if not session:
            return self._lead_to_sign_in()
        if request.method not in {"GET", "HEAD"}:
            self.refuse_foreign_form()
        return None

    def enter(self, session: ConsoleSession, secret: str) -> None:
        """Let what follows know who asks."""
        g.session = session
        g.session_secret = secret
        g.form_token = form_token_of(secret)

    def refuse_foreign_form(self, expected: str | None = None) -> None:
        """Make sure that a form was sent by one of our own pages, and read it into `g.form`.

        Args:
            expected: the token it has to hold; None = that of the session.

        Raises:
            Refused: it was not.
        """
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        if origin is None or not self._is_ours(origin) or site not in {None, "same-origin"}:
            ours = f"{self._base.scheme}://{self._base.netloc}"
            raise PageRefused(
                403,
                "This form came from another address.",
                f"The browser says that it came from {origin or 'nowhere'}; this console is at {ours}. If that is not"
                " the address you use, correct server.public_base_url in the configuration and restart.",
            )
        g.form = read_form()
        wanted = g.form_token if expected is None else expected
        if not wanted or not is_same(g.form.get(FORM_TOKEN, ""), wanted):
            raise PageRefused(
                403,
                "This form is too old.",
                "It was made for another session. Nothing was done. Go back, load the page again, and repeat it.",
            )

    def safe_next(self, wanted: str) -> str:
        """Return a page of the console to go to after signing in: the wanted one, if it is one of ours."""
        start = self._renderer.to()
        fits = len(wanted) <= _LONGEST_NEXT and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
        path = wanted.partition("?")[0]
        inside = path == start or path.startswith(f"{start}/")
        public = path.startswith((self._renderer.to("sign-in"), self._renderer.to("static")))
        return wanted if fits and inside and not public and "/../" not in path else start

    def _lead_to_sign_in(self) -> Response:
        if request.headers.get("HX-Request") == "true":
            # The XMLHttpRequest would follow a redirect, and the form land in a fragment of the page.
            wanted = self._own_path(request.headers.get("HX-Current-URL", ""))
            return Response(
                status=401, headers={"HX-Redirect": self._renderer.to("sign-in", next=wanted, note="ended")}
            )
        if request.method not in {"GET", "HEAD"}:
            wanted = self._own_path(request.headers.get("Referer", ""))
            return self._renderer.go("sign-in", next=wanted, note="not-done")
        here = self._renderer.root + request.full_path.rstrip("?")
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            # A strict cookie is not sent when a link elsewhere leads here; it is, once the page asks for itself.
            return self._renderer.page("hop.html", address=self.safe_next(here))
        known = self.cookies.session in request.cookies
        return self._renderer.go("sign-in", next=self.safe_next(here), note="ended" if known else "")

    def _own_path(self, address: str) -> str:
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self.safe_next(path if self._is_ours(f"{parts.scheme}://{parts.netloc}") else "")

    def _is_ours(self, origin: str) -> bool:
        """Tell whether an origin is ours; the names of this machine are one."""
        try:
            given = urlsplit(origin)
            same = given.scheme == self._base.scheme and port_of(given) == port_of(self._base)
        except ValueError:
            return False
        return same and (given.hostname == self._base.hostname or (is_loopback(given) and is_loopback(self._base)))


def read_form() -> Mapping[str, str]:
    """Return the fields of a form; of a name that comes twice, the last."""
    try:
        pairs = parse_qsl(read_body().decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise PageRefused(400, "The form has too many fields.") from None
    return dict(pairs)


def form_token_of(secret: str) -> str:
    """Return the token that forms of a session hold; it says nothing about the secret that it is made from."""
    return digest(f"form {secret}")


def new_probe() -> str:
    """Return the value of the cookie that shows whether a browser keeps cookies at all."""
    return secrets.token_urlsafe(32)


def is_loopback(address: SplitResult) -> bool:
    """Tell whether an address is on this machine."""
    host = address.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def port_of(address: SplitResult) -> int | None:
    """Return the port of an address, or that of its scheme."""
    return address.port or _DEFAULT_PORTS.get(address.scheme)
