"""`check`: each row with its remedy, 0 or 4 whatever it found."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fakes.simulated_pool import EXTERNAL_ID, SimulatedPool

NAMES = (
    *("configuration", "credentials", "clock", "assume_role", "external_id"),
    *("list_users", "list_groups", "list_users_in_group", "configured_groups", "store"),
)


def test_a_sound_setup_passes(run: Run, pool: SimulatedPool) -> None:
    """The contract: the names in order, ok, exit 0."""
    done = run("check", "--json")

    assert (done.code, done.document["ok"]) == (0, True)
    assert [(check["name"], check["status"]) for check in done.document["checks"]] == [
        (name, "passed") for name in NAMES
    ]
    assert set(done.document["checks"][0]) == {"name", "status", "detail", "remedy", "seconds"}
    assert sum(pool.calls[operation] for operation in pool.calls if operation.startswith("Admin")) == 0


@pytest.mark.usefixtures("pool")
def test_people_see_a_line_for_each_check(run: Run) -> None:
    """Each row as it ends, and a sentence with the counts."""
    lines = run("check").out.splitlines()

    assert tuple(line.split()[1] for line in lines[:-1]) == NAMES
    assert lines[-1] == "10 checks: 10 passed."


def test_a_failure_tells_its_remedy_and_ends_with_4(run: Run, pool: SimulatedPool) -> None:
    """The contract: `check` ends with 0 or 4, whatever it found."""
    pool.deny("ListUsers")
    done = run("check")
    lines = done.out.splitlines()
    failed = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))

    assert (done.code, lines[failed].split()[1]) == (4, "list_users")
    assert lines[failed + 1].startswith("      ")


@pytest.mark.parametrize("text", ["cognito: {user_pool_id: [", "servre: {}", "cognito: {user_pool_id: us-east-1}"])
def test_a_configuration_that_does_not_load_is_a_failed_check(text: str, run: Run, folder: Path) -> None:
    """The contract: 0 or 4 also when the configuration does not load."""
    (folder / "config.yaml").write_text(text)
    done = run("check", "--json")

    assert (done.code, done.document["ok"]) == (4, False)
    assert [check["status"] for check in done.document["checks"]] == ["failed", *["skipped"] * 9]


@pytest.mark.usefixtures("pool")
def test_warnings_of_the_configuration_are_its_row(run: Run, folder: Path) -> None:
    """A warning is told once, and fails nothing; that a store was made is another."""
    with (folder / "config.yaml").open("a") as file:
        file.write("mapping: {user_name: preferred_username}\n")
    done = run("check", "--json")

    assert (done.code, done.document["checks"][0]["status"], done.err.count("WARNING")) == (0, "warning", 1)
    assert "mapping.user_name is preferred_username" in done.document["checks"][0]["detail"]


@pytest.mark.usefixtures("pool")
def test_the_effective_configuration_is_shown_at_debug(run: Run) -> None:
    """House style 7: with the source of each value, redacted (P27)."""
    done = run("--log-level", "debug", "check")

    assert "cognito.requests_per_second = 1000.0 (config.yaml, line 4)" in done.err
    assert "aws.external_id = *** (environment variable COGNITO_SCIM_AWS__EXTERNAL_ID)" in done.err
    assert EXTERNAL_ID not in done.err + done.out
