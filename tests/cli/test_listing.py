"""`list`: what is published, as a table or as the resources themselves."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import SimulatedPool


@pytest.fixture
def _published(run: Run, pool: SimulatedPool) -> None:
    assert pool.endpoint_url
    run("sync")


def test_before_the_first_generation_there_is_a_clear_message(run: Run) -> None:
    """P04: nothing published is not an empty directory."""
    done = run("list", "users")

    assert (done.code, done.out) == (75, "")
    assert done.err.startswith("cognito-scim: No directory is published yet: there is no store")
    assert done.err.endswith("\n  Run: cognito-scim sync\n")


@pytest.mark.usefixtures("_published")
def test_users_are_a_table(run: Run) -> None:
    """Columns as promised; what the directory holds cannot move the cursor (P32)."""
    done = run("list", "users")
    lines = done.out.splitlines()

    assert lines[0].split() == ["userName", "displayName", "email", "active", "groups"]
    assert lines[2].split() == ["ann", "Ann", "Example", "ann@example.com", "yes", "admins,", "everybody"]
    assert lines[3].split()[-2:] == ["no", "everybody"]
    assert "Cy\\x1b[2J\\u202e" in lines[4]
    assert lines[-1].startswith("3 of 3 users in generation 1 of 2")


def test_a_long_name_leaves_a_table_that_can_be_read(run: Run, pool: SimulatedPool) -> None:
    """P32: 2,048 characters of a display name are cut; --json has them all."""
    pool.directory.add_user(a_user("abe", name="A" * 2048))
    run("sync")
    told = run("list", "users").out
    document = run("list", "users", "--filter", 'userName eq "abe"', "--json").document

    assert ("A" * 59 + "… " in told, "A" * 60 in told) == (True, False)
    assert [resource["displayName"] for resource in document["resources"]] == ["A" * 2048]


@pytest.mark.usefixtures("_published")
def test_groups_are_a_table(run: Run) -> None:
    """Groups with the number of their members."""
    lines = run("list", "groups").out.splitlines()

    assert [line.split() for line in (lines[0], *lines[2:4])] == [
        ["displayName", "members"],
        ["admins", "1"],
        ["everybody", "3"],
    ]


@pytest.mark.usefixtures("_published")
def test_json_has_the_resources_as_they_are_served(run: Run) -> None:
    """One document; the resources under the public base URL."""
    document = run("list", "users", "--json", "--count", "1").document

    assert (document["generation"], document["total"], len(document["resources"])) == (1, 3, 1)
    assert document["resources"][0]["meta"]["location"].startswith("http://127.0.0.1:8080/scim/v2/Users/")


@pytest.mark.usefixtures("_published")
@pytest.mark.parametrize(
    ("kind", "where", "names"),
    [
        ("users", 'userName eq "ANN"', ["ann"]),
        ("users", "active eq false", ["bo"]),
        ("groups", 'displayName sw "every"', ["everybody"]),
        ("users", 'userName eq "nobody"', []),
    ],
)
def test_a_filter_chooses(kind: str, where: str, names: list[str], run: Run) -> None:
    """The filters of SCIM (RFC 7644, section 3.4.2.2)."""
    found = run("list", kind, "--filter", where, "--json").document["resources"]

    assert [entry.get("userName", entry["displayName"]) for entry in found] == names


@pytest.mark.usefixtures("_published")
@pytest.mark.parametrize("where", ["userName eq", "bogus eq 1", 'userName eq "a" or (', "x" * 5000])
def test_a_filter_without_meaning_is_wrong_usage(where: str, run: Run) -> None:
    """P30: never all rows."""
    done = run("list", "users", "--filter", where)

    assert (done.code, done.out, "--filter" in done.err) == (2, "", True)


def test_a_store_that_is_not_there_is_not_made_by_reading(run: Run, folder: Path) -> None:
    """P04: who only looks leaves no empty directory behind."""
    assert run("list", "users").code == 75
    assert list(folder.glob("*.db")) == []
