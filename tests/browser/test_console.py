"""The console in Chromium: good days and bad ones, by script and without, on a phone, in the dark.

One server and one browser for all of it, and no test needs another to have been there first.
"""

from pathlib import Path

import httpx2

from tests.browser.conftest import SignedIn
from tests.browser.stage import Demo, Visit

AXE = (Path(__file__).parent / "axe.min.js").read_text()
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
    "/audit",
    "/runbook",
    "/aws",
    "/settings",
    "/sessions",
)
NARROWEST = 320
"""In CSS pixels: a page of 1280 at four times the size (WCAG 2.2, 1.4.10)."""
UNSEEN_STATES = """
[...document.querySelectorAll('.shape')].filter((shape) => {
  const box = shape.getBoundingClientRect();
  const colour = getComputedStyle(shape).color;
  return box.width > 0 && colour === getComputedStyle(document.body).backgroundColor;
}).length
"""


def grave_findings(visit: Visit, *rules: str) -> list[str]:
    """Return what axe finds serious or critical on the page that is open, by some rules or all."""
    if not visit.page.evaluate("typeof window.axe === 'object'"):
        visit.page.evaluate(AXE)
    wanted = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = visit.page.evaluate("(wanted) => axe.run(document, wanted)", wanted)
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def test_no_page_shuts_anybody_out(visit: SignedIn, demo: Demo):
    """Axe finds nothing grave on any page, light or dark; on a phone only tables scroll; forced colours show states."""
    seen = visit(reduced_motion="reduce")  # a colour on its way to another has no contrast to speak of
    pages = [*PAGES, f"/users/{_first_id(demo, 'Users')}", f"/groups/{_first_id(demo, 'Groups')}"]

    for path in pages:
        seen.open(path)
        assert grave_findings(seen) == [], path
        seen.page.emulate_media(color_scheme="dark")
        assert grave_findings(seen, "color-contrast") == [], path
        seen.page.emulate_media(color_scheme="light", forced_colors="active")
        assert seen.page.evaluate(UNSEEN_STATES) == 0, path
        seen.page.emulate_media(forced_colors="none")
        for width in (590, NARROWEST):  # 590: 1180 at twice the size
            seen.page.set_viewport_size({"width": width, "height": 700})
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path
        seen.page.set_viewport_size({"width": 1180, "height": 900})
        assert seen.violations() == [], path


def test_connectivity_is_tested_check_by_check(visit: SignedIn):
    """One button; each check comes with its result, and they stay."""
    seen = visit()
    seen.open("/checks")
    seen.page.click("main button[type=submit]")

    seen.page.wait_for_selector("#checks >> text=/Passed .*run/")

    assert seen.page.locator(".steps li").count() == 10
    assert "refuses the caller without the ExternalId" in seen.page.inner_text("#checks")
    seen.open("/checks")
    assert seen.page.locator(".steps li").count() == 10


def test_a_role_that_lets_nobody_in_is_named_with_what_to_do(visit: SignedIn, demo: Demo):
    """P05: the check that fails says what to do, and those after it say that they were not run."""
    seen = visit()
    seen.open("/checks")
    with demo.closed_role():
        seen.page.click("main button[type=submit]")
        seen.page.wait_for_selector("#checks >> text=/Failed .*run/")

    steps = seen.page.locator(".steps li")
    assert "What to do" in steps.filter(has_text="Assume the role").inner_text()
    assert steps.filter(has_text="Not run").count() > 1


def test_a_sync_is_followed_to_its_end(visit: SignedIn):
    """One button; the page renews itself, says the end in its title, and stops asking."""
    seen = visit()
    seen.page.click("text=Sync now")

    outcome = seen.wait_for("Unchanged|Published")

    assert seen.page.title().startswith(outcome)
    assert seen.page.locator("[hx-get]").count() == 0


def test_a_run_is_cancelled_by_a_button(visit: SignedIn, demo: Demo):
    """A run under way can be ended; the page says that it ends, and that it was cancelled."""
    seen = visit()
    with demo.slow_pool(2):
        seen.start("Plan only")
        seen.wait_for("Under way")
        seen.page.click("#cancel")

        assert seen.wait_for("Cancelled") == "Cancelled"

    assert "Healthy" in seen.open().inner_text("#state")


def test_without_a_script_the_same_buttons_do_the_same(visit: SignedIn):
    """No script: the page of a run reloads by itself until it ends."""
    seen = visit(java_script_enabled=False)
    seen.page.click("text=Plan only")

    seen.wait_for("Unchanged")

    assert "/console/runs/" in seen.page.url


def test_what_ends_during_a_poll_is_said_and_found_again(visit: SignedIn, demo: Demo):
    """P29: a lost connection is said and mended; a lost session leads to the whole sign-in, and back to the run."""
    seen = visit()
    with demo.slow_pool(3):
        seen.start("Plan only")
        seen.wait_for("Under way")
        run = seen.page.url
        seen.context.set_offline(offline=True)
        seen.page.wait_for_selector("#connection >> text=Connection lost")
        seen.context.set_offline(offline=False)
        seen.page.wait_for_selector("#connection:empty", state="attached")
        seen.context.clear_cookies()
        seen.page.wait_for_selector("#token")

    seen.forgive("ERR_INTERNET_DISCONNECTED", "401", "htmx:")  # what a browser and htmx write then
    seen.sign_in()
    seen.wait_for("Unchanged")
    assert seen.page.url == run


def test_a_refused_plan_is_understood_and_approved_and_the_missing_are_found(visit: SignedIn, demo: Demo):
    """P02, P03: a plan is refused, whom it concerns is listed, it is approved; who went is found, with the time."""
    demo.remove_users(20)
    seen = visit()
    seen.page.click("text=Sync now")
    assert seen.wait_for("Refused|Published") == "Refused"
    run = seen.page.url

    seen.page.click("text=See who is concerned")
    assert seen.page.locator("tbody tr").count() >= 20
    name = seen.page.locator("tbody tr", has_text="Removed").first.locator("th a").inner_text()
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

    seen.open(f"/missing?q={name}")
    assert "was removed" in seen.page.inner_text(".steps")


def test_an_importer_gets_its_address_and_credential_and_is_tried(visit: SignedIn):
    """The credential that is shown once lets the importer in; a try of another passes, and says what it saw."""
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

    seen.open("/importers/oci")
    seen.page.click("button:has-text('Try it')")
    assert seen.wait_for("Passed|Failed") == "Passed"
    assert "all of generation" in seen.page.locator(".steps li").filter(has_text="Memberships").inner_text()


def test_after_sign_out_nothing_is_left(visit: SignedIn):
    """P29: Back shows the sign-in and not what was seen, and the browser keeps nothing."""
    seen = visit()
    seen.context.clear_cookies()
    seen.open("/users")
    seen.sign_in()
    seen.page.click("text=Sign out")
    seen.page.wait_for_selector("#token")

    seen.page.go_back()

    seen.page.wait_for_selector("#token")
    assert seen.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def _first_id(demo: Demo, collection: str) -> str:
    headers = {"Authorization": f"Bearer {demo.endpoint.token}"}
    answer = httpx2.get(f"{demo.endpoint.base_url}/{collection}?count=1", headers=headers)
    return str(answer.json()["Resources"][0]["id"])
