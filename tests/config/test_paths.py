"""A relative path leads from the configuration file, whatever folder a command is called in."""

from pathlib import Path

import pytest

from connector.config import Settings, load_settings
from connector.config.paths import path_keys
from connector.errors import ConfigError


def load(folder: Path, text: str = "", **variables: str) -> Settings:
    """Load a configuration file of this text in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text)
    return load_settings(folder / "config.yaml", variables, reads_pool=False)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is called."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "sqlite:///{}/cognito-scim.db"),
        ("store: {url: 'sqlite:///data/x.db'}", "sqlite:///{}/data/x.db"),
        ("store: {url_file: url}", "sqlite:///{}/of-a-file.db"),
        ("store: {url: 'sqlite:////var/x.db'}", "sqlite:////var/x.db"),
        ("store: {url: 'postgresql://u@h/d'}", "postgresql://u@h/d"),
    ],
)
def test_a_store_is_where_its_configuration_says_from_any_folder(text: str, url: str, tmp_path: Path) -> None:
    """Else `client create` in one folder makes a token that `serve` in another never heard of."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "url").write_text("sqlite:///of-a-file.db\n")

    assert load(tmp_path / "there", text).store.url.get_secret_value() == url.format(tmp_path / "there")


def test_every_path_leads_from_the_configuration(tmp_path: Path) -> None:
    """Certificates, the journal and secrets as well, in the file or the environment."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "id").write_text("a-random-external-id")
    settings = load(
        there,
        "aws: {external_id_file: id}\nserver: {tls_certificate: c.pem, tls_key: /k.pem}",
        COGNITO_SCIM_ROTATION__JOURNAL="kept",
    )

    assert settings.aws.external_id.get_secret_value() == "a-random-external-id"
    assert (settings.server.tls_certificate, settings.server.tls_key) == (f"{there}/c.pem", "/k.pem")
    assert settings.rotation.journal == f"{there}/kept"
    assert {"server.tls_key", "rotation.journal", "aws.external_id_file", "login.folder"} <= set(path_keys())


def test_without_a_file_paths_lead_from_the_current_folder() -> None:
    """The environment alone is enough for a container."""
    settings = load_settings(
        None, {"COGNITO_SCIM_SERVER__TLS_KEY": "k", "COGNITO_SCIM_SERVER__TLS_CERTIFICATE": "c"}, reads_pool=False
    )

    assert (settings.server.tls_key, settings.store.url.get_secret_value()) == ("k", "sqlite:///cognito-scim.db")


@pytest.mark.parametrize(("name", "key"), [("cognito-scim.db", "store.url"), ("cognito-scim-journal", "rotation.j")])
def test_what_lies_where_it_was_looked_for_before_is_not_left_behind(
    name: str, key: str, tmp_path: Path, here: Path
) -> None:
    """A second, empty store is never begun in silence; both places are named."""
    (here / name).touch()

    with pytest.raises(ConfigError, match=key) as caught:
        load(tmp_path / "there")

    assert (f"{here}/{name}" in caught.value.message, f"{tmp_path}/there/{name}" in caught.value.message) == (
        True,
        True,
    )
    (tmp_path / "there" / name).touch()
    assert load(tmp_path / "there").file == tmp_path / "there" / "config.yaml"
