"""The pages over a real store: what each says, and that every fault is a page of its own."""

from collections.abc import Callable

import pytest

from connector.directory.rows import Kind
from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.errors import StoreError
from connector.store.aws_verification import record_verification
from connector.store.imports import ServedPage
from connector.store.runs.queue import Runs
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from connector.web.app import create_app
from tests.store.population import Directory, people, publish_directory, team
from tests.web.console.conftest import BASE_URL, Browser, Console, Elements, make_console, services_of

PAGES = (
    "",
    "/checks",
    "/runs",
    "/runs/1",
    "/runs/1/rejects",
    "/users",
    "/users/u00001",
    "/groups",
    "/groups/g1",
    "/rotation",
    "/audit",
    "/runbook",
    "/aws",
    "/settings",
    "/sessions",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_a_title_and_its_landmarks(operator: Browser, path: str):
    """Whoever listens to a page finds its title, its main part and one first heading."""
    page = operator.get(f"/console{path}")

    tags = [tag for tag, _ in Elements(page.text).found]
    assert page.status_code == 200
    assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1)
    assert {"header", "nav", "footer"} <= set(tags)


@pytest.mark.parametrize("path", PAGES)
def test_before_the_first_sync_every_page_says_what_to_do(console_store: Database, path: str):
    """An empty store is no error: each page says what is not there yet, and none fails."""
    browser = make_console(console_store).signed_in()

    assert browser.get(f"/console{path}").status_code in {200, 404}


def test_the_overview_says_how_the_directory_moved(console: Console):
    """Counts are those of the newest generation, and their differences those to the one before."""
    publish_directory(console.database, Directory(people(110), [team("g1", "Staff")], {"g1": ["u00001"]}))

    page = console.signed_in().get("/console").text

    assert ">110<" in page
    assert "\u221210</a> since generation 1" in page
    assert "From generation" not in page
    assert "Users from generation 1 to 2: from 120 to 110, at least 110, at most 120." in page


def test_the_overview_says_how_far_each_importer_came(console: Console):
    """A walk that stopped half way shows how far it came, and which generation the importer has whole."""
    parts = console.services.console
    assert parts
    parts.imports.note(ServedPage("3", Kind.USERS, 1, 1, 120, 120))
    parts.imports.flush()
    parts.imports.note(ServedPage("3", Kind.USERS, 2, 1, 50, 110))
    parts.imports.flush()

    page = console.signed_in().get("/console").text

    assert "50 of 110" in page
    assert "generation 1" in page


def test_a_button_asks_for_a_run_and_leads_to_it(console: Console):
    """Sync now queues a run, of cause console, and its page says what it waits for."""
    browser = console.signed_in()

    page = browser.submit("/console/runs", kind="sync")

    run = console.services.runs.history(count=1)[0].as_json()
    assert (run["kind"], run["cause"], run["state"]) == ("sync", "console", "queued")
    assert "Queued" in page.text


def test_two_clicks_make_one_run(console: Console):
    """The second click, in whatever tab and by whatever operator, arrives at the first run and says so."""
    first, second = console.signed_in(), console.signed_in("night")
    first.submit("/console/runs", kind="sync")

    page = second.submit("/console/runs", kind="plan")

    assert second.visited[-1] == "/console/runs/2?note=already"
    assert "no second one was begun" in page.text
    assert len(console.services.runs.history(count=10)) == 2


def test_only_syncs_and_plans_are_started_from_the_list(console: Console):
    """A rotation cannot be started here, whatever a form says."""
    answer = console.signed_in().send("/console/runs", {"kind": "rotate"})

    assert answer.status_code == 400


def test_to_cancel_twice_is_to_cancel_once(console: Console):
    """A run that waits is cancelled at once; a second click says that it had ended."""
    browser = console.signed_in()
    browser.submit("/console/runs", kind="sync")

    once = browser.submit("/console/runs/2/cancel").text
    twice = browser.submit("/console/runs/2/cancel").text

    assert "Cancelled" in once
    assert "had ended before" in twice


def test_a_run_under_way_shows_how_far_it_is(console: Console):
    """Phase, counts and calls are those that the run told last."""
    with begin(console.database, RunKind.SYNC, cause=Cause.SCHEDULE) as run:
        run.tell({"phase": "reading", "users": 60, "groups": 2, "memberships": 0, "calls": 3, "throttled": 1})
        run.heed()
        page = console.signed_in().get(f"/console/runs/{run.id}").text

    assert "Reading the pool: 60 users, 2 groups, 0 memberships" in page
    assert "1 throttled" in page
    assert "the schedule" in page
    assert f'hx-get="/console/runs/{run.id}/live"' in page
    assert "<noscript><meta" in page


def test_a_run_that_died_is_called_silent(console: Console):
    """A run without a sign of life is not called under way without a word."""
    with begin(console.database, RunKind.SYNC, cause=Cause.SCHEDULE) as run:
        with console.database.writing() as connection:
            connection.exec_driver_sql("UPDATE leases SET expires_at = expires_at - 55000 WHERE name = 'sync'")

        page = console.signed_in().get(f"/console/runs/{run.id}").text

    assert "No sign of life for" in page


def test_the_end_of_a_run_ends_its_polling(console: Console):
    """The last fragment asks for no other."""
    browser = console.signed_in()

    assert "hx-get" not in browser.get("/console/runs/1/live").text
    assert 'http-equiv="refresh"' not in browser.get("/console/runs/1").text


def test_checks_appear_as_they_end(console: Console):
    """Of a test under way, the checks that ended are shown with result and remedy, the next as under way."""
    done = [
        {"name": "configuration", "status": "passed", "detail": "Fine.", "remedy": None, "seconds": 0.1},
        {"name": "credentials", "status": "failed", "detail": "Wrong keys.", "remedy": "Make new ones.", "seconds": 1},
    ]
    with begin(console.database, RunKind.CHECK, cause=Cause.CONSOLE) as run:
        run.tell({"phase": "credentials", "checks": done})
        run.heed()
        page = console.signed_in().get("/console/checks").text

    assert "Make new ones." in page
    assert page.index("Wrong keys.") < page.index("Clock")
    assert page.count("Waiting") == 7


def test_the_last_checks_stay(console: Console):
    """What a test found is shown until the next one."""
    checks = [{"name": "store", "status": "warning", "detail": "Slow.", "remedy": "Look.", "seconds": 2.0}]
    with begin(console.database, RunKind.CHECK, cause=Cause.COMMAND) as run:
        run.end(RunOutcome.PASSED, {"run": run.id, "checks": checks})

    page = console.signed_in().get("/console/checks").text

    assert "Slow." in page
    assert "the command line" in page


def test_users_are_found_by_the_beginning_of_a_name_an_address_or_by_their_id(operator: Browser):
    """A plain text finds people by what is known of them."""
    for text in ("USER-U00012", "user-u00012@example.com", "u00012"):
        page = operator.get(f"/console/users?q={text}").text
        assert page.count('href="/console/users/u00012"') == 1, text


def test_users_are_listed_by_name_page_by_page(operator: Browser):
    """Every user is on exactly one page, in the order of names."""
    seen, path = [], "/console/users"
    while path:
        elements = Elements(operator.get(path).text).found
        links = [str(attributes.get("href", "")) for tag, attributes in elements if tag == "a"]
        seen += [link.rpartition("/")[2] for link in links if link.startswith("/console/users/u")]
        path = next((link for link in links if link.startswith("/console/users?after=")), "")

    assert seen == [f"u{number:05}" for number in range(1, 121)]


def test_a_filter_finds_what_it_finds_for_importers(operator: Browser):
    """A SCIM filter is the importers', with its total; a wrong one says what is wrong."""
    assert "1 match" in operator.get("/console/users?filter=userName+eq+%22user-u00007%22").text
    fault = operator.get("/console/users?filter=userName+eq")
    assert fault.status_code == 400
    assert 'role="alert"' in fault.text


def test_a_user_is_shown_with_groups_sources_and_the_document(operator: Browser):
    """One page says what importers see, where it is from, and what the user belongs to."""
    page = operator.get("/console/users/u00001").text

    assert 'href="/console/groups/g1"' in page
    assert "<code>email</code>" in page
    assert "https://scim.example.com/scim/v2/Users/u00001" in page


def test_a_group_shows_its_members_page_by_page(operator: Browser):
    """Of 120 members the first page shows 100, the next the rest."""
    first = operator.get("/console/groups/g1").text
    rest = operator.get("/console/groups/g1?after=u00100").text

    assert "120 members" in first
    assert (first.count('href="/console/users/u'), rest.count('href="/console/users/u')) == (100, 20)


def test_settings_show_no_secret(operator: Browser):
    """P27: a secret is set or not; every other key has its value, its origin and its meaning."""
    page = operator.get("/console/settings").text

    assert "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY" in page
    assert "config.yaml, line 3" in page
    assert "every 6 hours" in page


def test_a_store_that_is_away_is_a_page(console: Console, monkeypatch: pytest.MonkeyPatch):
    """P27: the page says that the store does not answer, and nothing of what it said."""
    browser = console.signed_in()
    parts = console.services.console
    assert parts

    def fail(**_: object) -> None:
        raise StoreError("disk I/O error in /secret/place")

    monkeypatch.setattr(parts.runs, "history", fail)
    page = browser.get("/console/runs")

    assert page.status_code == 503
    assert "/secret/place" not in page.text


@pytest.mark.parametrize(
    "path", ["/runs/0", "/runs/x", "/runs/99", "/users/none", "/groups/%00", "/nowhere", "/runs?before=x"]
)
def test_what_is_not_there_is_a_page(operator: Browser, path: str):
    """A mistyped address says so, in the words of the page, with the way back."""
    page = operator.get(f"/console{path}")

    assert page.status_code in {400, 404}
    assert "<h1>" in page.text


def test_the_audit_trail_says_who_did_what(console: Console):
    """P29: what operators do is on a page, by name, with a link to the run; of one alone, if so asked."""
    browser = console.signed_in()
    browser.submit("/console/runs", kind="sync")

    everybody, nobody = browser.get("/console/audit").text, browser.get("/console/audit?who=nobody").text

    assert "Run asked for" in everybody
    assert 'href="/console/runs/2"' in everybody
    assert "Nothing is on record of" in nobody


def test_the_aws_side_is_shown_with_what_to_do(console: Console):
    """P26: what the command found last is on a page, dated; before the first look the page says how to look."""
    browser = console.signed_in()
    before = browser.get("/console/aws").text
    finding = {"name": "trust_policy", "severity": "error", "detail": "Anybody may assume it.", "remedy": "Mend it."}
    record_verification(console.database, "arn:aws:iam::123456789012:role/reader", [finding])

    after = browser.get("/console/aws").text

    assert "cognito-scim aws verify" in before
    assert all(text in after for text in ("role/reader", "Trust policy", "Anybody may assume it.", "Mend it."))


def test_a_try_is_asked_for_once_and_shown_step_by_step(console: Console):
    """The button queues a walk of this importer; a second click leads to the same run."""
    browser = console.signed_in()
    browser.get("/console/importers/okta")

    page = browser.submit("/console/importers/okta/try")
    again = browser.submit("/console/importers/okta/try")

    (walk,) = console.services.runs.history(count=5, kinds=(RunKind.WALK,))
    assert walk.progress == {"importer": "okta"}
    assert "Try of an importer: Okta" in page.text
    assert "Address and certificate" in page.text
    assert "no second one was begun" in again.text


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_button_on_one_replica_shows_on_the_other(open_store: Callable[[], Database]):
    """P21: two replicas on one PostgreSQL: signed in on one, one is on the other, and a run is followed from there."""
    here = make_console(open_store())
    browser = here.signed_in()
    browser.submit("/console/runs", kind="sync")
    there = create_app(services_of(open_store())).test_client()
    cookie = browser.http.get_cookie("__Host-console", domain="scim.example.com")
    assert cookie
    there.set_cookie("__Host-console", cookie.value, domain="scim.example.com", secure=True)

    queued = there.get("/console/runs/1", base_url=BASE_URL).text
    claim = Runs(open_store()).claim({RunKind.SYNC})
    assert claim
    under_way = there.get("/console/runs/1/live", base_url=BASE_URL).text

    assert "Queued" in queued
    assert "Under way" in under_way
