"""`/oauth2/token` against clients in a real store, asked as importers ask it."""

import base64
import logging
import sqlite3
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from connector.errors import StoreError
from connector.store.clients import ClientCredentials, Clients, Grant
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.fakes import FakeClients, FakeClock, sample_reader, services_of

TOKEN_URL = "/oauth2/token"
USERS = "/scim/v2/Users?count=1"
FORM = "application/x-www-form-urlencoded"


def header(made: ClientCredentials) -> dict[str, str]:
    """Return a client's id and secret as a header."""
    pair = f"{made.client_id}:{made.client_secret}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def identify(made: ClientCredentials) -> dict[str, str]:
    """Return a client's id and secret as parameters."""
    return {"client_id": made.client_id, "client_secret": made.client_secret}


def user(made: ClientCredentials) -> dict[str, str]:
    """Return a client's user name and password as parameters."""
    return {"username": made.username, "password": made.password}


def post(http: FlaskClient, form: dict[str, str] | str, headers: dict[str, str] | None = None) -> TestResponse:
    """Ask for a token."""
    body = form if isinstance(form, str) else urlencode(form)
    return http.post(TOKEN_URL, data=body, headers=headers, content_type=FORM)


def reads(http: FlaskClient, answer: TestResponse) -> bool:
    """Tell whether the token in an answer opens the directory."""
    token = document(answer)["access_token"]
    return http.get(USERS, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Return how a request was refused."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
    assert document(answer).keys() == {"error", "error_description"}
    return answer.status_code, document(answer)["error"]


@pytest.fixture
def machine(stored_clients: Clients) -> ClientCredentials:
    """A client of the grant client-credentials."""
    return stored_clients.create("machine", grant=Grant.CLIENT_CREDENTIALS)


@pytest.fixture
def owner(stored_clients: Clients) -> ClientCredentials:
    """A client of the grant password."""
    return stored_clients.create("owner", grant=Grant.PASSWORD)


def test_client_credentials_of_oci(served: FlaskClient, machine: ClientCredentials) -> None:
    """OCI's template "Client Credentials": id and secret as Basic, scopes separated by spaces."""
    answer = post(served, {"grant_type": "client_credentials", "scope": "urn:a urn:b"}, header(machine))

    assert answer.status_code == 200
    assert {name: value for name, value in document(answer).items() if name != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "urn:a urn:b",
    }
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert reads(served, answer)


def test_resource_owner_password_of_oci(served: FlaskClient, owner: ClientCredentials) -> None:
    """OCI's template "Resource Owner Password"."""
    answer = post(served, {"grant_type": "password", **user(owner), "scope": "all"}, header(owner))

    assert (answer.status_code, reads(served, answer)) == (200, True)


def test_client_credentials_of_connid(served: FlaskClient, machine: ClientCredentials) -> None:
    """ConnId's literal body: a leading ampersand, no grant_type, nothing encoded, sent as JSON or form alike."""
    body = f"&client_id={machine.client_id}&client_secret={machine.client_secret}"
    for content_type in (FORM, "application/json", "", "multipart/form-data; boundary=x"):
        answer = served.post(TOKEN_URL, data=body, content_type=content_type)

        assert (answer.status_code, reads(served, answer)) == (200, True)
        assert "scope" not in document(answer)


def test_resource_owner_password_of_connid(served: FlaskClient, owner: ClientCredentials) -> None:
    """ConnId's literal body with a user: that there is one tells the grant."""
    body = (
        f"&client_id={owner.client_id}&client_secret={owner.client_secret}"
        f"&username={owner.username}&password={owner.password}"
    )

    assert reads(served, post(served, body))


def test_empty_parameters_count_as_left_out(served: FlaskClient, machine: ClientCredentials) -> None:
    """RFC 6749, section 3.2: a form whose fields for the user stay empty asks for client_credentials."""
    assert reads(served, post(served, {**identify(machine), "username": "", "password": "", "scope": ""}))


def test_a_client_may_name_itself_twice_alike(served: FlaskClient, machine: ClientCredentials) -> None:
    """OCI's custom authentication header comes on top of the form; two different clients are a mistake."""
    other = {"client_id": machine.client_id, "client_secret": "other"}

    assert reads(served, post(served, identify(machine), header(machine)))
    assert reads(served, post(served, {"client_id": machine.client_id}, header(machine)))
    assert refusal(post(served, other, header(machine))) == (400, "invalid_request")


def test_a_header_of_another_scheme_does_not_hide_the_body(served: FlaskClient, machine: ClientCredentials) -> None:
    """Some importers send their last token along."""
    assert reads(served, post(served, identify(machine), {"Authorization": "Bearer cca_old"}))


def test_scopes_may_come_one_by_one(served: FlaskClient, machine: ClientCredentials) -> None:
    """RFC 6749, section 3.3: the list is told back."""
    answer = post(served, urlencode([*identify(machine).items(), ("scope", "a  b"), ("scope", "c")]))

    assert document(answer)["scope"] == "a b c"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"grant_type": "authorization_code"}, (400, "unsupported_grant_type")),
        ({"grant_type": "Password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "client_credentials"}, (400, "unauthorized_client")),
        ({"username": ""}, (400, "invalid_request")),
        ({"password": ""}, (400, "invalid_request")),
        ({"username": "other"}, (400, "invalid_grant")),
        ({"password": "other"}, (400, "invalid_grant")),
        ({"password": "\0\ud83d\ude00"}, (400, "invalid_grant")),
        ({"client_secret": "other"}, (401, "invalid_client")),
        ({"client_secret": ""}, (401, "invalid_client")),
        ({"client_id": "other"}, (401, "invalid_client")),
        ({"client_id": ""}, (401, "invalid_client")),
        ({"scope": 'a"b'}, (400, "invalid_scope")),
        ({"scope": "ä"}, (400, "invalid_scope")),
    ],
)
def test_a_refusal_says_which(
    served: FlaskClient, owner: ClientCredentials, changed: dict[str, str], expected: tuple[int, str]
) -> None:
    """RFC 6749, section 5.2: the error and its status."""
    form = {"grant_type": "password", **identify(owner), **user(owner), **changed}
    body = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()})
    answer = post(served, body)

    assert refusal(answer) == expected
    assert ("WWW-Authenticate" in answer.headers) == (expected[0] == 401)


@pytest.mark.parametrize("body", ["", "&", "=", "grant_type=client_credentials", "client_id=a", "\x00", "%", "{}"])
def test_without_id_and_secret_there_is_a_challenge(served: FlaskClient, body: str) -> None:
    """RFC 6749, section 5.2: invalid_client, 401 and the scheme that would do."""
    answer = post(served, body)

    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="cognito-scim", charset="UTF-8"'


@pytest.mark.parametrize("grant", [Grant.BASIC, Grant.PASSWORD])
def test_a_client_gets_tokens_by_its_own_grant_alone(
    served: FlaskClient, stored_clients: Clients, grant: Grant
) -> None:
    """P28: a client has one way in, the one it was made for."""
    made = stored_clients.create("oci", grant=grant)

    assert refusal(post(served, {"grant_type": "client_credentials"}, header(made))) == (400, "unauthorized_client")


def test_a_user_is_good_for_its_own_client_alone(
    served: FlaskClient, stored_clients: Clients, owner: ClientCredentials
) -> None:
    """RFC 6749, section 4.3: secrets of one importer do not help another."""
    other = stored_clients.create("other", grant=Grant.PASSWORD)

    assert refusal(post(served, {**identify(owner), **user(other)})) == (400, "invalid_grant")


def test_a_parameter_may_not_come_twice(served: FlaskClient, machine: ClientCredentials) -> None:
    """RFC 6749, section 3.2; and there is an end to their number."""
    twice = urlencode([*identify(machine).items(), ("client_id", machine.client_id)])

    assert refusal(post(served, twice)) == (400, "invalid_request")
    assert refusal(post(served, "a=1&" * 100)) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_tokens_are_asked_for_with_post(served: FlaskClient, machine: ClientCredentials, method: str) -> None:
    """RFC 6749, section 3.2: a secret in an address would end in logs, so none is read there."""
    answer = served.open(f"{TOKEN_URL}?{urlencode(identify(machine))}", method=method)

    assert refusal(answer) == (405, "invalid_request")
    assert answer.headers["Allow"] == "POST"
    assert refusal(served.post(f"{TOKEN_URL}?{urlencode(identify(machine))}")) == (401, "invalid_client")


def test_a_large_body_is_refused(served: FlaskClient) -> None:
    """P23: no more than a little is read, whether its length was announced or not."""
    for size in (20_000, 100_000):
        body = b"a" * size
        chunked = EnvironBuilder(TOKEN_URL, method="POST", data=body).get_environ()
        del chunked["CONTENT_LENGTH"]
        chunked["wsgi.input_terminated"] = True

        assert refusal(served.post(TOKEN_URL, data=body)) == (413, "invalid_request")
        assert run_wsgi_app(served.application, chunked)[1].startswith("413")


def test_revoking_a_client_ends_its_access_tokens(
    served: FlaskClient, stored_clients: Clients, machine: ClientCredentials
) -> None:
    """P29: at once, and no new one is given."""
    answer = post(served, identify(machine))
    stored_clients.revoke("machine")

    assert not reads(served, answer)
    assert refusal(post(served, identify(machine))) == (401, "invalid_client")


def test_tokens_live_side_by_side(served: FlaskClient, machine: ClientCredentials) -> None:
    """Parallel workers of an importer each fetch their own."""
    answers = [post(served, identify(machine)) for _ in range(3)]

    assert [reads(served, answer) for answer in answers] == [True, True, True]
    assert len({document(answer)["access_token"] for answer in answers}) == 3


@pytest.mark.parametrize("changed", [{"client_secret": "wrong"}, {"password": "wrong"}])
def test_failures_count_against_the_address(
    served: FlaskClient, clock: FakeClock, owner: ClientCredentials, changed: dict[str, str]
) -> None:
    """P28: guessing ends in 429, for this address and a short time, in the words of OAuth; who knows is let in."""
    form = {**identify(owner), **user(owner)}
    for _ in range(20):
        assert post(served, form | changed).status_code in {400, 401}
    answer = post(served, form | changed)

    assert refusal(answer) == (429, "slow_down")
    assert post(served, form).status_code == 200
    clock.now += int(answer.headers["Retry-After"])
    assert post(served, form | changed).status_code in {400, 401}


def test_tokens_count_as_requests_of_their_client(stored_clients: Clients, machine: ClientCredentials) -> None:
    """server.requests_per_second_per_client holds here as well."""
    clock = FakeClock()
    services = services_of(sample_reader(), stored_clients, BASE_URL, MAX_RESULTS, 0, 1, clock=clock)
    http = create_app(services).test_client()
    first, second = post(http, identify(machine)), post(http, identify(machine))

    assert (first.status_code, first.headers["X-Rate-Limit-Remaining"]) == (200, "0")
    assert refusal(second) == (429, "slow_down")
    assert second.headers["Retry-After"] == "1"


def test_a_store_that_does_not_answer_is_unavailable(
    served: FlaskClient, stored_clients: Clients, machine: ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P04: told as such, its details only to the log."""

    def fail(*_: object, **__: object) -> str:
        raise StoreError("disk I/O error in /secret/place")

    monkeypatch.setattr(stored_clients, "issue_token", fail)
    answer = post(served, identify(machine))

    assert refusal(answer) == (503, "temporarily_unavailable")
    assert ("Retry-After" in answer.headers, "secret" in answer.text) == (True, False)


def test_no_secret_reaches_a_log_an_error_or_the_database(
    served: FlaskClient, owner: ClientCredentials, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """P27: of a whole conversation, right and wrong, nothing remains but digests."""
    form = {**identify(owner), **user(owner)}
    with caplog.at_level(logging.DEBUG):
        token = document(post(served, form))["access_token"]
        refused = [post(served, form | {name: "canary" * 7}) for name in form for _ in range(8)]
        refused.append(served.get(USERS, headers={"Authorization": f"Bearer {token}x"}))
    with sqlite3.connect(tmp_path / "clients.db") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()

    told = caplog.text + dump + "".join(f"{answer.headers}{answer.text}" for answer in refused)
    for secret in (owner.client_secret, owner.password, token, "xxxxcanary"):
        assert secret[4:] not in told


_NAMES = st.sampled_from(["grant_type", "client_id", "client_secret", "username", "password", "scope", "x", ""])
_VALUES = st.text(max_size=20) | st.sampled_from(["password", "client_credentials", "\0", "%", "&", "="])
_BODIES = st.binary(max_size=80) | st.lists(st.tuples(_NAMES, _VALUES), max_size=40).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
)


@given(body=_BODIES, content_type=st.sampled_from([FORM, "", "application/json", "multipart/form-data", "\xff"]))
@example(bytes(range(256)), FORM)
@example(b"a=1;" * 1000, FORM)
def test_any_body_is_refused_and_never_a_fault(body: bytes, content_type: str) -> None:
    """P31: whatever is sent, the answer is 400 or 401 in the words of OAuth."""
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS))
    environ = EnvironBuilder(TOKEN_URL, method="POST", data=body).get_environ() | {"CONTENT_TYPE": content_type}

    pieces, status, _ = run_wsgi_app(app, environ)

    assert status[:3] in {"400", "401"}
    assert b'"error"' in b"".join(pieces)


@given(values=st.fixed_dictionaries(dict.fromkeys(("username", "password", "scope"), _VALUES)))
def test_any_values_of_a_known_client_are_answered(stored_clients: Clients, values: dict[str, str]) -> None:
    """P31: odd text reaches the store only as a digest, or not at all."""
    name = f"known-{len(stored_clients.list())}"
    made = stored_clients.create(name, grant=Grant.PASSWORD)
    app = create_app(services_of(sample_reader(), stored_clients, BASE_URL, MAX_RESULTS))
    form = {**identify(made), "grant_type": "password", **values}
    body = urlencode({key: value.encode("utf-8", "surrogatepass") for key, value in form.items()})

    assert post(app.test_client(), body).status_code == 400
