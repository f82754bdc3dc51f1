"""Values: what is derived, what never shows, and what any text at all may lead to."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.config import Settings, effective, load_settings, load_values, variable
from connector.config.keys import key_names, spellings
from connector.errors import ConfigError
from connector.logs import escape_controls

CANARY = "canary-wJalrXUtnFEMI"
POOL = {"cognito.user_pool_id": "us-east-1_a"}


def test_the_form_of_the_oci_guide_is_a_configuration() -> None:
    """The seven fields of the form, with the account id corrected to twelve digits."""
    settings = load_values(
        {
            "cognito.region": "us-east-1",
            "cognito.user_pool_id": "us-east-1_9876543210",
            "cognito.groups": "idp-admin\nidp-support\n",
            "aws.access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws.secret_access_key": CANARY,
            "aws.external_id": "cognito-integration",
            "aws.role_arn": "arn:aws:iam::123456789012:role/cognitoApiAccessRole",
        },
        {},
    )

    assert settings.cognito.groups == ("idp-admin", "idp-support")
    assert settings.aws.credential_source == "access-key"


@pytest.mark.parametrize(
    ("written", "groups"),
    [
        ("groups: [b, a, b]", ("b", "a")),
        ("groups: |\n    b\n\n    a\n    b\n", ("b", "a")),
        ("groups: [' a ', '']", ("a",)),
        ("groups: ['Größe-☃', 'a,b']", ("Größe-☃", "a,b")),
        ("groups:", ()),
        ("groups: ''", ()),
    ],
)
def test_groups_come_as_a_list_or_one_a_line(written: str, groups: tuple[str, ...], tmp_path: Path) -> None:
    """Each group once, in the order given."""
    (tmp_path / "config.yaml").write_text(f"cognito:\n  {written}\n")

    assert load_settings(tmp_path / "config.yaml", {}, reads_pool=False).cognito.groups == groups


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({}, "chain"),
        ({"aws.profile": "work"}, "profile"),
        ({"aws.access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws.secret_access_key": CANARY}, "access-key"),
        ({"aws.profile": "work", "aws.credential_source": "chain"}, "chain"),
    ],
)
def test_credential_source_follows_from_what_is_given(values: dict[str, str], source: str) -> None:
    """The contract: access-key is the default when keys are given."""
    assert load_values({**POOL, **values}, {}).aws.credential_source == source


@pytest.mark.parametrize(
    ("values", "port", "url"),
    [
        ({}, None, "http://127.0.0.1:8080"),
        ({"server.port": "0"}, 4711, "http://127.0.0.1:4711"),
        ({"server.host": "::1"}, None, "http://[::1]:8080"),
        ({"server.tls_certificate": "c.pem", "server.tls_key": "k.pem"}, None, "https://127.0.0.1:8080"),
        ({"server.public_base_url": "https://scim.example.com/base/"}, 4711, "https://scim.example.com/base"),
    ],
)
def test_public_base_url_follows_host_and_port(values: dict[str, str], port: int | None, url: str) -> None:
    """The default is made from host and port; a slash at the end is cut."""
    assert load_values({**POOL, **values}, {}).server.base_url(port) == url


def test_sources_of_authorisation_are_taken_when_trusted() -> None:
    """P19: roles, entitlements and userType only with `trusted: true`."""
    values = {"mapping.roles.attribute": "custom:role", "mapping.roles.trusted": "true"}

    assert load_values({**POOL, **values}, {}).mapping.roles.attribute == "custom:role"


@pytest.mark.parametrize(
    ("written", "served"),
    [("all", "all"), ("none", "none"), ("custom:a\ndev:custom:b", ("custom:a", "dev:custom:b"))],
)
def test_custom_attributes_are_all_none_or_named(written: str, served: str | tuple[str, ...]) -> None:
    """The mapping serves all custom attributes, none, or a list."""
    assert load_values({**POOL, "mapping.custom_attributes": written}, {}).mapping.custom_attributes == served


@pytest.mark.parametrize(
    ("written", "limit"), [("off", None), ("'off'", None), ("''", None), ("5", 5.0), ("0.5", 0.5), ("'5'", 5.0)]
)
def test_the_request_rate_is_a_number_or_off(written: str, limit: float | None, tmp_path: Path) -> None:
    """No limit by default; YAML takes a bare off for false."""
    (tmp_path / "config.yaml").write_text(f"server: {{requests_per_second_per_client: {written}}}\n")
    settings = load_settings(tmp_path / "config.yaml", {}, reads_pool=False)

    assert (settings.server.rate_limit, Settings().server.rate_limit) == (limit, None)


def test_settings_never_show_a_secret() -> None:
    """P27: repr, dumps and the effective configuration are redacted."""
    settings = load_values(
        {
            **POOL,
            "aws.access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws.secret_access_key": CANARY,
            "aws.external_id": f"{CANARY}-id",
            "store.url": f"postgresql://u:{CANARY}@localhost/d",
        },
        {},
    )
    shown = [repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()]
    shown += [row.value for row in effective(settings)]

    assert [text for text in shown if CANARY in text] == []
    assert {CANARY, f"{CANARY}-id", f"postgresql://u:{CANARY}@localhost/d"} <= set(settings.secrets())


def test_settings_are_frozen() -> None:
    """Nobody changes the configuration after it was checked."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().server.port = 1  # type: ignore[misc]


def _loads_or_is_refused(folder: Path, content: bytes, environment: dict[str, str]) -> None:
    path = folder / "config.yaml"
    path.write_bytes(content)
    try:
        load_settings(path, environment, reads_pool=True)
    except ConfigError as error:
        assert [line for line in error.message.split("\n") if line != escape_controls(line)] == []  # noqa: PT017


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_a_configuration_error(content: bytes, tmp_path: Path) -> None:
    """P32: nothing that a file may hold leads to anything else."""
    _loads_or_is_refused(tmp_path, content, {})


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates(), st.binary(max_size=4)
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


@given(values=st.dictionaries(st.sampled_from(sorted(spellings())), _VALUES, max_size=6))
def test_any_yaml_under_known_keys_is_a_configuration_or_a_configuration_error(
    values: dict[str, object], tmp_path: Path
) -> None:
    """P32: nor any value of any type under a key that exists."""
    tree: dict[str, object] = {}
    for key, value in values.items():
        branch = tree
        *path, name = key.split(".")
        for part in path:
            inner = branch.get(part)
            inner = inner if isinstance(inner, dict) else {}
            branch[part] = inner
            branch = inner
        branch[name] = value
    _loads_or_is_refused(tmp_path, yaml.safe_dump(tree, allow_unicode=False).encode(), {})


@given(
    environment=st.dictionaries(
        st.sampled_from(sorted(variable(key) for key in spellings()))
        | st.text(alphabet="ABC_", max_size=8).map("COGNITO_SCIM_{}".format),
        st.text(max_size=30) | st.text(alphabet="\x00\ud800\x1b%{}", max_size=5),
        max_size=6,
    )
)
def test_any_environment_is_a_configuration_or_a_configuration_error(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """P32: nor any variable."""
    _loads_or_is_refused(tmp_path, b"", environment)


def test_keys_are_those_of_the_contract() -> None:
    """Keys of the contract, and of what came after it: the line per request."""
    sections = {key.partition(".")[0] for key in key_names()}

    assert sections == {"cognito", "aws", "mapping", "sync", "store", "feed", "server", "rotation", "login"}
    assert {key for key in key_names() if key.startswith("server.")} == {
        f"server.{name}"
        for name in (
            *("host", "port", "public_base_url", "tls_certificate", "tls_key"),
            *("threads", "trusted_proxies", "max_results", "requests_per_second_per_client", "request_log"),
        )
    }
