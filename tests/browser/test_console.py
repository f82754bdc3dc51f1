"""The console in Chromium: good days and bad ones, by script and without, on a phone, in the dark.

One server and one browser for all of it; the tests go on in the order in which they stand.
"""

from collections.abc import Callable

import httpx2
import pytest

from tests.browser.conftest import AXE, Demo, Visit

pytestmark = pytest.mark.xdist_group("browser")

PAGES = (
    "",
    "/checks",
    "/runs",
    "/runs/1",
    "/runs/1/changes",
    "/users",
    "/users?q=a",
    "/groups",
    "/generations",
    "/missing?q=nobody",
    "/importers",
    "/importers/oci",
    "/rotation",
    "/settings",
    "/sessions",
)
SignIn = Callable[..., Visit]


def grave_findings(visit: Visit) -> list[str]:
    """Return what axe finds serious or critical on the page that is open."""
    visit.page.evaluate(AXE)
    told = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in told["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anybody_out(visit: SignIn, demo: Demo, scheme: str):
    """Axe finds nothing serious or critical on any page, and the policy of the pages forbids nothing that they do."""
    seen = visit(color_scheme=scheme)
    pages = [*PAGES, f"/users/{_first_id(demo, 'Users')}", f"/groups/{_first_id(demo, 'Groups')}"]

    for path in pages:
        seen.open(path)
        assert grave_findings(seen) == [], path
        assert seen.violations() == [], path


def test_a_phone_shows_every_page_without_scrolling_sideways(visit: SignIn):
    """At 320 pixels, which is 1280 at four times the size, only tables scroll (WCAG 2.2, 1.4.10)."""
    seen = visit()
    seen.page.set_viewport_size({"width": 320, "height": 700})

    for path in PAGES:
        seen.open(path)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_connectivity_is_tested_check_by_check(visit: SignIn):
    """One button; each check comes with its result, and they stay."""
    seen = visit()
    seen.open("/checks")
    seen.page.click("main button[type=submit]")

    seen.page.wait_for_selector("#checks >> text=/Passed .*run/", timeout=60_000)

    assert seen.page.locator(".steps li").count() == 10
    assert "refuses the caller without the ExternalId" in seen.page.inner_text("#checks")
    seen.open("/checks")
    assert seen.page.locator(".steps li").count() == 10


def test_a_sync_is_followed_to_its_end(visit: SignIn):
    """One button; the page renews itself, says the end in its title, and stops asking."""
    seen = visit()
    seen.page.click("text=Sync now")

    outcome = seen.wait_for("Unchanged|Published")

    assert outcome == "Unchanged"
    assert seen.page.title().startswith("Unchanged")
    assert seen.page.locator("[hx-get]").count() == 0


def test_without_a_script_the_same_buttons_do_the_same(visit: SignIn):
    """No script: the page of a run reloads by itself until it ends."""
    seen = visit(java_script_enabled=False)
    seen.page.click("text=Plan only")

    seen.page.wait_for_selector("#outcome >> text=Unchanged", timeout=60_000)

    assert "/console/runs/" in seen.page.url


def test_a_lost_connection_is_told_and_found_again(visit: SignIn):
    """A page whose server is away says since when what it shows may be old, and goes on by itself."""
    seen = visit()
    seen.page.click("text=Plan only")
    seen.page.wait_for_selector("#run[hx-get], #outcome")
    seen.context.set_offline(offline=True)
    if seen.page.locator("#run[hx-get]").count():
        seen.page.wait_for_selector("#connection >> text=Connection lost")
    seen.context.set_offline(offline=False)
    seen.wait_for("Unchanged")
    expected = ("ERR_INTERNET_DISCONNECTED", "htmx:")  # what a browser and htmx write when a server is away
    seen.faults[:] = [fault for fault in seen.faults if not any(part in fault for part in expected)]


def test_a_refused_plan_is_understood_and_approved(visit: SignIn, demo: Demo):
    """P02, P03: the pool loses people; the plan is refused, whom it concerns is listed, and it is approved."""
    demo.remove_users(20)
    seen = visit()
    seen.page.click("text=Sync now")
    assert seen.wait_for("Refused|Published") == "Refused"
    run = seen.page.url

    seen.page.click("text=See who is concerned")
    assert seen.page.locator("tbody tr").count() >= 20
    with seen.page.expect_download() as download:
        seen.page.click("text=Download as CSV")
    assert download.value.suggested_filename.startswith("changes-run-")
    seen.open()
    assert "A refused plan waits" in seen.page.inner_text("h1")
    assert grave_findings(seen) == []

    seen.page.goto(run)
    assert grave_findings(seen) == []
    seen.page.fill("#removals", "20")
    seen.page.click("text=Approve exactly this plan")
    assert seen.wait_for("Published|Refused") == "Published"


def test_one_finds_out_why_somebody_is_missing(visit: SignIn):
    """Who was removed is found by the beginning of their name, with the time at which they went."""
    seen = visit()
    seen.open("/runs?kind=sync")
    seen.page.locator("tbody tr", has_text="Published").first.locator("th a").click()
    seen.page.click("text=See who is concerned")
    name = seen.page.locator("tbody tr", has_text="Removed").first.locator("th a").inner_text()

    seen.open(f"/missing?q={name}")

    assert "was removed" in seen.page.inner_text(".steps")


def test_an_importer_gets_its_address_and_credential(visit: SignIn):
    """The credential that is shown once lets the importer in, and its page then says that it was used."""
    seen = visit()
    seen.open("/importers/generic")
    seen.page.fill("#name", "browser-test")
    seen.page.click("text=Make the credential")
    values = seen.page.locator(".secret").all_inner_texts()

    base_url, token = values
    assert httpx2.get(f"{base_url}/Users?count=1", headers={"Authorization": f"Bearer {token}"}).json()["totalResults"]
    seen.page.click("text=I have entered it")
    assert "browser-test" in seen.page.inner_text("main")
    assert token not in seen.page.content()


def test_after_sign_out_nothing_is_left(visit: SignIn):
    """P29: Back shows the sign-in and not what was seen, and the browser keeps nothing."""
    seen = visit()
    seen.open("/users")
    seen.page.click("text=Sign out")
    seen.page.wait_for_selector("#token")

    seen.page.go_back()

    seen.page.wait_for_selector("#token")
    assert seen.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_session_that_ends_during_a_poll_leads_to_the_whole_sign_in(visit: SignIn, demo: Demo):
    """P29: the sign-in is a page and no fragment; after it the run is there again."""
    seen = visit()
    seen.page.click("text=Plan only")
    seen.page.wait_for_selector("#run")
    path = seen.page.url
    seen.context.clear_cookies()
    if seen.page.locator("#run[hx-get]").count():
        seen.page.wait_for_selector("#token")
    else:
        seen.page.goto(path)
    seen.faults[:] = [fault for fault in seen.faults if "401" not in fault and "htmx:" not in fault]
    seen.page.fill("#name", demo.endpoint.operator)
    seen.page.fill("#token", demo.endpoint.operator_token)
    seen.page.click("button:has-text('Sign in')")
    seen.page.wait_for_selector("#run")
    assert seen.page.url == path


def _first_id(demo: Demo, collection: str) -> str:
    headers = {"Authorization": f"Bearer {demo.endpoint.token}"}
    answer = httpx2.get(f"{demo.endpoint.base_url}/{collection}?count=1", headers=headers)
    return str(answer.json()["Resources"][0]["id"])
