"""What works but deserves a second look."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from connector.config import Settings, load_settings

ACCESS = {
    "COGNITO_SCIM_COGNITO__USER_POOL_ID": "us-east-1_AbCdEf123",
    "COGNITO_SCIM_AWS__ROLE_ARN": "arn:aws:iam::123456789012:role/reader",
    "COGNITO_SCIM_AWS__EXTERNAL_ID": "a-random-external-id",
}


def load(
    text: str,
    folder: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    mode: int = 0o600,
    reads_pool: bool = True,
) -> Settings:
    """Load a configuration file of this text over a sound environment."""
    path = folder / "config.yaml"
    path.write_text(text)
    path.chmod(mode)
    return load_settings(path, {**ACCESS, **environment}, reads_pool=reads_pool)


def test_a_sound_configuration_has_no_warning(tmp_path: Path) -> None:
    """A warning that is always there is never read."""
    assert load("store: {url: 'postgresql://user@db.example:5432/d'}", tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("aws: {external_id: another-random-external-id}", "aws.external_id"),
        ("aws: {access_key_id: AKIAIOSFODNN7EXAMPLE, secret_access_key: of-the-file}", "aws.secret_access_key"),
        ("store: {url: 'postgresql://user:password@localhost/d'}", "store.url"),
        ("store: {url: 'postgresql://localhost/d?password=x'}", "store.url"),
    ],
)
def test_a_secret_in_yaml_works_but_warns(text: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P27: a secret in YAML works but warns, and warns again when others can read the file."""
    monkeypatch.delitem(ACCESS, "COGNITO_SCIM_AWS__EXTERNAL_ID")
    name = {} if key == "aws.external_id" else {"COGNITO_SCIM_AWS__EXTERNAL_ID": "a-random-external-id"}
    path = tmp_path / "config.yaml"
    in_yaml = f"{key} is written in {path}, line 1; better name a file with {key}_file."
    readable = f"{path}, which holds {key}, can be read by others; run: chmod 600 {path}"

    assert load(text, tmp_path, name).warnings == (in_yaml,)
    assert load(text, tmp_path, name, mode=0o640).warnings == (readable, in_yaml)


def test_a_secret_of_environment_or_file_does_not_warn(tmp_path: Path) -> None:
    """Neither does a secret in YAML that another one stands before."""
    (tmp_path / "key").write_text("of-the-file")
    (tmp_path / "key").chmod(0o600)
    settings = load(
        f"aws: {{secret_access_key_file: '{tmp_path}/key'}}",
        tmp_path,
        {"COGNITO_SCIM_AWS__ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
    )

    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("environment", "warning"),
    [
        ({"COGNITO_SCIM_AWS__ROLE_ARN": ""}, "aws.role_arn is not set"),
        ({"COGNITO_SCIM_AWS__EXTERNAL_ID": "x" * 15}, "aws.external_id is shorter than 16 characters"),
        (
            {
                "COGNITO_SCIM_AWS__ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY": "unused",
                "COGNITO_SCIM_AWS__CREDENTIAL_SOURCE": "chain",
            },
            "aws.access_key_id is not used: aws.credential_source is chain",
        ),
        ({"COGNITO_SCIM_SERVER__HOST": "0.0.0.0"}, "server.public_base_url is not set; links will name the address"),
        ({"COGNITO_SCIM_SERVER__TRUSTED_PROXIES": "1"}, "server.public_base_url is not set; links will name the add"),
        ({"COGNITO_SCIM_MAPPING__USER_NAME": "preferred_username"}, "mapping.user_name is preferred_username, which"),
        ({"COGNITO_SCIM_MAPPING__EMAIL": "custom:mail"}, "mapping.email is custom:mail, which users may be able to"),
    ],
)
def test_what_is_less_safe_warns(environment: dict[str, str], warning: str, tmp_path: Path) -> None:
    """P19, P33: no role, a short ExternalId, or names that users may write themselves."""
    assert [told[: len(warning)] for told in load("", tmp_path, environment).warnings] == [warning]


@pytest.mark.parametrize(
    "environment",
    [
        {"COGNITO_SCIM_MAPPING__USER_NAME": "sub"},
        {"COGNITO_SCIM_MAPPING__EMAIL": ""},
        {
            "COGNITO_SCIM_MAPPING__USER_NAME__ATTRIBUTE": "preferred_username",
            "COGNITO_SCIM_MAPPING__USER_NAME__TRUSTED": "true",
        },
    ],
)
def test_a_trusted_source_does_not_warn(environment: dict[str, str], tmp_path: Path) -> None:
    """P19: `trusted: true` says that only administrators can write the attribute."""
    assert load("", tmp_path, environment).warnings == ()


def test_a_command_that_reads_no_pool_does_not_warn_of_the_role(tmp_path: Path) -> None:
    """A replica that only serves needs no access to AWS."""
    assert load("", tmp_path, {"COGNITO_SCIM_AWS__ROLE_ARN": ""}, reads_pool=False).warnings == ()


def test_a_schedule_without_a_pool_is_told_to_who_only_serves(tmp_path: Path) -> None:
    """P21: a configuration that can serve but not sync would fail at each time of its schedule."""
    path = tmp_path / "config.yaml"
    path.write_text("sync: {schedule: every 6h}")
    settings = load_settings(path, {}, reads_pool=False)

    assert settings.warnings == ("sync.schedule is set, but no cognito.user_pool_id; every scheduled sync will fail.",)
    assert load("sync: {schedule: every 6h}", tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("cognito: {region: us-east-1, user_pool_id: local_4xTvzUYl}", "cognito.user_pool_id is local_4xTvzUYl"),
        ("cognito: {region: us-east-1, user_pool_id: test_1}", "cognito.user_pool_id is test_1, which only an emul"),
        ("aws: {access_key_id: test}", "aws.access_key_id is shorter than those of AWS; only an emulator takes it."),
    ],
)
def test_what_only_an_emulator_has_is_taken_with_a_warning(
    text: str, warned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emulators name pools `local_…` and take any key; on AWS either would be a mistake."""
    monkeypatch.delitem(ACCESS, "COGNITO_SCIM_COGNITO__USER_POOL_ID")
    given = {} if "cognito" in text else {"COGNITO_SCIM_COGNITO__USER_POOL_ID": "us-east-1_AbCdEf123"}
    if "access_key_id" in text:
        given["COGNITO_SCIM_AWS__SECRET_ACCESS_KEY"] = "test"

    (warning,) = load(text, tmp_path, given).warnings

    assert warning.startswith(warned)
