"""The routes under `/console`: closed by default, each answered by its page, everything else by a page that says so.

The web never calls AWS: what takes AWS is a run, asked for by the same functions as in the API.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from flask import Blueprint, Response, abort
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import Rule

from connector.web.access.authentication import CONSOLE, CONSOLE_DOOR, is_browser
from connector.web.access.limits import RateLimits
from connector.web.access.sign_ins import CallerActivity
from connector.web.console.access import Guard, PageRefused
from connector.web.console.assets import read_assets
from connector.web.console.error_pages import error_pages
from connector.web.console.pages.audit_trail import AuditPages
from connector.web.console.pages.changes import ChangesPages
from connector.web.console.pages.directory import DirectoryPages
from connector.web.console.pages.importers import ImporterPages
from connector.web.console.pages.missing import MissingPage
from connector.web.console.pages.overview import Overview
from connector.web.console.pages.rotation import RotationPage
from connector.web.console.pages.routes import ConsolePage, View, Views
from connector.web.console.pages.runs import RunPages
from connector.web.console.pages.settings import SettingsPage
from connector.web.console.pages.signing_in import Admission, SigningIn
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import PREFIX, SECURITY_HEADERS, Renderer
from connector.web.fault_answers import answer_faults
from connector.web.http.any_method import any_method
from connector.web.services import Services

POLL = "live"
"""The last part of the addresses that pages ask for by themselves."""

_OPEN_RULES = frozenset({"/sign-in", "/static/<version>/<name>"})
_FOR_GOOD = "public, max-age=31536000, immutable"


def console_blueprint(
    services: Services, parts: ConsoleParts, limits: RateLimits, sign_ins: CallerActivity
) -> Blueprint:
    """Return the routes of the console."""
    renderer = Renderer(services.public_base_url, {"pool_id": parts.pool_id})
    guard = Guard(parts.sessions, services.public_base_url, renderer)
    console = Blueprint(CONSOLE, __name__, url_prefix=PREFIX)
    answer_faults(console, error_pages(renderer))
    console.after_request(_protect)
    pages: list[ConsolePage] = [
        Overview(renderer, services, parts),
        RunPages(renderer, parts.runs, services.measures),
        ChangesPages(renderer, parts),
        DirectoryPages(renderer, services, parts),
        MissingPage(renderer, services, parts),
        ImporterPages(renderer, services, parts),
        RotationPage(renderer, services, parts),
        AuditPages(renderer, services, parts),
        SettingsPage(renderer, services, parts),
        SigningIn(renderer, guard, parts.clients, parts.sessions, Admission(limits, sign_ins)),
    ]
    views: Views = {rule: methods for page in pages for rule, methods in page.views().items()}
    for rule, methods in {**views, "/static/<version>/<name>": {"GET": _serve_asset}}.items():
        _add(console, guard, rule, methods)
    for rule in (PREFIX, f"{PREFIX}/<path:anything>"):
        console.record(any_method(rule, f"{CONSOLE}.nowhere", partial(_admitted, guard, rule, _refuse_address)))
    console.record(_lead_browsers(renderer))
    return console


def _add(console: Blueprint, guard: Guard, rule: str, methods: Mapping[str, View]) -> None:
    name = "overview" if rule == "" else re.sub(r"[^a-z]+", "-", rule).strip("-")
    for method, view in methods.items():
        admitted = partial(_admitted, guard, rule, view)
        console.add_url_rule(rule, f"{name}-{method.lower()}", admitted, methods=[method])
    refuse = partial(_admitted, guard, rule, partial(_refuse_method, methods))
    console.record(any_method(PREFIX + rule, f"{CONSOLE}.{name}-refuse", refuse))


def _admitted(guard: Guard, rule: str, view: View, **values: str) -> Response:
    """Answer with a view, once the guard lets the request in."""
    instead = guard.admit(is_open=rule in _OPEN_RULES, is_poll=rule.endswith(f"/{POLL}"))
    return instead or view(**values)


def _serve_asset(version: str, name: str) -> Response:
    asset = read_assets().get(name)
    if asset is None or asset.version != version:
        raise PageRefused(404, "There is no such file.")
    return Response(asset.content, content_type=asset.content_type, headers={"Cache-Control": _FOR_GOOD})


def _protect(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _refuse_method(methods: Mapping[str, View], **_: str) -> Response:
    raise PageRefused(405, "This page does not take that.", f"It takes {' and '.join(methods)}.")


def _refuse_address(**_: str) -> Response:
    raise PageRefused(
        404, "There is nothing at this address.", "What was here may be past its time, or it is mistyped."
    )


def _lead_browsers(renderer: Renderer) -> Callable[[BlueprintSetupState], None]:
    """Lead whoever opens the bare address in a browser to the console; everybody else is answered as before."""

    def add(state: BlueprintSetupState) -> None:
        app = state.app
        app.url_map.add(Rule("/", endpoint=CONSOLE_DOOR, methods=["GET"]))
        app.view_functions[CONSOLE_DOOR] = lambda: renderer.go() if is_browser() else abort(404)

    return add
