"""What no template may hold, and what is vendored: rules that a browser would enforce too late."""

import hashlib
import json
import re
from pathlib import Path

import pytest

import connector.web.console
from connector.checks.connectivity import STEPS
from connector.web.console.assets import read_assets
from connector.web.console.words import CHECKS

CONSOLE = Path(connector.web.console.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").iterdir())
STATIC = CONSOLE / "static"
FORBIDDEN = {
    "a script in the page": r"<script(?![^>]*\bsrc=)",
    "a style in the page": r"<style|\sstyle=",
    "an event handler": r"\son[a-z]+\s*=",
    "an expression of htmx": r"hx-on|\bjs:|javascript:|hx-vals|hx-trigger=\"[^\"]*\[",
    "a value that is not escaped": r"\|\s*safe\b|autoescape false|\bMarkup\b",
    "an attribute without quotes": r"<[^>{]*\s(?!url=)[a-z-]+=\{\{",
    "something from elsewhere": r"(src|href)=\"(https?:)?//",
    "a link whose scheme is a value": r"href=\"\{\{ (?!to\(|asset\(|address)",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_what_could_run(template: Path):
    """P28: no script, style, handler, unquoted or unescaped value, and no address but our own."""
    text = template.read_text()

    assert template.suffix == ".html"
    for what, pattern in FORBIDDEN.items():
        found = re.search(pattern, text)
        assert not found, f"{template.name} holds {what}: {found[0] if found else ''}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_holds_its_token(template: Path):
    """P28: a form without its token would be refused."""
    text = template.read_text()
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)

    assert all("parts.token(form_token)" in form for form in forms)


def test_vendored_files_are_the_ones_that_are_named():
    """What is not ours is there unchanged, with version, licence and source."""
    vendored = json.loads((STATIC / "vendored.json").read_text())

    for entry in vendored:
        content = (STATIC / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert entry["version"] in entry["source"]
        assert (STATIC / entry["licence_file"]).read_text().strip()
    ours = {"console.css", "console.js", "icon.svg"}
    assert set(read_assets()) == ours | {entry["file"] for entry in vendored}


def test_a_page_and_all_that_it_loads_are_small():
    """A page loads quickly over a slow line: at most 200 KB with everything, uncompressed."""
    loaded = sum(len(asset.content) for asset in read_assets().values())

    assert loaded < 170_000


def test_every_check_has_a_title_and_its_place():
    """The checks are shown in the order in which they run."""
    assert [name for name, _, _ in STEPS] == list(CHECKS)
