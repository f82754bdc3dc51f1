"""The settings of an AWS profile hold for STS and for Cognito alike; the Region of STS is one's own choice."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connector.cognito.errors import SourceCall, refused
from connector.cognito.meter import Meter
from connector.cognito.sending import RetryLimits
from connector.cognito.session import Access, AwsSession
from connector.errors import SourceUnavailable

ROLE = "arn:aws:iam::123456789012:role/reader"
AUTHORITY = Path(__file__)
"""Any file will do: it is named, not read, until something is sent."""


def access(**settings: Any) -> Access:
    """Return how to reach a pool as a role, with the credentials of the profile `importer` unless told otherwise."""
    given: dict[str, Any] = {
        "region": "us-west-2",
        "user_pool_id": "us-west-2_AbCdEf123",
        "credential_source": "profile",
        "access_key_id": "",
        "secret_access_key": "",
        "profile": "importer",
        "role_arn": ROLE,
        "external_id": "a-random-external-id",
        "session_duration": 3600,
        "requests_per_second": 20.0,
    }
    return Access(**(given | settings))


def clients(settings: Access) -> list[Any]:
    """Return the clients of STS and of Cognito that a run makes."""
    session = AwsSession(settings, run="1", meter=Meter())
    return [session._sts, session.pool()._client]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile with every setting that a client could miss."""
    config = tmp_path / "config"
    config.write_text(
        "[profile importer]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
        "[profile fips]\nuse_fips_endpoint = true\nsource_profile = importer\n"
        "[profile elsewhere]\nendpoint_url = https://aws.example:8443\n"
        f"[profile inspected]\nca_bundle = {AUTHORITY}\n"
        "[profile far]\nregion = eu-central-1\n"
        "[profile hasty]\nmax_attempts = 3\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


@pytest.mark.parametrize("source", ["profile", "chain"])
@pytest.mark.parametrize("role", [ROLE, ""])
def test_each_setting_of_a_profile_holds_for_both_services(
    source: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """House rule: a profile that demands FIPS endpoints, an authority or another endpoint is never half heeded."""

    def both(profile: str) -> list[Any]:
        if source == "chain":
            monkeypatch.setenv("AWS_PROFILE", profile)
        return clients(access(credential_source=source, profile=profile if source == "profile" else "", role_arn=role))

    assert [client.meta.endpoint_url for client in both("fips")] == [
        "https://sts-fips.us-west-2.amazonaws.com",
        "https://cognito-idp-fips.us-west-2.amazonaws.com",
    ]
    assert {client.meta.endpoint_url for client in both("elsewhere")} == {"https://aws.example:8443"}
    assert {client._endpoint.http_session._verify for client in both("inspected")} == {str(AUTHORITY)}
    assert {client.meta.region_name for client in both("far")} == {"us-west-2"}


def test_the_attempts_of_a_profile_hold_for_both_services() -> None:
    """House rule: STS tries again by itself, and reads of the pool by the run's sender."""
    session = AwsSession(access(profile="hasty"), run="1", meter=Meter())
    sts: Any = session._sts

    assert sts.meta.config.retries["total_max_attempts"] == 3
    assert session.pool()._sender._patience.attempts == 3


@pytest.mark.parametrize("role", [ROLE, ""])
def test_another_region_of_sts_is_asked_and_signed_for(role: str) -> None:
    """A Region that has to be enabled knows nothing of an account that has not; its pool is read all the same."""
    sts, cognito = clients(access(region="eu-south-2", sts_region="us-east-1", role_arn=role))

    assert (sts.meta.endpoint_url, sts.meta.region_name) == ("https://sts.us-east-1.amazonaws.com", "us-east-1")
    assert cognito.meta.endpoint_url == "https://cognito-idp.eu-south-2.amazonaws.com"


def test_explicit_keys_win_over_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody's shell names does not stop what the configuration says; a profile that is there is heeded."""
    keys = {"credential_source": "access-key", "access_key_id": "AKIA000", "secret_access_key": "s", "profile": ""}
    monkeypatch.setenv("AWS_PROFILE", "gone")
    sts, _ = clients(access(**keys))
    monkeypatch.setenv("AWS_PROFILE", "fips")
    with_settings, _ = clients(access(**keys))

    assert [client._request_signer._credentials.access_key for client in (sts, with_settings)] == ["AKIA000"] * 2
    assert "fips" in with_settings.meta.endpoint_url


@pytest.mark.parametrize(("operation", "told"), [("AssumeRole", True), ("ListUsers", False)])
def test_keys_that_a_region_does_not_know_may_be_those_of_another(operation: str, *, told: bool) -> None:
    """The remedy of STS names both reasons, for AWS gives the same answer to both (STS: InvalidClientTokenId)."""
    error = ClientError({"Error": {"Code": "InvalidClientTokenId"}}, operation)

    assert ("aws.sts_region" in refused(error, SourceCall(operation, "somewhere")).remedy) == told


@pytest.mark.parametrize("proxy", ["http://[bad", "proxy:abc", "foo bar", "http://h:99999", "http://u:hunter2@h:x"])
def test_a_proxy_that_is_not_an_address_is_named_in_the_remedy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P27: the variable is named, and nothing of what stands in it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    session = AwsSession(access(patience=RetryLimits(attempts=1)), run="1", meter=Meter())

    with pytest.raises(SourceUnavailable) as caught:
        session.caller()

    assert "HTTPS_PROXY" in caught.value.remedy
    assert "hunter2" not in str(caught.value)
