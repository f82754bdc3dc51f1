"""Templates to answers: every value escaped, every name known, every link below the public base URL."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Response, g, request
from jinja2 import Environment, PackageLoader, StrictUndefined

from connector import __version__
from connector.directory.counts import count_of
from connector.web.console import text
from connector.web.console.assets import read_assets
from connector.web.console.words import change_word

PREFIX = "/console"
HTML = "text/html; charset=utf-8"

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    # Pico's icons are data: URLs in its style sheet.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Another policy would make the Origin of our own forms `null`.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, HX-Request",
    "X-Frame-Options": "DENY",
}


class Said(dict[str, Any]):
    """A document in which not every name is given; what is not is None, where other unknown names are faults."""

    def __missing__(self, name: str) -> None:
        """Return nothing."""


class Renderer:
    """Makes pages.

    Args:
        public_base_url: where browsers reach the server; its path comes before every link.
        site: what every page may show beside its own: names by value.
    """

    def __init__(self, public_base_url: str, site: Mapping[str, Any]) -> None:
        self.root = urlsplit(public_base_url).path.rstrip("/")
        self._environment = Environment(
            loader=PackageLoader("connector.web.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            to=self.to,
            asset=self.asset,
            version=__version__,
            count_of=count_of,
            query=query_of,
            change_word=change_word,
            **site,
        )
        self._environment.filters.update(
            name=text.show_name,
            moment=text.show_time,
            count=text.show_count,
            duration=text.show_duration,
            signed=text.show_signed,
        )

    def to(self, *parts: object, **query: object) -> str:
        """Return the address of a page of the console."""
        path = "".join(f"/{quote(str(part), safe='')}" for part in parts)
        asked = urlencode({name.rstrip("_"): value for name, value in query.items() if value not in {None, ""}})
        return f"{self.root}{PREFIX}{path}{'?' if asked else ''}{asked}"

    def asset(self, name: str) -> str:
        """Return the address of a file that pages load."""
        return self.to("static", read_assets()[name].version, name)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page, or a fragment of one, made from a template."""
        session = g.get("session")
        made = self._environment.get_template(template).render(
            session=session, form_token=g.get("form_token", ""), path=request.path, **values
        )
        return Response(made, status, content_type=HTML)

    def go(self, *parts: object, **query: object) -> Response:
        """Lead the browser to another page of the console."""
        return self.go_to(self.to(*parts, **query))

    @staticmethod
    def go_to(address: str) -> Response:
        """Lead the browser to an address of our own, with GET."""
        return Response(status=303, headers={"Location": address})


def query_of(*asked: Mapping[str, Any]) -> str:
    """Return a query string, with its question mark, of what is not empty."""
    wanted = {name: value for part in asked for name, value in part.items() if value not in {None, ""}}
    return f"?{urlencode(wanted)}" if wanted else ""
