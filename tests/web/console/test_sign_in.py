"""Signing in and out: who comes in, how long it lasts, and what is left behind (P28, P29)."""

from connector.store.clients import ClientRole, Clients, Grant
from connector.store.sessions import Sessions
from connector.store.sql.database import Database
from tests.web.console.conftest import BASE_URL, OPERATOR, OTHER, Browser, Console, form_token, make_console


def test_an_operator_comes_in_with_name_and_token(console: Console):
    """P29: the name and the token of an operator open the console, and nothing else does."""
    browser = console.browser()

    page = browser.sign_in(OPERATOR, console.tokens[OPERATOR])

    assert page.status_code == 200
    assert "Healthy" in page.text


def test_a_browser_at_the_bare_address_is_led_to_the_console(console: Console):
    """Whoever types the address alone arrives at the sign-in; a script gets what it got before."""
    browser = console.browser()

    page = browser.get("/", Accept="text/html,application/xhtml+xml")

    assert page.status_code == 200
    assert browser.visited[1:] == ["/console", "/console/sign-in?next=%2Fconsole"]
    assert browser.get("/", Accept="*/*").status_code == 401


def test_a_token_alone_or_of_another_does_not_open(console: Console):
    """P29: name and token belong together; an importer's token opens nothing here, nor does an access token."""
    importer = Clients(console.database).authenticate(console.tokens["importer"])
    operator = Clients(console.database).authenticate(console.tokens[OPERATOR])
    assert importer
    assert operator
    access = Clients(console.database).issue_token(operator, seconds=60)
    secret = Clients(console.database).create("basic", role=ClientRole.OPERATOR, grant=Grant.BASIC).client_secret
    wrong = [
        (OTHER, console.tokens[OPERATOR]),
        ("importer", console.tokens["importer"]),
        (OPERATOR, "ccs_wrong"),
        (OPERATOR, ""),
        ("", console.tokens[OPERATOR]),
        ("basic", secret),
        (f"{OPERATOR}\0", console.tokens[OPERATOR]),
        (OPERATOR, access),
    ]

    pages = [console.browser().sign_in(name, token) for name, token in wrong]

    assert [403] * len(wrong) == [page.status_code for page in pages]
    assert all("do not belong together" in page.text for page in pages)


def test_the_cookie_is_kept_from_scripts_other_hosts_and_other_sites(console: Console):
    """P29: over TLS the cookie is `__Host-`, Secure, HttpOnly and SameSite=Strict, and ends with the browser."""
    browser = console.browser()
    browser.get("/console/sign-in")

    answer = browser.send("/console/sign-in", {"name": OPERATOR, "token": console.tokens[OPERATOR]})

    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-console=")]
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} == set(cookie.split("; ")[1:])


def test_without_tls_nobody_signs_in_but_on_this_machine(console_store: Database):
    """A token that others could read on its way is not asked for; the page says what to set."""
    outside = make_console(console_store, base_url="http://scim.example.com")

    page = outside.browser().get("/console/sign-in")

    assert "server.public_base_url is http://scim.example.com" in page.text
    assert "Set-Cookie" not in page.headers


def test_on_this_machine_its_names_are_one(console_store: Database):
    """Whoever types localhost where the configuration says 127.0.0.1 can work."""
    console = make_console(console_store, base_url="http://127.0.0.1:8080")
    browser = console.browser()
    browser.base_url = "http://localhost:8080"

    page = browser.sign_in(OPERATOR, console.tokens[OPERATOR])

    assert page.status_code == 200
    assert "Never synced" in page.text


def test_a_browser_without_cookies_is_told_so(console: Console):
    """A sign-in that cannot work says why, instead of showing the form again."""
    browser = console.browser()
    browser.get("/console/sign-in")
    browser.http = console.browser().http

    answer = browser.send("/console/sign-in", {"name": OPERATOR, "token": console.tokens[OPERATOR]})

    assert answer.status_code == 400
    assert "did not send back the cookie" in answer.text


def test_failures_are_throttled_and_successes_are_not(console: Console):
    """P29: an address that fails again and again has to wait; one that succeeds as often does not."""
    for _ in range(25):
        assert console.browser().sign_in(OPERATOR, console.tokens[OPERATOR]).status_code == 200

    answers = [console.browser().sign_in(OPERATOR, "ccs_guess").status_code for _ in range(22)]

    assert answers[:20] == [403] * 20
    assert answers[20:] == [429] * 2


def test_a_session_ends_without_use_and_after_its_whole_time(console: Console):
    """P29: a session that nobody uses ends, and so does one that is used all day."""
    clients = Clients(console.database)
    operator = clients.authenticate(console.tokens[OPERATOR])
    assert operator
    kept = Sessions(console.database)
    secret = kept.begin(operator, address="127.0.0.1", browser="test")

    assert kept.find(secret, is_use=True)
    assert Sessions(console.database, idle=0).find(secret, is_use=True) is None
    assert Sessions(console.database, total=0).find(secret, is_use=True) is None


def test_polling_does_not_keep_a_session_alive(console: Console):
    """P29: a page that asks by itself is no use: a tab left open over night is signed out."""
    browser = console.signed_in()
    _age_sessions(console.database, seconds=1700)
    browser.http.get("/console/checks/live", base_url=BASE_URL, headers={"HX-Request": "true"})
    _age_sessions(console.database, seconds=200)

    answer = browser.http.get("/console/checks/live", base_url=BASE_URL, headers={"HX-Request": "true"})

    assert answer.status_code == 401


def test_use_keeps_a_session_alive(console: Console):
    """P29: whoever works is not thrown out."""
    browser = console.signed_in()
    for _ in range(3):
        _age_sessions(console.database, seconds=1700)
        assert "Healthy" in browser.get("/console").text


def test_a_poll_after_the_end_loads_the_whole_sign_in(console: Console):
    """The sign-in form never lands in a fragment of a page; afterwards the run is there again."""
    answer = console.browser().http.get(
        "/console/runs/1/live",
        base_url=BASE_URL,
        headers={"HX-Request": "true", "HX-Current-URL": f"{BASE_URL}/console/runs/1"},
    )

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/console/sign-in?next=%2Fconsole%2Fruns%2F1&note=ended"


def test_a_link_from_elsewhere_arrives_signed_in(console: Console):
    """A strict cookie is not sent with a link in a mail; the page asks for itself once, and only once."""
    stranger = console.browser()

    hop = stranger.http.get("/console/runs", base_url=BASE_URL, headers={"Sec-Fetch-Site": "cross-site"})
    after = stranger.http.get("/console/runs", base_url=BASE_URL, headers={"Sec-Fetch-Site": "same-origin"})

    assert hop.status_code == 200
    assert 'content="0; url=/console/runs"' in hop.text
    assert after.status_code == 303


def test_signing_out_ends_the_session_on_the_server(console: Console):
    """P29: after sign-out the cookie opens nothing, and the browser is told to forget what it saw."""
    browser = console.signed_in()
    answer = browser.send("/console/sign-out", {})

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Sign in" in browser.get("/console").text
    assert Sessions(console.database).of(1) == []


def test_signing_out_everywhere_ends_all_sessions_of_the_operator_and_of_nobody_else(console: Console):
    """P29: one button ends every session one has."""
    here, there, other = console.signed_in(), console.signed_in(), console.signed_in(OTHER)

    here.submit("/console/sign-out", everywhere="yes")

    assert "Sign in" in there.get("/console").text
    assert "Healthy" in other.get("/console").text


def test_one_sees_and_ends_ones_own_sessions_alone(console: Console):
    """P29: the list shows where one is signed in; a number of somebody else's session ends nothing."""
    here, there, other = console.signed_in(), console.signed_in(), console.signed_in(OTHER)
    numbers = {session.id for session in Sessions(console.database).of(1)}
    (foreign,) = {session.id for session in Sessions(console.database).of(2)}

    here.get("/console/sessions")
    refused = here.send("/console/sessions", {"id": str(foreign)})
    here.submit("/console/sessions", id=str(max(numbers)))

    assert refused.status_code == 404
    assert "Sign in" in there.get("/console").text
    assert "Healthy" in here.get("/console").text
    assert "Healthy" in other.get("/console").text


def test_a_revoked_operator_is_out_at_once(console: Console):
    """P29: to revoke an operator ends their sessions."""
    browser = console.signed_in()

    Clients(console.database).revoke(OPERATOR)

    assert "Sign in" in browser.get("/console").text


def test_the_store_keeps_no_secret_of_a_session(console: Console):
    """P27: who reads the database cannot sign in with what it holds."""
    browser = console.signed_in()
    cookie = browser.http.get_cookie("__Host-console", domain="scim.example.com")
    assert cookie

    with console.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sessions").all()

    assert cookie.value not in str(rows)


def test_after_signing_in_one_goes_where_one_wanted(console: Console):
    """A page that asked for a sign-in is there after it, and an address of elsewhere never is."""
    browser = console.browser()
    browser.get("/console/sign-in?next=/console/runs")
    inside = browser.send(
        "/console/sign-in", {"name": OPERATOR, "token": console.tokens[OPERATOR], "next": "/console/runs"}
    )
    assert inside.headers["Location"] == "/console/runs"
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console/../x",
        "/scim/v2",
        "/consolex",
    ):
        browser = console.browser()
        browser.get(f"/console/sign-in?next={elsewhere}")
        fields = {"name": OPERATOR, "token": console.tokens[OPERATOR], "next": elsewhere}
        assert browser.send("/console/sign-in", fields).headers["Location"] == "/console"


def test_the_form_of_a_session_is_good_for_that_session_alone(console: Console):
    """P28: a form token is made from the secret of the session, and is not it."""
    mine, other = console.signed_in(), console.signed_in(OTHER)
    assert mine.page
    assert other.page

    assert form_token(mine.page) != form_token(other.page)
    assert isinstance(mine, Browser)


def _age_sessions(database: Database, *, seconds: int) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE sessions SET seen_at = seen_at - {seconds * 1000}")  # noqa: S608 - a number
