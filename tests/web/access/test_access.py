import contextlib
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from connector.web.access.authentication import OPEN_ENDPOINTS, read_token
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, Ask, document
from tests.web.fakes import OPERATOR_TOKEN, REVOKED_TOKEN, TOKEN, FakeClients, FakeClock, sample_reader, services_of

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
IMPORTER = [("Authorization", f"Bearer {TOKEN}")]
NO_ACCESS: dict[str, dict[str, str]] = {
    "none": {},
    "bad": {"Authorization": "Bearer ccs_bad"},
    "revoked": {"Authorization": f"Bearer {REVOKED_TOKEN}"},
    "bare": {"Authorization": TOKEN},
    "basic": {"Authorization": "Basic Y2NzX2ltcG9ydGVyOg=="},
    "empty": {"Authorization": "Bearer "},
    "twice": {"Authorization": f"Bearer {TOKEN},Bearer {TOKEN}"},
}


def _addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """Every address that a rule of the application stands for, with its endpoint, and some that no rule knows."""
    for rule in app.url_map.iter_rules():
        yield rule.endpoint, rule.rule.replace("<identifier>", "some-id").replace("<path:anything>", "any/thing")
    yield from (("", path) for path in ("/", "/scim", "/scim/v2/", "/console/", "/static/x", "/metrics"))


@pytest.mark.parametrize("headers", NO_ACCESS.values(), ids=NO_ACCESS)
def test_every_route_is_closed_without_a_valid_token(
    app: Flask, http: FlaskClient, clock: FakeClock, headers: dict[str, str]
) -> None:
    """P28: every address answers every method with 401 and the challenges, but for the listed open ones.

    The token endpoint is open because it checks credentials itself; test_token_endpoint.py is about that.
    """
    for endpoint, path in _addresses(app):
        for method in METHODS if endpoint != "tokens.issue" else ():
            clock.now += 60
            answer = http.open(path, method=method, headers=headers)
            if endpoint in OPEN_ENDPOINTS and method in {"GET", "HEAD"}:
                assert answer.status_code == 200, (method, path)
                continue
            assert (answer.status_code, method, path) == (401, method, path)
            assert answer.headers.getlist("WWW-Authenticate") == [
                'Bearer realm="cognito-scim"',
                'Basic realm="cognito-scim", charset="UTF-8"',
            ]
            assert method == "HEAD" or str(document(answer)["status"]) == "401"


def test_without_any_client_nobody_comes_in() -> None:
    """P28: closed is the default, and no token at all opens nothing."""
    clients = FakeClients()
    clients.known.clear()
    http = create_app(services_of(sample_reader(), clients, BASE_URL, MAX_RESULTS)).test_client()

    assert http.get("/scim/v2/Users", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


def test_revocation_holds_from_the_next_request_on(ask: Ask, clients: FakeClients) -> None:
    """P29: nothing remembers who was let in before."""
    before = ask("/scim/v2/Users?count=1").status_code
    clients.known.clear()

    assert (before, ask("/scim/v2/Users?count=1").status_code) == (200, 401)


@pytest.mark.parametrize("path", ["/scim/v2/Users", "/scim/v2/Schemas", "/scim/v2/Me", "/scim/v2/Nothing"])
def test_only_importers_read_the_directory(http: FlaskClient, path: str) -> None:
    """P28: another role has a valid token and still no business here."""
    answer = http.get(path, headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})

    assert (answer.status_code, document(answer)["status"]) == (403, "403")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(http: FlaskClient, scheme: str) -> None:
    """RFC 9110, section 11.1: the name of a scheme is written in any case."""
    assert http.get("/scim/v2/Users?count=1", headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("Bearer   abc ", "abc"),
        ("Bearer abc==", "abc=="),
        ("Bearer a b", ""),
        ("Bearer ü", ""),
        ("Bearer abc\n", ""),
        (f"Bearer {'a' * 513}", ""),
        ("Bearerabc", ""),
        ("", ""),
    ],
)
def test_a_token_is_read_from_its_header_alone(header: str, token: str) -> None:
    """RFC 6750, section 2.1: what is not a b64token is none."""
    assert read_token(header) == token


@given(value=st.binary(max_size=60))
@example(bytes(range(256)))
@example(b"Bearer " + bytes(range(128, 256)))
@example(b"Bearer " + b"a" * 1_000_000)
@example(b"Bearer \x00")
def test_any_header_bytes_are_refused_and_never_a_fault(value: bytes) -> None:
    """P29: whatever stands in the header, it is 401, and only plausible tokens reach the store."""
    clients = FakeClients()
    app = create_app(services_of(sample_reader(), clients, BASE_URL, MAX_RESULTS))
    for header in (value, b"Bearer " + value):
        environ = EnvironBuilder("/scim/v2/Users").get_environ()
        environ["HTTP_AUTHORIZATION"] = header.decode("latin-1")

        _, status, _ = run_wsgi_app(app, environ)

        assert status.startswith("401")
    assert all(token.isascii() for token in clients.asked)


_NAMES = st.sampled_from(["HTTP_HOST", "HTTP_ACCEPT", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_FORWARDED_HOST"])


@given(headers=st.dictionaries(_NAMES, st.binary(max_size=40), max_size=3))
@example({"CONTENT_LENGTH": b"-1"})
@example({"HTTP_ACCEPT": b"application/json;q=x,;;,\xff"})
@example({"HTTP_HOST": b"[::1"})
def test_any_other_header_is_no_fault(headers: dict[str, bytes]) -> None:
    """P31: hostile headers may be refused, but they break nothing and change no address that is served."""
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS))
    environ = EnvironBuilder("/scim/v2/ResourceTypes/User", headers=IMPORTER).get_environ()
    environ.update({name: value.decode("latin-1") for name, value in headers.items()})

    body, status, _ = run_wsgi_app(app, environ)

    assert status[0] in "24"
    assert status[0] == "4" or b'"location":"https://scim.example.com/scim/v2/ResourceTypes/User"' in b"".join(body)


_PIECES = st.sampled_from(["scim", "v2", "Users", "groups", "Me", "..", ".", "", "%2F", "%00", "é", "Schemas", "livez"])
_PATHS = st.text(max_size=30) | st.lists(_PIECES, max_size=6).map("/".join)


@given(path=_PATHS, query=st.binary(max_size=40), method=st.sampled_from(METHODS))
def test_any_address_is_answered(path: str, query: bytes, method: str) -> None:
    """P31: any path and any query are answered with success or a 4xx, and `/Me` with 501."""
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, 100))
    environ = EnvironBuilder("/", method=method, headers=IMPORTER).get_environ()
    for prefix in ("/", "/scim/v2/", "/scim/v2/Users/"):
        raw = (prefix + path).encode("utf-8", "surrogatepass").decode("latin-1")
        environ |= {"PATH_INFO": raw, "QUERY_STRING": query.decode("latin-1")}

        _, status, headers = run_wsgi_app(app, dict(environ))

        assert status[:3] in {"200", "204", "400", "403", "404", "405"} or (status[:3], "Me" in path) == ("501", True)
        assert "Location" not in headers


@given(query=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_query_of_a_list_is_answered(query: bytes) -> None:
    """P31: raw bytes as count, startIndex, filter or whole query give 200 or 400."""
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, 100))
    environ = EnvironBuilder("/scim/v2/Users", headers=IMPORTER).get_environ()
    for parameter in (b"", b"count=", b"startIndex=", b"filter="):
        environ["QUERY_STRING"] = (parameter + query).decode("latin-1")

        _, status, _ = run_wsgi_app(app, dict(environ))

        assert status[:3] in {"200", "400"}


def test_tokens_appear_in_no_answer(ask: Ask) -> None:
    """P27: an answer never repeats a credential."""
    for path in ("/scim/v2/Users", "/scim/v2/Nothing", "/scim/v2/Users?count=x"):
        with contextlib.closing(ask(path)) as answer:
            assert TOKEN not in answer.text
            assert TOKEN not in str(answer.headers)
