"""`client` and `db`: callers of the endpoint, and the store's schema."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_token_is_shown_once(run: Run, folder: Path) -> None:
    """P29: 256 random bits behind a prefix, of which the store keeps only the SHA-256."""
    made = run("client", "create", "okta", "--json")
    token = made.document["token"]

    assert made.document == {"name": "okta", "role": "importer", "grant": "bearer", "token": token}
    assert (token[:4], len(token)) == ("ccs_", 47)
    assert token not in run("client", "list").out + run("client", "list", "--json").out
    assert token.encode() not in b"".join(path.read_bytes() for path in folder.glob("*.db*"))


@pytest.mark.parametrize(
    ("grant", "parts"),
    [
        ("basic", ["client_id", "client_secret"]),
        ("client-credentials", ["client_id", "client_secret"]),
        ("password", ["client_id", "client_secret", "username", "password"]),
    ],
)
def test_other_grants_get_what_they_sign_in_with(run: Run, folder: Path, grant: str, parts: list[str]) -> None:
    """P29: told once, kept as SHA-256; the ids are listed, so that one can tell clients apart."""
    made = run("client", "create", "oci", "--grant", grant, "--json").document
    shown = run("client", "create", "okta", "--grant", grant).out.splitlines()
    listed = run("client", "list", "--json").document["clients"][0]
    table = run("client", "list").out

    assert list(made) == ["name", "role", "grant", *parts]
    assert [made[name] for name in ("name", "role", "grant")] == ["oci", "importer", grant]
    assert [line.split()[0] for line in shown[1:]] == parts
    assert {name: listed[name] for name in ("name", "grant", "client_id")} == {
        "name": "oci",
        "grant": grant,
        "client_id": made["client_id"],
    }
    assert (made["client_id"] in table, made["client_secret"] in table) == (True, False)
    stored = b"".join(path.read_bytes() for path in folder.glob("*.db*"))
    assert [made[name].encode() in stored for name in parts] == [name in {"client_id", "username"} for name in parts]


def test_an_importer_is_made_for_one_importer(run: Run) -> None:
    """P14: one credential is one importer, and whoever makes it reads so."""
    assert "a second one needs a client of its own" in run("client", "create", "oci").out
    assert "second" not in run("client", "create", "ops", "--role", "operator").out


@pytest.mark.parametrize("options", [("--role", "admin"), ("--role", ""), ("--grant", "digest")])
def test_what_nothing_accepts_cannot_be_made(run: Run, options: tuple[str, str]) -> None:
    """House rule: no client that no route would let in."""
    assert run("client", "create", "ops", *options).code == 2


def test_an_operator_is_made_and_listed_as_such(run: Run) -> None:
    """P28: what a client may do is said when it is made, and told ever after."""
    made = run("client", "create", "ops", "--role", "operator", "--json").document
    run("client", "create", "oci")
    listed = run("client", "list", "--json").document["clients"]
    table = run("client", "list").out.splitlines()

    assert (made["name"], made["role"]) == ("ops", "operator")
    assert [(entry["name"], entry["role"]) for entry in listed] == [("ops", "operator"), ("oci", "importer")]
    assert [line.split()[:2] for line in table[2:4]] == [["ops", "operator"], ["oci", "importer"]]


def test_people_get_the_token_alone_on_the_last_line(run: Run) -> None:
    """So that it can be copied."""
    assert run("client", "create", "okta").out.splitlines()[-1][:4] == "ccs_"


def test_a_client_is_made_in_the_store_of_the_configuration_from_any_folder(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that no server accepts is never printed: configuration and store are named, and are the same anywhere."""
    (folder / "config.yaml").touch()
    run("client", "create", "here")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")

    made = run("--config", "../config.yaml", "client", "create", "there")

    assert "Configuration: " in made.err
    assert f"Store: sqlite:///{folder}" in made.err
    known = run("--config", f"{folder}/config.yaml", "client", "list", "--json").document["clients"]
    assert [client["name"] for client in known] == ["here", "there"]


def test_clients_are_listed_with_their_state(run: Run) -> None:
    """Revoked ones too."""
    empty = run("client", "list")
    run("client", "create", "a")
    run("client", "create", "b")
    revoked = run("client", "revoke", "a")
    known = run("client", "list", "--json").document["clients"]

    assert "There is no client yet" in empty.out
    assert (revoked.code, revoked.out) == (0, "Revoked the client 'a'; its next request is answered with 401.\n")
    assert [(entry["name"], entry["revoked_at"] is None) for entry in known] == [("a", False), ("b", True)]
    assert [line.split()[0] for line in run("client", "list").out.splitlines()[2:4]] == ["a", "b"]


def test_a_client_may_expire(run: Run) -> None:
    """P38: when it does is listed, as is when it was last used."""
    run("client", "create", "okta", "--expires", "90d")
    run("client", "create", "oci")
    okta, oci = run("client", "list", "--json").document["clients"]
    lasts = datetime.fromisoformat(okta["expires_at"]) - datetime.fromisoformat(okta["created_at"])

    assert (lasts, oci["expires_at"], oci["last_used_at"]) == (timedelta(days=90), None, None)
    assert [line.split()[-2:] for line in run("client", "list").out.splitlines()[2:4]] == [
        ["never", okta["expires_at"]],
        ["never", "never"],
    ]


@pytest.mark.parametrize("lifetime", ["", "0d", "90", "tomorrow", "-1d", "1y"])
def test_a_lifetime_is_written_as_in_the_configuration(run: Run, lifetime: str) -> None:
    """House rule: a length of time looks the same everywhere, and a slip makes no client that lives for ever."""
    refused = run("client", "create", "okta", "--expires", lifetime)

    assert (refused.code, "write 90s, 30m, 1h or 30d" in refused.err) == (2, True)
    assert run("client", "list", "--json").document["clients"] == []


@pytest.mark.parametrize("arguments", [("create", "there"), ("create", " "), ("create", "a\nb"), ("revoke", "absent")])
def test_a_name_that_cannot_be_used_is_one_message(arguments: tuple[str, str], run: Run) -> None:
    """In use, empty, unprintable or unknown."""
    run("client", "create", "there")
    done = run("client", *arguments)

    expected = 2 if arguments[0] == "revoke" else 78
    assert (done.code, done.out, len(done.err.splitlines())) == (expected, "", 2)


def test_migrate_tells_the_versions(run: Run) -> None:
    """P24: steps only go forward; a second time there is nothing to do."""
    first, second = run("db", "migrate", "--json").document, run("db", "migrate")

    assert (first["before"], first["after"] > 0) == (0, True)
    assert second.out == f"The store is up to date (schema {first['after']}).\n"


def test_a_postgresql_store_waits_for_its_migration(
    run: Run, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P24: only SQLite is migrated by every command."""
    monkeypatch.setenv("COGNITO_SCIM_STORE__URL", postgresql_url)
    too_old = run("client", "list")
    migrated = run("db", "migrate")

    assert (too_old.code, "cognito-scim db migrate" in too_old.err) == (78, True)
    assert (migrated.code, run("client", "list").code) == (0, 0)


@pytest.mark.parametrize("command", ["db migrate", "client list", "list users"])
def test_a_store_of_a_newer_version_is_refused(command: str, run: Run, folder: Path) -> None:
    """P24: older code refuses a newer schema."""
    run("db", "migrate")
    with sqlite3.connect(folder / "cognito-scim.db") as connection:
        connection.execute("INSERT INTO schema_version (version) VALUES (999)")
    connection.close()
    done = run(*command.split())

    assert (done.code, "schema 999" in done.err) == (78, True)


def test_who_is_not_there_ends_a_command_as_any_other_mistaken_argument(run: Run) -> None:
    """Contract: 2, as for a run that there is not."""
    assert (run("client", "revoke", "nobody").code, run("runs", "show", "99").code) == (2, 2)
