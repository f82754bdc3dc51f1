from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.web.app import create_app
from connector.web.http.tolerant_paths import canonical_path
from tests.web.conftest import BASE_URL, MAX_RESULTS, Ask, document
from tests.web.fakes import TOKEN, FakeClients, FakeReader, sample_reader, services_of

SCIM_JSON = "application/scim+json; charset=utf-8"
SEARCHES = ["/scim/v2/.search", "/scim/v2/Users/.search", "/scim/v2/Groups/.search"]
ANYWHERE = [
    "",
    "/Users",
    "/Users/some-id",
    "/Groups",
    "/Schemas",
    "/ResourceTypes/User",
    "/Me",
    "/x/y",
]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ANYWHERE)
def test_every_write_is_refused_as_a_method(ask: Ask, path: str, method: str) -> None:
    """Importers take 404 and 501 for success, so a write anywhere under /scim/v2 is 405 with Allow."""
    answer = ask(f"/scim/v2{path}", method, json={})

    assert (answer.status_code, answer.headers["Allow"], document(answer)["status"]) == (
        405,
        "GET, HEAD, OPTIONS",
        "405",
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", SEARCHES)
def test_a_search_is_posted_and_nothing_else(ask: Ask, path: str, method: str) -> None:
    """RFC 7644, section 3.4.3: the address of a search takes no other method."""
    answer = ask(path, method, json={})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_bulk_is_known_and_takes_no_method(ask: Ask, method: str) -> None:
    """RFC 9110, section 10.2.1: an empty Allow says so; importers take 404 and 501 for success."""
    answer = ask("/scim/v2/bulk", method, json={})

    assert (answer.status_code, answer.headers["Allow"], document(answer)["status"]) == (405, "", "405")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *[(f"/scim/v2{path}", "GET, HEAD, OPTIONS") for path in ["", "/Users", "/Groups/x", "/Schemas"]],
        *[(path, "POST, OPTIONS") for path in SEARCHES],
    ],
)
def test_options_tells_the_methods(ask: Ask, path: str, allowed: str) -> None:
    """RFC 9110, section 9.3.7: OPTIONS is answered without a body, and truly."""
    answer = ask(path, "OPTIONS")

    assert (answer.status_code, answer.headers["Allow"], answer.data) == (204, allowed, b"")
    assert "Content-Type" not in answer.headers
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (ask(path, method, json={}).status_code == 405) == (method not in allowed)


def test_options_needs_a_credential(http: FlaskClient) -> None:
    """P28: not even the methods are told to strangers."""
    assert http.options("/scim/v2/Users").status_code == 401


def test_options_of_an_unknown_address_is_not_found(ask: Ask) -> None:
    """RFC 7644, section 3.12: there are no methods of nothing."""
    assert ask("/scim/v2/Nothing", "OPTIONS").status_code == 404


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_other_methods_are_refused_too(ask: Ask, method: str) -> None:
    """RFC 9110, section 15.5.6: a 405 lists the methods that are supported."""
    answer = ask("/scim/v2/Users", method)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_me_is_not_implemented(ask: Ask) -> None:
    """RFC 7644, section 3.11: a caller is no user, which is 501."""
    answer = ask("/scim/v2/Me")

    assert (answer.status_code, document(answer)["status"]) == (501, "501")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, SCIM_JSON),
        ("*/*", SCIM_JSON),
        ("application/scim+json", SCIM_JSON),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/json, application/scim+json", SCIM_JSON),
        ("application/json, text/plain, */*", SCIM_JSON),
        ("text/html", SCIM_JSON),
    ],
)
@pytest.mark.parametrize("path", ["Users?count=1", "Schemas", "Users/nobody", "Users?count=x"])
def test_the_content_type_is_one_the_caller_reads(ask: Ask, path: str, accept: str | None, content_type: str) -> None:
    """RFC 7644, section 3.1: plain JSON for those who accept nothing else, errors included; never 406."""
    answer = ask(f"/scim/v2/{path}", headers={"Accept": accept} if accept else {})

    assert answer.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("/scim/v2//Users", "/scim/v2/Users"),
        ("//scim/v2/Users/", "/scim/v2/Users"),
        ("/scim/v2/users", "/scim/v2/Users"),
        ("/scim/v2/GROUPS/Abc/", "/scim/v2/Groups/Abc"),
        ("/scim/v2/serviceproviderconfig", "/scim/v2/ServiceProviderConfig"),
        ("/scim/v2/resourcetypes/User", "/scim/v2/ResourceTypes/User"),
        ("/scim/v2/schemas", "/scim/v2/Schemas"),
        ("/scim/v2/Users/users", "/scim/v2/Users/users"),
        ("/users", "/users"),
        ("/scim/v2/", "/scim/v2"),
        ("", "/"),
    ],
)
def test_paths_are_read_as_importers_write_them(written: str, canonical: str) -> None:
    """A base URL with a slash at its end gives `//Users`; ids stay as they are."""
    assert canonical_path(written) == canonical


@pytest.mark.parametrize("path", ["/scim/v2/Users", "/x/y/scim/v2/Users", "/x//y//scim/v2//users/"])
def test_a_base_path_may_be_left_in_front(path: str) -> None:
    """`server.public_base_url: https://h/x/y` works whether the proxy takes the path away or not."""
    services = services_of(sample_reader(), FakeClients(), "https://h/x/y", MAX_RESULTS)
    answer = (
        create_app(services)
        .test_client()
        .get(path, query_string={"count": 1}, headers={"Authorization": f"Bearer {TOKEN}"})
    )

    assert document(answer)["Resources"][0]["meta"]["location"].startswith("https://h/x/y/scim/v2/Users/")


def test_another_path_is_not_taken_for_the_base_path() -> None:
    """Only whole parts of the path are taken away, and once."""
    http = create_app(services_of(sample_reader(), FakeClients(), "https://h/x", MAX_RESULTS)).test_client()
    statuses = [
        http.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code
        for path in ("/xy/scim/v2/Schemas", "/x/x/scim/v2/Schemas", "/x", "/x/livez")
    ]

    assert statuses == [404, 404, 404, 200]


@pytest.mark.parametrize("path", ["/scim/v2//Users", "/scim/v2/users/", "/scim/v2/USERS", "/scim//v2//Users//"])
def test_tolerated_paths_are_answered_and_not_redirected(ask: Ask, path: str) -> None:
    """A redirect would follow the Host header, and importers do not follow it."""
    assert document(ask(f"{path}?count=1"))["itemsPerPage"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"},
        {"Forwarded": "host=evil.example"},
        {"X-Original-URL": "/evil.example"},
    ],
)
@pytest.mark.parametrize("proxies", [0, 1])
def test_addresses_come_from_the_public_base_url_alone(
    reader: FakeReader, headers: dict[str, str], proxies: int
) -> None:
    """P31: no header changes an address that is served."""
    http = create_app(services_of(reader, FakeClients(), BASE_URL, MAX_RESULTS, proxies)).test_client()
    for path in ("Users?count=3", "Groups", "Schemas", "ServiceProviderConfig"):
        answer = http.get(f"/scim/v2/{path}", headers={"Authorization": f"Bearer {TOKEN}", **headers})

        assert answer.status_code == 200
        assert "evil" not in answer.text
        assert f'"location":"{BASE_URL}/scim/v2/' in answer.text


@pytest.mark.parametrize(("proxies", "caller"), [(0, "127.0.0.1"), (1, "192.0.2.7")])
def test_only_declared_proxies_are_believed(reader: FakeReader, proxies: int, caller: str) -> None:
    """P31: X-Forwarded-For counts only with a configured number of proxies."""
    app = create_app(services_of(reader, FakeClients(), BASE_URL, MAX_RESULTS, proxies))
    seen: list[str | None] = []
    app.before_request(lambda: seen.append(request.remote_addr))

    app.test_client().get(
        "/scim/v2/Schemas", headers={"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "192.0.2.7"}
    )

    assert seen == [caller]


@pytest.mark.parametrize("path", ["/scim/v2/Users?count=1", "/scim/v2/Nothing", "/livez", "/readyz", "/nowhere"])
def test_every_answer_carries_the_security_headers(ask: Ask, http: FlaskClient, path: str) -> None:
    """P32: nothing is guessed, cached, framed or run, refusals included."""
    for answer in (ask(path), http.get(path)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Server" not in answer.headers


def test_every_request_has_an_id_of_its_own(ask: Ask) -> None:
    """P31: a request is found in the log by its id, which the caller cannot choose."""
    answers = [ask("/livez", headers={"X-Request-Id": "mine"}) for _ in range(3)]

    assert len({answer.headers["X-Request-Id"] for answer in answers} - {"mine"}) == 3


def test_a_server_of_ones_own_needs_no_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The contract: `connector.web.app:create_app` finds its services by the configuration."""
    url = f"sqlite:///{tmp_path}/store.db"
    database = open_database(url)
    token = Clients(database).create("idp").token
    database.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", url)
    monkeypatch.setenv("COGNITO_SCIM_SERVER__PUBLIC_BASE_URL", BASE_URL)

    http = create_app().test_client()

    assert (http.get("/livez").status_code, http.get("/scim/v2/Schemas").status_code) == (200, 401)
    config = document(http.get("/scim/v2/ServiceProviderConfig", headers={"Authorization": f"Bearer {token}"}))
    assert config["meta"]["location"] == f"{BASE_URL}/scim/v2/ServiceProviderConfig"


def test_no_rule_can_redirect(app: Flask) -> None:
    """P31: a redirect would name the host that the caller sent."""
    assert (app.url_map.strict_slashes, app.url_map.merge_slashes) == (False, False)


def test_a_large_write_is_a_write(ask: Ask) -> None:
    """The contract: any write is 405 with Allow, whatever it carries."""
    answer = ask("/scim/v2/Users", "POST", data=b"x" * 300_000)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    [
        "/Users/00000000-0000-4000-8000-000000000001",
        "/Groups/11111111-0000-5000-8000-000000000000",
        "/ServiceProviderConfig",
        "/ResourceTypes/User",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    ],
)
def test_one_resource_says_where_it_is(ask: Ask, path: str) -> None:
    """RFC 7643, section 3.1: Content-Location is the same as meta.location, unmodified or not."""
    answer = ask(f"/scim/v2{path}")
    again = ask(f"/scim/v2{path}", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.headers["Content-Location"] == document(answer)["meta"]["location"]
    assert (again.status_code, again.headers["Content-Location"]) == (304, answer.headers["Content-Location"])


@pytest.mark.parametrize("path", ["/Users?count=1", "/Schemas", "/ServiceProviderConfig"])
def test_a_read_may_ask_for_one_version_only(ask: Ask, path: str) -> None:
    """RFC 9110, section 13.1.1: If-Match names the version that is wanted, or any."""
    tag = ask(f"/scim/v2{path}").headers["ETag"]
    statuses = [ask(f"/scim/v2{path}", headers={"If-Match": wanted}).status_code for wanted in (tag, "*", 'W/"other"')]

    assert statuses == [200, 200, 412]
