"""Files that others may read or change."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.config import load_settings
from connector.file_access import describe_access

ME = 4321
"""The number of a user that no machine has."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "secret"
    path.write_text("of-the-file")
    return path


@pytest.mark.parametrize(
    ("mode", "secret", "told"),
    [
        (0o600, True, None),
        (0o400, True, None),
        (0o604, True, "can be read by others; run: chmod 600"),
        (0o620, True, "can be read by others; run: chmod 600"),
        (0o644, False, None),
        (0o664, False, "can be changed by others; run: chmod go-w"),
        (0o646, False, "can be changed by others; run: chmod go-w"),
    ],
)
def test_what_others_may_do_is_said_with_the_command_that_ends_it(
    file: Path, mode: int, told: str | None, *, secret: bool
) -> None:
    """P27: a secret is read by its owner alone; what a program relies on is changed by nobody else."""
    file.chmod(mode)
    expected = [f"{file}, the key, {told} {file}"] if told else []

    assert [
        f"{detail}; run: {command}" for detail, command in describe_access(file, "the key", secret=secret)
    ] == expected


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """Whoever reads it says so."""
    assert list(describe_access(tmp_path / "nothing", "the key", secret=True)) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((ME, 20, 0o600), []),
        ((0, 20, 0o600), []),
        ((77, 20, 0o600), ["belongs to 77"]),
        ((77, 20, 0o666), ["belongs to 77", "can be read by others"]),
        ((0, 20, 0o640), []),
        ((0, 21, 0o640), ["can be read by others"]),
        ((0, 20, 0o644), ["can be read by others"]),
        ((ME, 20, 0o640), ["can be read by others"]),
    ],
)
def test_owners_count_and_what_root_gave_to_a_group_of_this_user_is_not_others(
    file: Path, monkeypatch: pytest.MonkeyPatch, found: tuple[int, int, int], told: list[str]
) -> None:
    """P27: an owner may change a file; secrets of containers come as root's, readable by the group of the service."""
    owner, group, mode = found
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(st_uid=owner, st_gid=group, st_mode=mode))
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(os, "getegid", lambda: 20)
    monkeypatch.setattr(os, "getgroups", list)

    assert [detail.partition("key, ")[2] for detail, _ in describe_access(file, "the key", secret=True)] == told


def test_every_file_of_the_configuration_is_looked_at(tmp_path: Path) -> None:
    """P27: the configuration itself, each secret file and the key of TLS, each told once."""
    names = {name: tmp_path / name for name in ("config.yaml", "external_id", "key.pem", "cert.pem")}
    for path in names.values():
        path.write_text("a-random-external-id")
        path.chmod(0o666)
    names["config.yaml"].write_text(
        f"server: {{tls_certificate: '{names['cert.pem']}', tls_key: '{names['key.pem']}'}}\n"
        "aws: {role_arn: 'arn:aws:iam::123456789012:role/reader'}\n"
    )
    environment = {"COGNITO_SCIM_AWS__EXTERNAL_ID_FILE": str(names["external_id"])}
    warnings = load_settings(names["config.yaml"], environment, reads_pool=False).warnings

    told = {
        "config.yaml": "the configuration, can be changed by others; run: chmod go-w",
        "external_id": "named by aws.external_id_file, can be read by others; run: chmod 600",
        "key.pem": "named by server.tls_key, can be read by others; run: chmod 600",
    }
    assert warnings[:3] == tuple(f"{names[name]}, {what} {names[name]}" for name, what in told.items())
    assert len(warnings) == len(set(warnings))
