"""Makes the pictures of the console in `docs/images/`, from the demonstration in Chromium: `make pictures`."""

import sys
from pathlib import Path

from playwright.sync_api import Page

from connector.demo.walk import walk_directory
from tests.browser.stage import Demo, Visit, demonstrated, launched

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main(folder: Path) -> None:
    """Make every picture.

    Args:
        folder: where to put them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with demonstrated(users=250, groups=12) as demo, launched() as browser:
        _live_through(demo)
        visit = Visit.begin(browser, demo, device_scale_factor=2, viewport={"width": 1100, "height": 760})
        visit.open()
        visit.sign_in()
        visit.page.wait_for_selector("#state")
        _take(visit.page, folder / "console-overview.png")
        visit.open("/checks")
        visit.page.click("main button[type=submit]")
        visit.page.wait_for_selector("#checks >> text=/Passed .*run/")
        _take(visit.page, folder / "console-connectivity.png")
        demo.remove_users(34)
        visit.start("Sync now")
        visit.wait_for("Refused")
        _take(visit.page, folder / "console-refused.png")
        visit.page.click("text=See who is concerned")
        _take(visit.page, folder / "console-who.png")
        assert visit.faults == []


def _live_through(demo: Demo) -> None:
    """Let a few generations pass, and an importer walk."""
    for number in (3, 2, 4):
        demo.remove_users(number)
        demo.sync()
    walk_directory(demo.endpoint.base_url, demo.endpoint.token)


def _take(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
