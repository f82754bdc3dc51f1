"""Every way to sign in that importers' templates offer, against clients in a real store."""

import base64
import logging
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from connector.store.clients import ClientRole, Clients, Grant
from connector.web.access.authentication import Pair, read_pair
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.fakes import FakeClients, sample_reader, services_of

USERS = "/scim/v2/Users?count=1"


def basic(client_id: str, client_secret: str, scheme: str = "Basic") -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": f"{scheme} {base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()}"}


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_a_basic_client_reads_with_its_id_and_secret(served: FlaskClient, stored_clients: Clients, scheme: str) -> None:
    """RFC 7617: OCI's template "Basic", SailPoint's and midPoint's; the scheme in any case (RFC 9110, 11.1)."""
    made = stored_clients.create("oci", grant=Grant.BASIC)

    assert served.get(USERS, headers=basic(made.client_id, made.client_secret, scheme)).status_code == 200


def test_a_pair_may_be_percent_encoded(served: FlaskClient, stored_clients: Clients) -> None:
    """RFC 6749, section 2.3.1: libraries of OAuth encode both parts, others neither."""
    made = stored_clients.create("oci", grant=Grant.BASIC)
    encoded = ["".join(f"%{ord(sign):02x}" for sign in part) for part in (made.client_id, made.client_secret)]

    assert served.get(USERS, headers=basic(encoded[0], encoded[1])).status_code == 200


def test_a_wrong_pair_is_a_scim_error_with_both_challenges(served: FlaskClient, stored_clients: Clients) -> None:
    """RFC 7644, section 3.12: the status is a string; clients that wait for a challenge find theirs."""
    made, other = (stored_clients.create(name, grant=Grant.BASIC) for name in ("oci", "okta"))
    for pair in ((made.client_id, other.client_secret), (made.client_id, ""), ("", made.client_secret), ("ü", "ß")):
        answer = served.get(USERS, headers=basic(*pair))

        assert (answer.status_code, document(answer)["status"]) == (401, "401")
        assert [challenge.split()[0] for challenge in answer.headers.getlist("WWW-Authenticate")] == ["Bearer", "Basic"]


@pytest.mark.parametrize("grant", [Grant.CLIENT_CREDENTIALS, Grant.PASSWORD])
def test_clients_of_the_token_endpoint_do_not_come_in_by_basic(
    served: FlaskClient, stored_clients: Clients, grant: Grant
) -> None:
    """P28: a client has one way in, the one it was made for."""
    made = stored_clients.create("oci", grant=grant)

    assert served.get(USERS, headers=basic(made.client_id, made.client_secret)).status_code == 401
    assert served.get(USERS, headers={"Authorization": f"Bearer {made.client_secret}"}).status_code == 401


def test_a_revoked_pair_is_refused_at_once(served: FlaskClient, stored_clients: Clients) -> None:
    """P29: nothing remembers who was let in before."""
    made = stored_clients.create("oci", grant=Grant.BASIC)
    headers = basic(made.client_id, made.client_secret)
    before = served.get(USERS, headers=headers).status_code
    stored_clients.revoke("oci")

    assert (before, served.get(USERS, headers=headers).status_code) == (200, 401)


def test_an_expired_access_token_is_refused_with_401(served: FlaskClient, stored_clients: Clients) -> None:
    """ConnId fetches a new token only when it is told 401."""
    made = stored_clients.create("oci", grant=Grant.CLIENT_CREDENTIALS)
    client = stored_clients.verify(made.client_id, made.client_secret)
    assert client
    good, expired = (stored_clients.issue_token(client, seconds=seconds) for seconds in (60, 0))

    assert served.get(USERS, headers={"Authorization": f"Bearer {good}"}).status_code == 200
    assert served.get(USERS, headers={"Authorization": f"Bearer {expired}"}).status_code == 401


@pytest.mark.parametrize("grant", [Grant.BEARER, Grant.BASIC])
def test_another_role_is_forbidden_whatever_its_grant(
    served: FlaskClient, stored_clients: Clients, grant: Grant
) -> None:
    """P28: a valid credential of another role is 403, not 401."""
    made = stored_clients.create("ops", role=ClientRole.OPERATOR, grant=grant)
    bearer = {"Authorization": f"Bearer {made.token}"}
    answer = served.get(USERS, headers=bearer if made.token else basic(made.client_id, made.client_secret))

    assert (answer.status_code, document(answer)["status"]) == (403, "403")


def test_who_sends_no_credential_is_challenged_and_not_counted(served: FlaskClient, stored_clients: Clients) -> None:
    """RFC 9110, section 11.6.1: clients that ask first and answer the challenge do so before each request."""
    made = stored_clients.create("oci", grant=Grant.BASIC)
    statuses = {served.get(USERS).status_code for _ in range(60)}

    assert statuses == {401}
    assert served.get(USERS, headers=basic(made.client_id, made.client_secret)).status_code == 200


def test_no_credential_reaches_a_log_or_an_answer(
    served: FlaskClient, stored_clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """P27: neither right nor wrong ones."""
    made = stored_clients.create("oci", grant=Grant.BASIC)
    wrong = "cck_" + "canary" * 7
    with caplog.at_level(logging.DEBUG):
        answers = [
            served.get(path, headers=basic(made.client_id, secret))
            for secret in (made.client_secret, *[wrong] * 25)
            for path in (USERS, "/scim/v2/Nothing")
        ]

    told = caplog.text + "".join(f"{answer.headers}{answer.text}" for answer in answers)
    assert {answer.status_code for answer in answers} == {200, 404, 401, 429}
    for secret in (made.client_secret, wrong):
        assert secret[4:] not in told
        assert base64.b64encode(secret.encode()).decode()[8:40] not in told


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        (b"a:b", Pair("a", "b")),
        (b"a:b:c", Pair("a", "b:c")),
        (b"a%3Ab:c%25", Pair("a:b", "c%")),
        (b"a:100%", Pair("a", "100%")),
        ("ü:ß".encode(), Pair("ü", "ß")),
        (b":", Pair("", "")),
        (b"a", None),
        (b"\xff:b", None),
    ],
)
def test_a_pair_is_read_from_its_header_alone(text: bytes, pair: Pair | None) -> None:
    """RFC 7617, section 2: the id ends at the first colon; the charset is UTF-8."""
    assert read_pair(f"Basic {base64.b64encode(text).decode()}") == pair


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic ", "Basic a", "Basic YTpi!", "Basic a b", "Bearer YTpi", "YTpi"]
)
def test_other_headers_hold_no_pair(header: str) -> None:
    """RFC 7617: what is not base64 is none."""
    assert read_pair(header) is None


@given(value=st.binary(max_size=60), encode=st.booleans())
@example(value=bytes(range(256)), encode=True)
@example(value=b"\x00:\x00", encode=True)
@example(value=b"%ff:%00", encode=True)
@example(value=b"a:" + b"b" * 1_000_000, encode=True)
def test_any_bytes_behind_any_scheme_are_refused_and_never_a_fault(value: bytes, encode: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    """P29, P31: odd bytes are 401, whatever the scheme they come with."""
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS))
    for scheme in (b"Basic ", b"BEARER ", b"Digest ", b""):
        environ = EnvironBuilder("/scim/v2/Users").get_environ()
        environ["HTTP_AUTHORIZATION"] = (scheme + (base64.b64encode(value) if encode else value)).decode("latin-1")

        _, status, _ = run_wsgi_app(app, environ)

        assert status.startswith("401")


@given(client_id=st.text(), client_secret=st.text())
def test_percent_encoding_is_undone(client_id: str, client_secret: str) -> None:
    """RFC 6749, section 2.3.1: an encoded pair is the pair that was meant."""
    encoded = f"{quote(client_id, safe='', errors='replace')}:{quote(client_secret, safe='', errors='replace')}"
    pair = read_pair(f"Basic {base64.b64encode(encoded.encode()).decode()}")

    assert pair in {Pair(client_id, client_secret), None}
    assert pair is not None or len(encoded) > 300
