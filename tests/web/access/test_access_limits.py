"""How often somebody may knock: clocks here stand still until a test moves them."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from connector.web.access.limits import FAILURES_PER_MINUTE, Buckets, network_of
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.fakes import OPERATOR_TOKEN, TOKEN, FakeClients, FakeClock, sample_reader, services_of

USERS = "/scim/v2/Users?count=1"
IMPORTER = {"Authorization": f"Bearer {TOKEN}"}
OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
WRONG = {"Authorization": "Bearer ccs_wrong"}


def limited(rate: float, clock: FakeClock, proxies: int = 0) -> FlaskClient:
    """Return a client of an application that lets each client ask at a rate."""
    services = services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, proxies, rate, clock=clock)
    return create_app(services).test_client()


def at(address: str) -> dict[str, str]:
    """Return what makes a request come from an address."""
    return {"REMOTE_ADDR": address}


def test_without_a_limit_nobody_waits(http: FlaskClient) -> None:
    """Off by default, and then no header tells of limits."""
    answers = [http.get("/scim/v2/Schemas", headers=IMPORTER) for _ in range(200)]

    assert {answer.status_code for answer in answers} == {200}
    assert "X-Rate-Limit" not in str(answers[-1].headers)


def test_a_client_that_asks_too_fast_waits() -> None:
    """RFC 6585, section 4: 429 as a SCIM error with Retry-After, and what SailPoint paces itself by."""
    clock = FakeClock()
    http = limited(2, clock)
    answers = [http.get(USERS, headers=IMPORTER) for _ in range(3)]
    waits = int(answers[2].headers["Retry-After"])
    clock.now += waits

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (document(answers[2])["status"], waits) == ("429", 1)
    assert [
        [answer.headers[f"X-Rate-Limit-{name}"] for name in ("Limit", "Remaining", "Reset")] for answer in answers
    ] == [
        ["2", "1", "1"],
        ["2", "0", "1"],
        ["2", "0", "1"],
    ]
    assert answers[2].headers["X-Rate-Limit-Retry-After-Seconds"] == "1"
    assert http.get(USERS, headers=IMPORTER).status_code == 200


def test_less_than_one_request_a_second_is_a_limit_too() -> None:
    """One request, then a wait for the next."""
    clock = FakeClock()
    http = limited(0.1, clock)
    statuses = [http.get(USERS, headers=IMPORTER).status_code for _ in range(2)]
    clock.now += 10

    assert [*statuses, http.get(USERS, headers=IMPORTER).status_code] == [200, 429, 200]


def test_one_client_does_not_slow_another_down() -> None:
    """The limit is each client's own; who has another role is told so."""
    http = limited(1, FakeClock())
    statuses = [http.get(USERS, headers=IMPORTER).status_code for _ in range(3)]

    assert (statuses, http.get(USERS, headers=OPERATOR).status_code) == ([200, 429, 429], 403)


def test_failures_are_limited_per_address(http: FlaskClient, clock: FakeClock) -> None:
    """P28: after twenty in a minute the next ones are told to wait."""
    statuses = [http.get(USERS, headers=WRONG).status_code for _ in range(FAILURES_PER_MINUTE + 1)]
    answer = http.get(USERS, headers=WRONG)
    clock.now += int(answer.headers["Retry-After"])

    assert statuses == [401] * FAILURES_PER_MINUTE + [429]
    assert (answer.status_code, document(answer)["status"]) == (429, "429")
    assert http.get(USERS, headers=WRONG).status_code == 401


def test_a_valid_credential_is_never_refused_for_the_failures_of_others(http: FlaskClient, clock: FakeClock) -> None:
    """P28: behind one address or proxy, who fails without end keeps nobody out: the credential is looked at first."""
    for _ in range(FAILURES_PER_MINUTE + 1):
        http.get(USERS, headers=WRONG)
    statuses = []
    for _ in range(40):
        clock.now += 3
        http.get(USERS, headers=WRONG)
        statuses.append(http.get(USERS, headers=IMPORTER).status_code)

    assert statuses == [200] * 40


def test_a_failing_address_is_no_other(http: FlaskClient) -> None:
    """P28: neither the next IPv4 address nor the next IPv6 network has to wait."""
    for _ in range(50):
        http.get(USERS, headers=WRONG, environ_base=at("192.0.2.1"))
        http.get(USERS, headers=WRONG, environ_base=at("2001:db8:0:1::1"))

    statuses = {
        address: http.get(USERS, headers=WRONG, environ_base=at(address)).status_code
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8:0:1:ffff::", "2001:db8:0:2::1")
    }
    assert list(statuses.values()) == [429, 401, 429, 401]


def test_success_is_not_counted_as_failure(http: FlaskClient) -> None:
    """A busy importer is no intruder."""
    statuses = {http.get("/scim/v2/Schemas", headers=IMPORTER).status_code for _ in range(100)}

    assert statuses == {200}


def test_behind_a_proxy_the_address_is_the_callers() -> None:
    """server.trusted_proxies: the address that the nearest trusted proxy saw, not one that the caller made up."""
    http = limited(1000, FakeClock(), proxies=1)

    def ask(forwarded: str, headers: dict[str, str]) -> int:
        return http.get(USERS, headers={**headers, "X-Forwarded-For": forwarded}).status_code

    statuses = [ask(f"198.51.100.{number}, 192.0.2.1", WRONG) for number in range(30)]

    assert statuses == [401] * 20 + [429] * 10
    assert ask("192.0.2.1, 192.0.2.2", WRONG) == 401


def test_a_port_behind_the_address_changes_nothing() -> None:
    """Some proxies tell the port too, which is another for each connection."""
    http = limited(1000, FakeClock(), proxies=1)
    statuses = [
        http.get(USERS, headers={**WRONG, "X-Forwarded-For": f"192.0.2.1:{port}"}).status_code
        for port in range(40_000, 40_030)
    ]

    assert statuses == [401] * 20 + [429] * 10


def test_an_address_that_has_to_wait_is_logged_without_its_credential(
    http: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """P27: an operator learns where it came from, nobody what was tried."""
    for _ in range(FAILURES_PER_MINUTE):
        http.get(USERS, headers=WRONG, environ_base=at("192.0.2.1"))

    assert caplog.messages[-1] == "too many failed sign-ins came from 192.0.2.1; the next ones have to wait"
    assert "ccs_wrong" not in caplog.text


def test_memory_of_addresses_is_bounded() -> None:
    """P23: beyond the bound, those that failed longest ago are forgotten first."""
    buckets = Buckets(rate=1, burst=1, clock=FakeClock(), held=3)
    for key in ("a", "b", "c", "a", "d"):
        buckets.take(key)

    assert len(buckets._levels) == 3
    assert [buckets.take(key).allowed for key in "acd"] == [False, False, False]
    assert buckets.take("b").allowed


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.1:50123", "192.0.2.1"),
        ("[2001:db8::1]:50123", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("", ""),
        (None, ""),
        ("nonsense\n", "nonsense"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_ipv6_host_counts_as_its_network(address: str | None, network: str) -> None:
    """RFC 6177: a host has a /64 to itself, so each of its addresses is the same caller."""
    assert network_of(address) == network


@given(
    rate=st.floats(0.01, 100),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 5), max_size=40),
)
def test_a_bucket_never_gives_more_than_rate_and_burst_allow(rate: float, burst: int, pauses: list[float]) -> None:
    """In any time, at most what was saved up and what came in; who waits as long as told is let in."""
    clock = FakeClock()
    buckets = Buckets(rate=rate, burst=burst, clock=clock)
    given_out = 0
    for pause in pauses:
        clock.now += pause
        given_out += buckets.take("a").allowed

    assert given_out <= burst + (clock.now - 1000) * rate + 1e-6
    while (refused := buckets.take("a")).allowed:
        pass
    assert refused.remaining == 0 < refused.wait
    clock.now += refused.wait
    assert buckets.take("a").allowed
