"""Wiring: the configuration's words become those of the parts, none lost, none added."""

import dataclasses
import os
from pathlib import Path

import pytest

from connector.bootstrap.from_settings import access_of, limits_of, rules_of
from connector.bootstrap.runs import check_subject
from connector.bootstrap.serving import web_services
from connector.config import Settings, load_values
from connector.directory.mapping import Rules
from connector.directory.safeguard import Limit, Limits
from connector.errors import ConfigError
from connector.store.reading.reader import DirectoryReader

POOL = {"cognito.user_pool_id": "us-east-1_AbC"}


def test_the_default_mapping_is_that_of_the_directory() -> None:
    """The configuration repeats the defaults of `Rules` and does not invent others."""
    assert rules_of(Settings()) == Rules()


def test_the_default_limits_are_those_of_the_safeguard() -> None:
    """Likewise for the limits."""
    assert limits_of(Settings()) == Limits()


def test_every_rule_can_be_configured() -> None:
    """Each field of `Rules` follows its key."""
    plain = [
        name
        for name in Rules.__dataclass_fields__
        if name not in {"enterprise", "custom_attributes", "fallbacks", "provider_groups"}
    ]
    values = {f"mapping.{name}.attribute": f"custom:{name}"[:20] for name in plain}
    values |= {f"mapping.{name}.trusted": "true" for name in plain}
    values |= {"mapping.enterprise.cost_center": "custom:cc", "mapping.custom_attributes": "custom:a\ncustom:b"}
    values |= {"mapping.fallbacks.email": "", "mapping.provider_groups": "false"}
    rules = rules_of(load_values({**POOL, **values}, {}))

    assert {name: getattr(rules, name) for name in plain} == {name: f"custom:{name}"[:20] for name in plain}
    assert (rules.enterprise, rules.custom_attributes) == ({"cost_center": "custom:cc"}, ("custom:a", "custom:b"))
    assert (rules.fallbacks.email, rules.provider_groups) == ("", False)


def test_every_limit_can_be_configured() -> None:
    """Each field of `Limits` follows its key."""
    names = [field.name for field in dataclasses.fields(Limits)]
    values = {f"sync.safeguard.{name}": f"{number} or 5%" for number, name in enumerate(names)}
    limits = limits_of(load_values({**POOL, **values}, {}))

    assert [getattr(limits, name) for name in names] == [Limit(number, 5.0) for number in range(len(names))]


def test_access_takes_everything_that_is_configured() -> None:
    """P33: the role goes with its ExternalId."""
    access = access_of(
        load_values(
            {
                **POOL,
                "cognito.requests_per_second": "7",
                "aws.access_key_id": "AKIAIOSFODNN7EXAMPLE",
                "aws.secret_access_key": "canary-secret",
                "aws.role_arn": "arn:aws:iam::123456789012:role/r",
                "aws.external_id": "canary-external-id",
                "aws.session_duration": "1800",
            },
            {},
        )
    )

    assert (access.region, access.user_pool_id, access.requests_per_second) == ("us-east-1", "us-east-1_AbC", 7)
    assert (access.credential_source, access.access_key_id) == ("access-key", "AKIAIOSFODNN7EXAMPLE")
    assert (access.secret_access_key, access.external_id) == ("canary-secret", "canary-external-id")
    assert (access.role_arn, access.session_duration) == ("arn:aws:iam::123456789012:role/r", 1800)
    assert "canary" not in repr(access)


def test_a_configuration_that_did_not_load_is_a_subject_too() -> None:
    """`check` tells it as its first row."""
    error = ConfigError("It is wrong.")

    assert check_subject(error).access is error


def test_web_services_read_the_configuration_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door for a WSGI server of one's own: no argument, environment and file as on the command line."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("server: {public_base_url: 'https://scim.example.com/', max_results: 7}\n")
    monkeypatch.setitem(os.environ, "COGNITO_SCIM_SERVER__REQUESTS_PER_SECOND_PER_CLIENT", "3")
    monkeypatch.setitem(os.environ, "COGNITO_SCIM_SERVER__TRUSTED_PROXIES", "2")
    services = web_services()

    assert (services.public_base_url, services.max_results) == ("https://scim.example.com", 7)
    assert (services.trusted_proxies, services.reader.newest()) == (2, None)
    assert services.requests_per_second_per_client == 3
    assert isinstance(services.reader, DirectoryReader)
    services.reader._database.close()
