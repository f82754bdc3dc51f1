"""Every route, by every method, for everybody: closed by default (P28)."""

import pytest
from flask import Flask

from connector.web.app import create_app
from tests.web.console.conftest import BASE_URL, OTHER, Console, form_token

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VALUES = {"identifier": "1", "version": "0", "name": "none", "anything": "nowhere", "importer": "oci"}


def routes(app: Flask) -> list[tuple[str, str]]:
    """Return every address of the console, with the methods of HTTP."""
    paths = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and rule.rule != "/":
            path = rule.rule
            for name, value in VALUES.items():
                path = path.replace(f"<{name}>", value).replace(f"<path:{name}>", value)
            assert "<" not in path, path
            paths.add(path)
    return [(path, method) for path in sorted(paths) for method in METHODS]


def is_open(path: str) -> bool:
    """Tell whether an address is open to strangers: the sign-in page and what pages load."""
    return path == "/console/sign-in" or path.startswith("/console/static/")


def test_a_stranger_gets_the_sign_in_and_nothing_else(console: Console):
    """P28: whatever the route and method, without a session there is only the sign-in."""
    app = create_app(console.services)
    http = app.test_client()

    for path, method in routes(app):
        answer = http.open(path, method=method, base_url=BASE_URL)
        if is_open(path):
            assert answer.status_code in {200, 403, 404, 405}, (path, method)
        else:
            assert (answer.status_code, "sign-in" in answer.headers.get("Location", "")) == (303, True), (path, method)


def test_an_importers_credential_opens_nothing(console: Console):
    """P28: a token is not a session, not even an operator's."""
    app = create_app(console.services)
    http = app.test_client()

    for token in console.tokens.values():
        for path, method in routes(app):
            if not is_open(path):
                answer = http.open(path, method=method, base_url=BASE_URL, headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 303, (path, method)


def test_an_expired_session_opens_nothing(console: Console):
    """P28: what a session opened is closed when it ends."""
    browser = console.signed_in()
    with console.database.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET seen_at = 0")

    for path, method in routes(create_app(console.services)):
        if not is_open(path):
            assert browser.http.open(path, method=method, base_url=BASE_URL).status_code == 303, (path, method)


def test_another_operators_form_is_refused(console: Console):
    """P28: a form that was made for another session does nothing, whatever it asks for."""
    mine, other = console.signed_in(), console.signed_in(OTHER)
    assert other.page
    stolen = form_token(other.page)

    for path, method in routes(create_app(console.services)):
        if method == "POST" and not is_open(path):
            answer = mine.send(path, {"form_token": stolen})
            assert answer.status_code == 403, path
            assert "too old" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "http://scim.example.com"},
        {"Origin": "https://scim.example.com:8443"},
        {"Origin": "https://scim.example.com.evil.example"},
        {"Origin": "https://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_elsewhere_is_refused_and_the_setting_named(console: Console, headers: dict[str, str]):
    """P28: the browser says where a form comes from; where the proxy's address is wrong, the page says what to set."""
    browser = console.signed_in()

    answer = browser.send("/console/runs", {"kind": "sync"}, **headers)

    assert answer.status_code == 403
    assert "server.public_base_url" in answer.text
    assert console.services.runs.history(count=1)[0].id == 1  # the publish that filled the store


def test_a_form_without_an_origin_is_refused(console: Console):
    """P28: a browser that says nothing about where a form comes from is not believed."""
    browser = console.signed_in()
    assert browser.page

    fields = {"kind": "sync", "form_token": form_token(browser.page)}
    answer = browser.http.post("/console/runs", base_url=BASE_URL, data=fields)

    assert answer.status_code == 403


def test_every_answer_is_kept_out_of_caches_and_frames(console: Console):
    """P28: strict headers stand on every page, error and redirect; only what pages load may be kept."""
    browser = console.signed_in()

    for path in ("/console", "/console/nowhere", "/console/sign-in", "/console/runs/999"):
        answer = browser.http.get(path, base_url=BASE_URL)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_wrong_method_says_which_are_right(console: Console):
    """A page that is asked for something it does not do says so."""
    browser = console.signed_in()

    answer = browser.send("/console/users", {})

    assert answer.status_code == 405
