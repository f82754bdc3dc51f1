import base64
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from connector.store.audit import Actor
from connector.store.clients import Client, ClientRole, Grant
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.described import DESCRIPTION, OPERATIONS, DescribedClient
from tests.web.fakes import (
    OPERATOR_TOKEN,
    PUBLISHED_AT,
    TOKEN,
    FakeClients,
    FakeRun,
    FakeRuns,
    sample_reader,
    services_of,
)

DIGEST = "0123456789abcdef" * 4
RUNS = f"{BASE_URL}/api/v1/runs"


@pytest.fixture
def api(app: Flask) -> DescribedClient:
    """An operator."""
    return DescribedClient(app, f"Bearer {OPERATOR_TOKEN}")


@pytest.mark.parametrize("kind", ["check", "plan", "sync"])
def test_a_run_is_asked_for_and_can_be_followed(api: DescribedClient, runs: FakeRuns, kind: str) -> None:
    """The contract: 202, the run, and where it is; the cause in the history is the API."""
    answer = api.post("/runs", json={"kind": kind})

    assert (answer.status_code, answer.headers["Location"]) == (202, f"{RUNS}/1")
    assert document(answer) == runs.known[0].as_json() == document(api.get("/runs/1"))
    assert [(run.kind, run.cause, run.approve, run.asked_by) for run in runs.known] == [(kind, "api", None, "ops")]


def test_a_refused_plan_is_approved_by_its_digest(api: DescribedClient, runs: FakeRuns) -> None:
    """P03: an approval names one plan; a digest under which none waits is told at once."""
    runs.waiting = {DIGEST}
    refused = api.post("/runs", json={"kind": "sync", "approve": "f" * 64})
    approved = api.post("/runs", json={"kind": "sync", "approve": DIGEST})

    assert (refused.status_code, document(refused)["field"]) == (409, "approve")
    assert (approved.status_code, runs.known[-1].approve) == (202, DIGEST)


def test_a_second_request_is_answered_with_the_run_under_way(api: DescribedClient, runs: FakeRuns) -> None:
    """P20: who asks twice is told which run to look at."""
    runs.known = [FakeRun(number, state="ended", outcome="published") for number in range(1, 12)]
    api.post("/runs", json={"kind": "sync"})
    again = api.post("/runs", json={"kind": "sync"})

    assert (again.status_code, again.headers["Location"]) == (409, f"{RUNS}/12")
    assert {name: document(again)[name] for name in ("title", "status", "detail", "run")} == {
        "title": "Conflict",
        "status": 409,
        "detail": "Already running: run 12.",
        "run": 12,
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff", None),
        ('{"kind": "sync"}'.encode("utf-16"), None),
        (b"[" * 50_000, None),
        (b'{"kind": "check", "kind": "sync"}', "kind"),
        (b'{"kind": "sync", "kind": "sync"}', "kind"),
        (b'{"kind": "sync", "kin\\u0064": "plan"}', "kind"),
        (b'{"kind": {"a": 1, "a": 2}}', "a"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "\ud800"),
        (b'["sync"]', None),
        (b"null", None),
        (b"{}", "kind"),
        (b'{"kind": "import"}', "kind"),
        (b'{"kind": "rotate"}', "kind"),
        (b'{"kind": null}', "kind"),
        (b'{"kind": ["sync"]}', "kind"),
        (b'{"kind": {}}', "kind"),
        (b'{"kind": "sync", "force": true}', "force"),
        (b'{"kind": "sync", "Approve": "x"}', "Approve"),
        (b'{"kind": "plan", "approve": "' + DIGEST.encode() + b'"}', "approve"),
        (b'{"kind": "sync", "approve": "abc"}', "approve"),
        (b'{"kind": "sync", "approve": null}', "approve"),
        (b'{"kind": "sync", "approve": 12}', "approve"),
        (b'{"kind": "sync", "approve": "\\ud800"}', "approve"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(
    api: DescribedClient, runs: FakeRuns, body: bytes, field: str | None
) -> None:
    """P31: nothing is guessed; rotations are not started here."""
    answer = api.post("/runs", data=body, content_type="application/json")

    assert (answer.status_code, document(answer).get("field"), runs.known) == (400, field, [])


@given(
    body=st.binary(max_size=80) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
@example(b'{"kind": "sync", "' + b"x" * 5000 + b'": 1}')
@example(b'{"' + b"x" * 5000 + b'": 1, "' + b"x" * 5000 + b'": 1}')
@example(b'{"kind": ' + b"1" * 5000 + b"}")
def test_any_body_is_answered(body: bytes) -> None:
    """P31: any bytes are answered as described, and start nothing by chance."""
    runs = FakeRuns()
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, runs=runs))

    answer = DescribedClient(app, f"Bearer {OPERATOR_TOKEN}").post("/runs", data=body)

    assert (answer.status_code, runs.known, len(answer.data) < 1000) == (400, [], True)


def test_the_history_is_paged_from_the_newest(api: DescribedClient, runs: FakeRuns) -> None:
    """P23: an answer is bounded, and following `next` meets each run once."""
    runs.known = [FakeRun(number, state="ended", outcome="unchanged") for number in range(1, 46)]
    first = document(api.get("/runs"))
    pages = [first]
    while address := pages[-1]["next"]:
        pages.append(document(api.get(address.removeprefix(f"{BASE_URL}/api/v1"))))

    assert [len(page["runs"]) for page in pages] == [20, 20, 5]
    assert [run["id"] for page in pages for run in page["runs"]] == list(range(45, 0, -1))
    assert first["next"] == f"{RUNS}?count=20&before=26"
    assert first["runs"][0] == {name: value for name, value in runs.known[-1].as_json().items() if name != "result"}


def test_a_history_that_fits_has_no_next_page(api: DescribedClient, runs: FakeRuns) -> None:
    """The end is told, and never a page of nothing away."""
    runs.known = [FakeRun(1), FakeRun(2)]

    assert document(api.get("/runs?count=2"))["next"] is None
    assert document(api.get("/runs?count=2&before=1")) == {"runs": [], "next": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("count=0", "count"),
        ("count=101", "count"),
        ("count=-1", "count"),
        ("count=", "count"),
        ("count=%D9%A1", "count"),
        ("count=99999999999999999999", "count"),
        ("before=x", "before"),
        ("before=0", "before"),
        ("before=", "before"),
        ("after=1", "after"),
        ("count=1&count=2", None),
    ],
)
def test_a_page_that_cannot_be_is_refused(api: DescribedClient, query: str, field: str | None) -> None:
    """P31: numbers are numbers within their bounds, and no parameter is ignored."""
    answer = api.get(f"/runs?{query}")

    assert (answer.status_code, document(answer).get("field")) == (400, field)
    bounds = {"count": "from 1 to 100.", "before": "from 1 on."}.get(field or "", ".")
    assert document(answer)["detail"].endswith(bounds)


@pytest.mark.parametrize("identifier", ["2", "0", "01", "-1", "x", "%00", "99999999999999999999999", "1.0", "é"])
def test_a_run_that_is_not_there_is_not_found(api: DescribedClient, runs: FakeRuns, identifier: str) -> None:
    """P31: whatever stands where an id belongs."""
    runs.known = [FakeRun(1)]

    assert api.get(f"/runs/{identifier}").status_code == 404
    assert api.post(f"/runs/{identifier}/cancel").status_code == 404


def test_what_became_of_a_run_that_is_not_there_is_told(api: DescribedClient) -> None:
    """The history knows whether there never was one or it is no longer kept; its words reach the caller."""
    assert document(api.get("/runs/7"))["detail"] == "There is no run 7."
    assert document(api.get("/runs/x"))["detail"] == "There is no run with this id."


def test_a_run_under_way_is_cancelled_once(api: DescribedClient, runs: FakeRuns) -> None:
    """The contract: cancel ends a run; one that has ended stays as it is."""
    runs.known = [FakeRun(1, state="running")]
    first, second = api.post("/runs/1/cancel"), api.post("/runs/1/cancel")

    assert (first.status_code, first.headers["Location"], document(first)["outcome"]) == (202, f"{RUNS}/1", "cancelled")
    assert runs.known[0].cancelled_by == Actor("ops", "api", "127.0.0.1", first.headers["X-Request-Id"])
    assert (second.status_code, document(second)["detail"]) == (409, "Run 1 has ended already.")


def test_live_progress_is_in_the_run(api: DescribedClient, runs: FakeRuns) -> None:
    """The contract: a page that waits can show how far the run has come."""
    runs.known = [FakeRun(1, state="running")]

    assert document(api.get("/runs/1"))["progress"]["users"] == 60


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/runs", "/runs/1", "/runs/1/cancel", "/openapi.json", "/nothing", ""])
def test_importers_have_no_business_here(http: FlaskClient, runs: FakeRuns, method: str, path: str) -> None:
    """P28: another role is 403 on every route and method, and starts nothing."""
    runs.known = [FakeRun(1)]
    answer = http.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert [run.state for run in runs.known] == ["queued"]


def test_nobody_is_told_how_to_sign_in(app: Flask) -> None:
    """P28: without a credential it is 401 with both challenges."""
    answer = DescribedClient(app, "Bearer wrong").get("/runs")

    assert (answer.status_code, len(answer.headers.getlist("WWW-Authenticate"))) == (401, 2)


def test_basic_and_access_tokens_open_it_too(app: Flask, clients: FakeClients) -> None:
    """P28: an operator signs in by its grant, as importers do."""
    operator = Client(3, "ops-2", ClientRole.OPERATOR, Grant.BASIC, "cci_x", PUBLISHED_AT)
    clients.pairs["cci_x", "cck_x"] = operator
    basic = base64.b64encode(b"cci_x:cck_x").decode()
    token = clients.issue_token(operator, seconds=60)

    assert DescribedClient(app, f"Basic {basic}").get("/runs").status_code == 200
    assert DescribedClient(app, f"Bearer {token}").get("/runs").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "https://scim.example.com.evil.example"])
def test_a_page_of_another_site_starts_nothing(api: DescribedClient, runs: FakeRuns, origin: str) -> None:
    """P32: a browser repeats Basic credentials for any page that makes it ask; it also names that page's site."""
    runs.known = [FakeRun(1, state="running")]
    answers = [
        api.post(path, json={"kind": "sync"}, headers={"Origin": origin}) for path in ("/runs", "/runs/1/cancel")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert [run.state for run in runs.known] == ["running"]
    assert [name for answer in answers for name, _ in answer.headers if name.startswith("Access-Control")] == []


def test_reads_are_answered_whatever_page_asks(api: DescribedClient) -> None:
    """A read changes nothing, and without CORS headers a browser keeps its answer from the page."""
    answer = api.get("/runs", headers={"Origin": "https://elsewhere.example"})

    assert (answer.status_code, "Access-Control-Allow-Origin" in answer.headers) == (200, False)


def test_a_page_of_its_own_site_is_let_in(api: DescribedClient) -> None:
    """P32: the address of the server itself is no foreign site."""
    assert api.post("/runs", json={"kind": "check"}, headers={"Origin": BASE_URL}).status_code == 202


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/runs", "GET, HEAD, POST"),
        ("/runs/1", "GET, HEAD"),
        ("/runs/1/cancel", "POST"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_other_methods_are_told_which_there_are(http: FlaskClient, path: str, allowed: str) -> None:
    """RFC 9110, section 15.5.6: 405 comes with `Allow`."""
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"}
    for method in methods - set(allowed.split(", ")):
        answer = http.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})

        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert answer.mimetype == "application/problem+json"
        assert method == "HEAD" or document(answer)["title"] == "Method Not Allowed"


@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "FOO"])
@pytest.mark.parametrize(
    "path", ["/api", "/api/v2/runs", "/api/v1", "/api/v1/run", "/api/v1/runs/1/cancel/now", "/api/v1/runs/1/2"]
)
def test_an_unknown_address_is_a_problem_too(http: FlaskClient, path: str, method: str) -> None:
    """RFC 9457: every error of the API has one shape, for strangers too."""
    known = http.open(path, method=method, headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})
    stranger = http.open(path, method=method)

    assert (known.status_code, known.mimetype) == (404, "application/problem+json")
    assert (stranger.status_code, stranger.mimetype) == (401, "application/problem+json")


def test_a_store_that_does_not_answer_is_unavailable(api: DescribedClient, runs: FakeRuns) -> None:
    """P27: what is wrong with it stands in the log alone."""
    runs.broken = True
    answers = [api.get("/runs"), api.get("/runs/1"), api.post("/runs", json={"kind": "sync"})]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert "secret" not in "".join(answer.text for answer in answers)


def test_an_unforeseen_fault_is_told_by_its_request_id_alone(
    http: FlaskClient, runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P31: a 500 is fixed text and a request id."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("hidden detail")

    monkeypatch.setattr(runs, "history", explode)
    answer = http.get("/api/v1/runs", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})

    assert (answer.status_code, "hidden" in answer.text) == (500, False)
    assert document(answer)["request"] == answer.headers["X-Request-Id"]


def test_large_bodies_are_refused(api: DescribedClient) -> None:
    """P32: no request takes a body over 64 KiB."""
    assert api.post("/runs", data=b" " * (64 * 1024 + 1)).status_code == 413


def test_requests_are_counted_like_an_importers() -> None:
    """The limit is each client's own, and is told as a problem."""
    services = services_of(
        sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, requests_per_second_per_client=1, clock=lambda: 0.0
    )
    api = DescribedClient(create_app(services), f"Bearer {OPERATOR_TOKEN}")

    assert [api.get("/runs").status_code for _ in range(2)] == [200, 429]


def test_the_description_is_valid_openapi() -> None:
    """OpenAPI 3.1.0: as its own schema says."""
    validate(DESCRIPTION)


def test_every_route_is_described_and_nothing_else(app: Flask) -> None:
    """A route that nobody can look up does not exist; neither does one that is only described."""
    routes = {
        (method, rule.rule.removeprefix("/api/v1").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and not rule.endpoint.startswith("api.refuse")
        for method in (rule.methods or set()) - {"HEAD"}
    }

    assert routes == set(OPERATIONS)


def test_the_description_is_served_with_the_address_of_the_server(api: DescribedClient) -> None:
    """P31: URLs come from the configuration."""
    served: Any = document(api.get("/openapi.json"))

    assert served == DESCRIPTION | {"servers": [{"url": f"{BASE_URL}/api/v1"}]}


def test_a_rotation_is_shown_like_any_run(api: DescribedClient, runs: FakeRuns) -> None:
    """P37: it is read here, in the list and by its number, and ended; it is started elsewhere."""
    runs.known.append(FakeRun(1, "rotate", "schedule", "ended", "partly"))
    runs.known.append(FakeRun(2, "rotate", "schedule", "running"))
    listed = document(api.get("/runs"))["runs"]

    assert [(run["kind"], run["cause"], run["outcome"]) for run in listed] == [
        ("rotate", "schedule", None),
        ("rotate", "schedule", "partly"),
    ]
    assert document(api.get("/runs/1"))["result"] == {"outcome": "partly"}
    assert api.post("/runs/2/cancel").status_code == 202
