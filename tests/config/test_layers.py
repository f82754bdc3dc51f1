"""YAML < environment < secret files, and where each value came from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import Settings, effective, find_config, load_settings, variable
from connector.config.keys import key_names, spellings
from connector.errors import ConfigError

POOL = "eu-west-1_AbCdEf123"


def load(text: str, folder: Path, **environment: str) -> Settings:
    """Load a configuration file of this text."""
    path = folder / "config.yaml"
    path.write_text(text)
    return load_settings(path, environment, reads_pool=False)


def test_environment_alone_is_enough() -> None:
    """The contract: environment alone is enough."""
    settings = load_settings(None, {"COGNITO_SCIM_COGNITO__USER_POOL_ID": POOL}, reads_pool=True)

    assert (settings.cognito.region, settings.cognito.user_pool_id) == ("eu-west-1", POOL)


def test_environment_wins_over_yaml(tmp_path: Path) -> None:
    """The contract: YAML < environment."""
    settings = load("server: {port: 1, threads: 2}", tmp_path, COGNITO_SCIM_SERVER__PORT="3")

    assert (settings.server.port, settings.server.threads) == (3, 2)


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("aws.access_key_id", lambda settings: settings.aws.access_key_id),
        ("aws.secret_access_key", lambda settings: settings.aws.secret_access_key.get_secret_value()),
        ("aws.external_id", lambda settings: settings.aws.external_id.get_secret_value()),
        ("store.url", lambda settings: settings.store.url.get_secret_value()),
    ],
)
@pytest.mark.parametrize("named_by", ["yaml", "environment"])
def test_secret_file_wins_over_environment_and_yaml(
    key: str, read: Callable[[Settings], str], named_by: str, tmp_path: Path
) -> None:
    """The contract: each secret also as `<key>_file`, which wins; the line break at its end is no part of it."""
    section, _, name = key.partition(".")
    text = "sqlite:////of-the-file.db" if key == "store.url" else "OF_THE_FILE_0123456789"
    (tmp_path / "secret").write_text(f"{text}\r\n")
    others = {
        "COGNITO_SCIM_AWS__ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY": "secret-of-environment",
        variable(key): "sqlite:///of-the-environment.db" if key == "store.url" else "OF_THE_ENVIRONMENT",
    }
    yaml = f"{section}: {{{name}_file: {tmp_path}/secret}}" if named_by == "yaml" else ""
    named = {} if yaml else {f"{variable(key)}_FILE": f"{tmp_path}/secret"}

    assert text == read(load(yaml, tmp_path, **others, **named))


def test_every_value_knows_where_it_came_from(tmp_path: Path) -> None:
    """House style 7: the effective configuration is shown with the source of each value."""
    (tmp_path / "id").write_text("an-external-id-of-some-length")
    settings = load(
        f"server:\n  port: 1\naws:\n  external_id_file: {tmp_path}/id\n"
        "mapping: {title: {attribute: 'custom:title'}}",
        tmp_path,
        COGNITO_SCIM_SERVER__THREADS="2",
    )
    rows = {row.key: (row.value, row.origin) for row in effective(settings)}

    assert ("1", f"{tmp_path}/config.yaml, line 2") == rows["server.port"]
    assert rows["server.threads"] == ("2", "environment variable COGNITO_SCIM_SERVER__THREADS")
    assert ("***", f"file {tmp_path}/id, named by {tmp_path}/config.yaml, line 4") == rows["aws.external_id"]
    assert ('"custom:title"', f"{tmp_path}/config.yaml, line 5") == rows["mapping.title"]
    assert rows["server.host"] == ('"127.0.0.1"', "default")
    assert list(key_names()) == list(rows)


def test_a_source_written_in_one_form_replaces_the_other(tmp_path: Path) -> None:
    """The environment wins over the file however either spells the attribute."""
    spelled = load("mapping: {email: email}", tmp_path, COGNITO_SCIM_MAPPING__EMAIL__ATTRIBUTE="custom:mail")
    plain = load("mapping: {email: {attribute: email}}", tmp_path, COGNITO_SCIM_MAPPING__EMAIL="custom:mail")

    assert (spelled.mapping.email.attribute, plain.mapping.email.attribute) == ("custom:mail", "custom:mail")


def test_an_empty_value_in_yaml_is_the_default(tmp_path: Path) -> None:
    """A file whose keys are all commented out, or left empty, is a valid one."""
    assert load("cognito:\nserver:\n  port:\n", tmp_path).server == Settings().server


def test_an_empty_file_is_valid(tmp_path: Path) -> None:
    """So is an empty one."""
    settings = load("", tmp_path).model_dump(exclude={"store", "rotation"})  # whose paths lead from the file

    assert settings == Settings().model_dump(exclude={"store", "rotation"})


def test_an_empty_attribute_in_the_environment_serves_nothing() -> None:
    """`""` is how a mapping with a default is turned off."""
    assert load_settings(None, {"COGNITO_SCIM_MAPPING__TITLE": ""}, reads_pool=False).mapping.title.attribute == ""


def test_what_kubernetes_injects_is_no_unknown_variable() -> None:
    """A service called cognito-scim puts variables of that name into every container beside it."""
    injected = {
        "COGNITO_SCIM_SERVICE_HOST": "10.0.0.1",
        "COGNITO_SCIM_SERVICE_PORT_HTTP": "8080",
        "COGNITO_SCIM_PORT": "tcp://10.0.0.1:8080",
        "COGNITO_SCIM_PORT_8080_TCP_ADDR": "10.0.0.1",
        "COGNITO_SCIM_WEB_SERVICE_HOST": "10.0.0.2",
        "COGNITO_SCIM_WEB_PORT": "tcp://10.0.0.2:80",
    }

    assert Settings() == load_settings(None, injected, reads_pool=False)


def test_every_key_has_one_variable() -> None:
    """No two keys share an environment variable."""
    assert len(spellings()) == len({variable(key) for key in spellings()})


def test_the_named_file_is_read_or_it_is_an_error(tmp_path: Path) -> None:
    """A file given by --config is not optional."""
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read: No such file or directory"):
        load_settings(find_config(tmp_path / "absent.yaml", {}), {}, reads_pool=False)


def test_config_is_looked_for_here_and_then_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract: ./config.yaml, then ~/.config/cognito-scim/config.yaml, then none."""
    home = tmp_path / "home" / ".config" / "cognito-scim"
    home.mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    environment = {"HOME": str(tmp_path / "home")}

    assert find_config(None, environment) is None
    (home / "config.yaml").touch()
    assert home / "config.yaml" == find_config(None, environment)
    Path("config.yaml").touch()
    assert Path("config.yaml") == find_config(None, environment)


def test_a_home_that_cannot_be_looked_into_holds_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's user often has no home to read; that is no fault."""
    monkeypatch.chdir(tmp_path)

    assert find_config(None, {"HOME": "/" + "x" * 5000}) is None
