"""`/api/v1`: runs are asked for, looked at and ended, by operators alone; executing them is the runner's business.

It is for scripts, and for the server behind somebody's page with the buttons Test Connectivity and Import.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, g, request
from scim2_models import ForbiddenException

from connector.directory.runs import Cause
from connector.errors import AlreadyRunning, ApprovalRefused, NoChangesKept, NoSuchRun, NothingToDiscard, RunEnded
from connector.scim.schemas import read_document
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import ClientRole
from connector.store.runs.queue import RunRecord, Runs
from connector.web.access.sign_ins import actor_of_request
from connector.web.api.api_requests import (
    read_changes_request,
    read_discard_request,
    read_page_request,
    read_run_id,
    read_run_request,
)
from connector.web.api.problems import PROBLEM, Problem
from connector.web.fault_answers import answer_faults
from connector.web.http.any_method import any_method
from connector.web.http.request_bodies import read_body
from connector.web.services import Services

PREFIX = "/api/v1"

_ROOT = "/api"
_View = Callable[..., Response]


def api_blueprint(services: Services) -> Blueprint:
    """Return the routes under `/api/v1`, for operators only."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    api.before_request(_require_operator)
    api.before_request(partial(_refuse_foreign_page, services.public_base_url))
    answer_faults(api, PROBLEM)
    endpoint = RunsEndpoint(services.runs, services.changes, services.public_base_url.rstrip("/") + PREFIX)
    for rule, views in endpoint.views().items():
        for method, view in views.items():
            api.add_url_rule(rule, view_func=view, methods=[method])
        allowed = {*views, "HEAD"} if "GET" in views else {*views}
        name = f"refuse_{'_'.join(view.__name__ for view in views.values())}"
        api.record(any_method(PREFIX + rule, f"{api.name}.{name}", partial(_refuse_method, allowed)))
    for rule in (_ROOT, f"{_ROOT}/<path:anything>"):
        api.record(any_method(rule, f"{api.name}.refuse_address", _refuse_address))
    return api


class RunsEndpoint:
    """Answers what is asked about runs.

    Args:
        runs: the queue and the history.
        changes: what runs changed.
        base: the URL of the API, as callers reach it.
    """

    def __init__(self, runs: Runs, changes: ChangesReader, base: str) -> None:
        self._runs = runs
        self._changes = changes
        self._base = base
        self._description = json.dumps(read_document("openapi") | {"servers": [{"url": base}]})

    def views(self) -> dict[str, dict[str, _View]]:
        """Return the views behind each rule, by their methods."""
        return {
            "/runs": {"GET": self.list_runs, "POST": self.start_run},
            "/runs/<identifier>": {"GET": self.show_run},
            "/runs/<identifier>/changes": {"GET": self.list_changes},
            "/runs/<identifier>/cancel": {"POST": self.cancel_run},
            "/runs/<identifier>/discard": {"POST": self.discard_plan},
            "/openapi.json": {"GET": self.describe},
        }

    def list_runs(self) -> Response:
        """Answer with a part of the history, newest first."""
        wanted = read_page_request(request.args.items(multi=True))
        found = self._runs.history(count=wanted.count + 1, before=wanted.before)
        page = found[: wanted.count]
        more = len(found) > wanted.count
        address = f"{self._base}/runs?count={wanted.count}&before={page[-1].id}" if more else None
        return _answer({"runs": [_summary(run) for run in page], "next": address})

    def start_run(self) -> Response:
        """Ask for a run, and answer where it can be followed."""
        wanted = read_run_request(read_body())
        try:
            run = self._runs.request(
                wanted.kind, cause=Cause.API, approve=wanted.approve, by=actor_of_request(Cause.API)
            )
        except AlreadyRunning as fault:
            raise Problem(409, fault.message, self._location(fault.run), run=fault.run) from fault
        except ApprovalRefused as fault:
            raise Problem(409, str(fault), field="approve") from fault
        return _answer(run.as_json(), 202, self._location(run.id))

    def show_run(self, identifier: str) -> Response:
        """Answer with one run, as far as it has come."""
        return _answer(self._find(identifier).as_json())

    def cancel_run(self, identifier: str) -> Response:
        """Ask a run to end; what it published stays, and what it did not is dropped."""
        number = self._find(identifier).id
        try:
            run = self._runs.cancel(number, by=actor_of_request(Cause.API))
        except RunEnded as fault:
            raise Problem(409, fault.message) from fault
        return _answer(run.as_json(), 202, self._location(number))

    def discard_plan(self, identifier: str) -> Response:
        """Discard the refused plan of a run, so that nobody can approve it any more."""
        number, reason = self._find(identifier).id, read_discard_request(read_body())
        try:
            run = self._runs.discard(number, by=actor_of_request(Cause.API), reason=reason)
        except NothingToDiscard as fault:
            raise Problem(409, fault.message) from fault
        return _answer(run.as_json())

    def list_changes(self, identifier: str) -> Response:
        """Answer with some of what a run changed, or would change."""
        number, asked = self._find(identifier).id, read_changes_request(request.args.items(multi=True))
        try:
            found = self._changes.of_run(number).page(asked.wanted, after=asked.after, count=asked.count + 1)
        except NoChangesKept as fault:
            raise Problem(409, str(fault)) from fault
        except ValueError as fault:
            raise Problem(400, "after is not the key of a change.", field="after") from fault
        page = found[: asked.count]
        more = len(found) > asked.count
        address = f"{self._base}/runs/{number}/changes?{asked.query(after=page[-1].key)}" if more else None
        return _answer({"changes": [change.as_json() for change in page], "next": address})

    def describe(self) -> Response:
        """Answer with the description of the API (OpenAPI 3.1)."""
        return Response(self._description, content_type="application/json")

    def _find(self, identifier: str) -> RunRecord:
        number = read_run_id(identifier)
        if number is None:
            raise Problem(404, "There is no run with this id.")
        try:
            return self._runs.find(number)
        except NoSuchRun as fault:
            raise Problem(404, fault.message) from fault

    def _location(self, run: int) -> dict[str, str]:
        return {"Location": f"{self._base}/runs/{run}"}


def _summary(run: RunRecord) -> dict[str, Any]:
    """Leave out what may be long: a hundred results could name a hundred thousand rejects."""
    return {name: value for name, value in run.as_json().items() if name != "result"}


def _answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(document), status, headers, content_type="application/json")


def _require_operator() -> None:
    if g.client.role is not ClientRole.OPERATOR:
        raise ForbiddenException(detail="This client is not an operator.")


def _refuse_foreign_page(public_base_url: str) -> None:
    """Refuse what a browser sends for a page of another site.

    No cookie opens these routes, but a browser repeats Basic credentials that were typed into it once, whoever asks it
    to. It names the site whose page asks in `Origin`, and to `POST` always.
    """
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin != _origin_of(public_base_url):
        raise ForbiddenException(detail="Pages of other sites are not let in.")


def _origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _refuse_method(allowed: set[str], **_: str) -> Response:
    raise Problem(405, "This method is not supported here.", {"Allow": ", ".join(sorted(allowed))})


def _refuse_address(**_: str) -> Response:
    raise Problem(404, "There is nothing at this address.")
