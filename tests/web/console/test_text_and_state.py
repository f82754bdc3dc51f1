"""What pages say of a state, of progress, of times and of names, without a store or a page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.directory.counts import count_of
from connector.store.generations import Generation
from connector.web.console.run_progress import progress_of
from connector.web.console.service_state import Facts, state_of
from connector.web.console.text import show_age, show_duration, show_name, show_signed, time_of
from tests.web.console.conftest import Elements

ROOT = Path(__file__).parents[3]
NOW = 1_800_000_000.0


class Ended:
    """A run that has ended."""

    def __init__(self, outcome: str, **result: object) -> None:
        self.id = 7
        self.outcome = outcome
        self.result = result
        self.ended_at = time_of(NOW - 60)


def known(**more: Any) -> Facts:
    """Return what is known on a good day."""
    generation = Generation(3, time_of(NOW - 100), 10, 2, 12)
    good = Facts(NOW, generation, Ended("published"), None, NOW - 100, 3600.0)
    return replace(good, **more)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "healthy"),
        ({"interval": None, "last_success": None}, "healthy"),
        ({"generation": None, "last_sync": None, "last_success": None}, "never-synced"),
        ({"last_success": NOW - 7201}, "directory-old"),
        ({"last_sync": Ended("incomplete", cause="Denied.", remedy="Allow it.")}, "source-unreachable"),
        ({"last_sync": Ended("failed")}, "sync-failed"),
        ({"last_sync": Ended("failed", cause="It was cancelled.")}, "healthy"),
        ({"waiting": Ended("refused", reason="too many")}, "refused-plan"),
        ({"waiting": Ended("refused"), "last_sync": Ended("failed"), "last_success": 0.0}, "refused-plan"),
    ],
)
def test_the_most_pressing_state_is_said(more: dict[str, Any], name: str):
    """Of several states that hold, the one that needs somebody most is named, with what to do."""
    state = state_of(known(**more))

    assert state.name == name
    assert bool(state.remedy) == (name != "healthy")


@pytest.mark.parametrize(
    "name",
    ["healthy", "never-synced", "directory-old", "source-unreachable", "sync-failed", "refused-plan"],
)
def test_every_state_has_its_place_in_the_runbook(name: str):
    """Whoever follows the link from a state arrives at what to do about it."""
    page = (ROOT / "connector" / "web" / "console" / "templates" / "runbook.html").read_text()

    assert f'<h2 id="{name}">' in page


def test_an_old_fault_is_dated_and_the_directory_named():
    """A fault says since when, and that importers go on reading what is published."""
    state = state_of(known(last_sync=Ended("incomplete", cause="Denied.", remedy="Allow it.")))

    assert (state.since, state.run, state.remedy) == (time_of(NOW - 60), 7, "Allow it.")
    assert "generation 3" in state.detail


@given(calls=st.integers(0, 500), expected=st.integers(0, 400), seconds=st.floats(0, 1e5))
def test_an_estimate_is_shown_only_where_it_means_something(calls: int, expected: int, seconds: float):
    """A share is of the whole, and time is left only after enough of it was seen."""
    found = progress_of({"phase": "reading", "calls": calls}, seconds=seconds, expected_calls=expected)

    assert found.share is None or 0 <= found.share <= 0.98
    assert found.left is None or (found.left >= 0 and seconds >= 8 and calls >= 0.08 * expected)


def test_only_reading_has_a_share():
    """Nobody knows how long a publish takes, so no bar claims to."""
    assert progress_of({"phase": "publishing", "calls": 5}, seconds=9.0, expected_calls=10).share is None
    assert progress_of(None, seconds=0.0, expected_calls=10).phase == "Starting"


@given(st.text())
def test_a_name_is_one_element_whatever_it_holds(name: str):
    """P28: of a name come its own characters and marks for the invisible ones, and nothing else."""
    elements = Elements(str(show_name(name)))

    assert {tag for tag, _ in elements.found} <= {"bdi", "span", "em"}


@pytest.mark.parametrize("trick", ["\u202e", "\u2066", "\x07", "\u200b", "\x85"])
def test_what_cannot_be_seen_is_shown(trick: str):
    """A character that turns the direction of writing, or is none at all, is written out by its number."""
    assert f"U+{ord(trick):04X}" in str(show_name(f"a{trick}b"))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59, "59 s"), (61, "1 min 1 s"), (3700, "1 h 1 min"), (90000, "1 d 1 h")]
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str):
    """Nobody reads minutes of a day."""
    assert show_duration(seconds) == text


def test_numbers_read_as_sentences():
    """One is one, many have their ending, a difference has its sign, an age its largest unit."""
    assert (count_of(1, "user"), count_of(2000, "user"), count_of(2, "match", "matches")) == (
        "1 user",
        "2,000 users",
        "2 matches",
    )
    assert (show_signed(3), show_signed(-3), show_signed(0)) == ("+3", "\u22123", "\u00b10")
    assert show_age(time_of(NOW - 7300), NOW) == "2 hours ago"
    assert show_age(time_of(NOW + 5), NOW) == "less than a minute ago"
