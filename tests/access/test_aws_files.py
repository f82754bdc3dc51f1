"""The AWS files are edited line by line: what is not ours stays as it is, byte for byte."""

import os
import stat

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.access.aws_files import AwsFile
from connector.access.aws_profiles import install_keys, install_process
from connector.errors import ProfileRefused
from tests.access.sample import credentials

COMMAND = ["/opt/my tools/cognito-scim", "credentials", "--format", "process", "--profile", "default"]
QUOTED = "'/opt/my tools/cognito-scim' credentials --format process --profile default"


@pytest.fixture
def files(tmp_path):
    """Where the two files are, and the environment that says so."""
    config, keys = tmp_path / "aws/config", tmp_path / "aws/credentials"
    config.parent.mkdir()
    return config, keys, {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(keys)}


def install(environment, profile="p", *, overwrite=False, region="eu-west-1"):
    """Install the command for a profile."""
    return install_process(profile, COMMAND, region, environment, overwrite=overwrite)


def test_new_files_are_for_their_owner_alone(files):
    """0600 in a folder of 0700; the locations are those of the environment."""
    config, _, environment = files
    config.parent.rmdir()
    install(environment)

    assert config.read_text() == f"[profile p]\ncredential_process = {QUOTED}\nregion = eu-west-1\n"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700


def test_sdk_reads_the_command_back(files, monkeypatch):
    """Spaces in a path and all."""
    _, _, environment = files
    install(environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session(profile="p")

    assert session.get_scoped_config()["credential_process"] == QUOTED


EDITED = """\
# my notes, with 100% in them
[default]
region = us-east-1   ; mine

[profile p]
# keep me
region=us-west-2
s3 =
    max_concurrent_requests = 20
output = json

[profile other]
role_arn = arn:aws:iam::123456789012:role/x
"""


def test_comments_order_and_other_sections_stay(files):
    """Only the lines that are ours change."""
    config, _, environment = files
    config.write_text(EDITED)
    install(environment)
    lines = EDITED.replace("region=us-west-2", "region = eu-west-1").replace(
        "output = json\n", f"output = json\ncredential_process = {QUOTED}\n"
    )

    assert config.read_text() == lines
    install(environment)
    assert config.read_text() == lines


@pytest.mark.parametrize("text", ["[default]", "[default]\r\nregion = x\r\n", "", "\n\n", "# only a comment"])
def test_missing_line_ends_and_those_of_windows_are_kept(files, text):
    """A section behind a last line without its end begins a line of its own."""
    config, _, environment = files
    config.write_bytes(text.encode())
    install(environment)
    content = config.read_bytes().decode()

    assert content.startswith(text)
    assert AwsFile.read(config).settings("profile p")["credential_process"] == QUOTED
    assert ("\r\n" in content) == ("\r\n" in text)


@pytest.mark.parametrize("profile", ["default", "p"])
def test_keys_of_somebody_else_would_shadow_the_command(files, profile):
    """Keys in the credentials file win, even when they have expired: refused, or made comments when asked."""
    config, keys, environment = files
    text = f"[{profile}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    keys.write_text(text)
    with pytest.raises(ProfileRefused, match="of somebody else"):
        install(environment, profile)
    assert keys.read_text() == text
    assert not config.exists()

    done = install(environment, profile, overwrite=True)
    assert keys.read_text() == f"[{profile}]\n# aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n# aws_secret_access_key = x\n"
    assert done.replaced == ("aws_access_key_id", "aws_secret_access_key")


def test_our_own_keys_give_way_to_the_command(files):
    """Whoever installed keys before may install the command now."""
    config, keys, environment = files
    install_keys("p", credentials(), "eu-west-1", environment, overwrite=False)
    assert AwsFile.read(keys).settings("p")["aws_credential_expiration"] == "2026-01-31T20:00:00Z"
    install(environment)

    assert AwsFile.read(keys).settings("p") == {}
    assert AwsFile.read(config).settings("profile p")["credential_process"] == QUOTED


@pytest.mark.parametrize(
    "setting", ["role_arn = x", "sso_session = x", "credential_process = /usr/bin/other", "web_identity_token_file = x"]
)
def test_profile_of_another_tool_is_not_replaced_unasked(files, setting):
    """It says where credentials come from already."""
    config, _, environment = files
    text = f"[profile p]\n{setting}\n"
    config.write_text(text)
    with pytest.raises(ProfileRefused, match=setting.split(" ", maxsplit=1)[0]):
        install(environment)
    assert config.read_text() == text

    install(environment, overwrite=True)
    assert f"# {setting}\n" in config.read_text()


def test_temporary_keys_are_replaced_and_long_term_ones_are_not(files):
    """A key that begins with AKIA is somebody's; one that ends by itself may go."""
    _, keys, environment = files
    keys.write_text("[p]\naws_access_key_id = ASIAOLD\naws_secret_access_key = x\naws_session_token = y\n")
    install_keys("p", credentials(), "", environment, overwrite=False)
    assert AwsFile.read(keys).settings("p")["aws_access_key_id"] == "ASIAIOSFODNN7EXAMPLE"

    keys.write_text("[p]\naws_access_key_id = AKIAOLD\naws_secret_access_key = 50%off\n")
    with pytest.raises(ProfileRefused):
        install_keys("p", credentials(), "", environment, overwrite=False)
    assert "50%off" in keys.read_text()


@pytest.mark.parametrize(
    ("text", "line"),
    [("region = x\n[default]\n", 1), ("[default]\nwhat\n", 2), ("[a]\n[b]\n[a]\n", 3), ("[default]\nregion\n", 2)],
)
def test_broken_file_is_not_touched(files, text, line):
    """The SDKs could not read it either; the message names the line."""
    config, _, environment = files
    config.write_text(text)
    with pytest.raises(ProfileRefused, match=f"line {line}:"):
        install(environment)

    assert config.read_text() == text


def test_file_that_is_no_text_is_not_touched(files):
    """Whatever it is, it is not ours to end."""
    config, _, environment = files
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileRefused, match="not UTF-8"):
        install(environment)

    assert config.read_bytes() == b"\xff\xfe"


def test_symbolic_link_stays_one(files, tmp_path):
    """People keep these files elsewhere, under version control."""
    config, _, environment = files
    kept = tmp_path / "dotfiles"
    kept.write_text("[default]\n")
    config.symlink_to(kept)
    install(environment)

    assert config.is_symlink()
    assert "credential_process" in kept.read_text()


def test_failing_write_leaves_what_was_there(files, monkeypatch):
    """A full disk, a read-only home: the file is whole, and no draft is left."""
    config, _, environment = files
    config.write_text("[default]\n")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProfileRefused, match="No space left"):
        install(environment)

    assert config.read_text() == "[default]\n"
    assert [path.name for path in config.parent.iterdir()] == ["config"]


LINES = st.sampled_from(["# c", "; c", "", "region = x", "output=json", "s3 =", "  a = 1", "k : v"])
BODIES = st.lists(LINES, max_size=6)


@given(st.lists(BODIES, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_file_keeps_every_other_line(tmp_path_factory, bodies, end, whole):
    """Whatever stands in the file, installing changes one section and nothing else, and twice is once."""
    folder = tmp_path_factory.mktemp("aws")
    text = "".join(
        f"[profile n{number}]{end}" + "".join(f"{line}{end}" for line in body) for number, body in enumerate(bodies)
    )
    text = text if whole else text.rstrip("\r\n")
    config = folder / "config"
    config.write_bytes(text.encode())
    environment = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
    install(environment, region="")
    after = config.read_bytes().decode()
    install(environment, region="")

    assert after.startswith(text)
    assert config.read_bytes().decode() == after
    assert AwsFile.read(config).settings("profile p") == {"credential_process": QUOTED}
