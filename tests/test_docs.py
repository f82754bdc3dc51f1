"""The documents say what is there: every command and option, every promise with its tests, every link."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from connector.cli.main import cli
from connector.config import Settings

ROOT = Path(__file__).parent.parent
PROMISES = ROOT / "docs/explanation/promises.md"
FAULTS = ROOT / "docs/explanation/what-happens-when.md"
DESIGN = ROOT / "docs/explanation/design.md"
IMPORTERS = ROOT / "docs/reference/importers.md"
ROW = re.compile(r"^\| (P\d\d) \|.*\| (.+) \|$", re.MULTILINE)


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is for people, with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_every_command_and_option_is_in_the_reference():
    """A command that nobody can look up does not exist."""
    text = (ROOT / "docs/reference/commands.md").read_text()
    rows = {
        re.split(r" (?:\[?[A-Z]|users)", line.split("`")[1])[0]: line
        for line in text.splitlines()
        if line.startswith("| `")
    }

    for name, command in commands(cli):
        options = (option for part in command.params for option in (*part.opts, *part.secondary_opts))
        shown = {option for option in options if option.startswith("--")}
        assert shown == set(re.findall(r"`(--[a-z-]+)(?: [A-Z]+)?`", rows[name])), name


def test_nobody_is_sent_to_a_registry_that_does_not_have_it():
    """What installs it is a clone or the wheel of `make wheel`; tests/packaging/test_wheel.py runs both."""
    places = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("connector/**/*.py")]

    assert [place.name for place in places if re.search(r"pip install '?cognito-scim", place.read_text())] == []


def test_every_promise_names_tests_that_speak_of_it():
    """A promise without a test is a wish."""
    for promise, places in ROW.findall(PROMISES.read_text()):
        for place in re.findall(r"`([^`]+)`", places):
            assert promise in (ROOT / place).read_text(), f"{place} proves nothing of {promise}"


def test_every_promise_that_a_test_names_is_on_the_page():
    """A test of something that nobody promised is a promise forgotten."""
    promised = {promise for promise, _ in ROW.findall(PROMISES.read_text())}
    named = {
        promise for test in ROOT.glob("tests/**/test_*.py") for promise in re.findall(r"\bP[0-4]\d\b", test.read_text())
    }

    assert named == promised


def test_every_test_of_an_importer_is_in_the_file_that_is_named():
    """A request of an importer without a test is hearsay; a cell holds tests or says that there is no such request."""
    page = IMPORTERS.read_text()
    files = dict(re.findall(r"^\[(\w+)\]: (\S+)$", page, re.MULTILINE))
    cells = [cell for row in page.splitlines() if row.count(" | ") == 6 for cell in row.strip("| ").split(" | ")[1:]]
    named = set(re.findall(r"\[(test_\w+)\]\[(\w+)\]", page))

    assert named
    assert [cell for cell in cells[6:] if not re.fullmatch(r"-|(\[test_\w+\]\[\w+\](<br>)?)+", cell)] == []
    for test, file in named:
        assert f"\ndef {test}(" in (IMPORTERS.parent / files[file]).read_text(), f"{files[file]} has no {test}"


def test_every_row_of_the_fault_table_names_tests_that_exist():
    """P26: what is said of a disturbed rotation is proved, row by row."""
    page = FAULTS.read_text()
    files = dict(re.findall(r"^\[(\w+)\]: (\S+)$", page, re.MULTILINE))
    rows = [row.strip("| ").split(" | ") for row in page.splitlines() if row.startswith("| ") and "| Test |" not in row]

    assert rows
    for row in rows:
        named = re.findall(r"\[(test_\w+)\]\[(\w+)\]", row[-1])
        assert named, row[0]
        for test, file in named:
            assert f"def {test}(" in (FAULTS.parent / files[file]).read_text(), f"{files[file]} has no {test}"


def test_where_a_rule_lives_names_files_that_are_there():
    """Whoever looks for a rule is led to its file."""
    index = DESIGN.read_text().partition("## Where a rule lives")[2].partition("\n## ")[0]
    files = set(re.findall(r"`([\w/]+\.py)`", index))

    assert files
    assert {file for file in files if not (ROOT / "connector" / file).exists()} == set()


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """A reader is never sent to a page that is not there."""
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_every_row_of_the_authoriser_names_a_test_that_exists():
    """Each command of the Cognito Authoriser's README is run by a test."""
    page = ROOT / "docs/reference/cognito-authoriser.md"
    files = dict(re.findall(r"^\[(\w+)\]: (\S+)$", page.read_text(), re.MULTILINE))
    rows = [row for row in page.read_text().splitlines() if row.startswith("| `")]

    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"\[(test_\w+)\]\[(\w+)\]", row)
        assert named, row
        for test, file in named:
            assert f"def {test}(" in (page.parent / files[file]).read_text(), f"{files[file]} has no {test}"


def test_defaults_that_the_guides_name_are_those_of_the_configuration():
    """A number in a guide that is not the one that holds sends people to the wrong setting."""
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    named = {number for page in pages for number in re.findall(r"`server\.max_results` \((\d+)\)", page.read_text())}

    assert named == {str(Settings().server.max_results)}
