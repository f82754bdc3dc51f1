"""Explain calls that got no answer: no credentials to sign with, no way to the endpoint, no end of the answer."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from botocore import exceptions as aws

from connector.errors import ConfigError, ConnectorError, SourceDenied, SourceError, SourceUnavailable


def unsent(error: aws.BotoCoreError, what: str) -> ConnectorError:
    """Return the error for a fault that botocore met on this side of the wire.

    Args:
        error: as botocore raised it; its text is not repeated, since it can hold parameters and a proxy's password.
        what: the call, or what was prepared.
    """
    for kinds, explain in _EXPLANATIONS.items():
        if isinstance(error, kinds):
            return explain(error, what)
    return SourceError(
        f"{what} was not sent ({type(error).__name__}).", remedy="Check the aws section and the AWS_* variables."
    )


def endpoint_of(error: aws.BotoCoreError) -> str:
    """Return the endpoint that an error names, without user information, path and query."""
    url = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url") or ""))
    return f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}" if url.hostname else "AWS"


def _no_credentials(error: aws.BotoCoreError, what: str) -> ConfigError:
    return ConfigError(
        f"{what} needs credentials, and none were found ({type(error).__name__}).",
        remedy="Set aws.access_key_id and aws.secret_access_key, or aws.credential_source to chain or profile.",
    )


def _no_profile(error: aws.BotoCoreError, what: str) -> ConfigError:
    return ConfigError(
        f"{what} needs the AWS profile {error.kwargs.get('profile', '')!r}, which does not exist.",
        remedy="Check aws.profile and AWS_PROFILE against ~/.aws/config and ~/.aws/credentials.",
    )


def _setting(error: aws.BotoCoreError, what: str) -> ConfigError:
    return ConfigError(
        f"{what} cannot be prepared: an AWS setting is wrong ({type(error).__name__}).",
        remedy="Check cognito.region, ~/.aws/config and the AWS_* variables.",
    )


def _login(error: aws.BotoCoreError, what: str) -> SourceDenied:
    return SourceDenied(
        f"{what} needs credentials that could not be got ({type(error).__name__}).",
        remedy="Sign in again at their source (for example `aws sso login`), or check its credential_process.",
    )


def _parameters(error: aws.BotoCoreError, what: str) -> SourceError:
    return SourceError(
        f"{what} was not sent: a parameter has a form that AWS does not allow ({type(error).__name__}).",
        remedy="Check the aws section, cognito.user_pool_id and the names in cognito.groups.",
    )


def _certificate(error: aws.BotoCoreError, what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{what}: the certificate of {endpoint_of(error)} could not be verified.",
        remedy="Behind an inspecting proxy, name its certificate authority in AWS_CA_BUNDLE.",
    )


def _proxy(_: aws.BotoCoreError, what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{what}: the proxy could not be reached.", remedy="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
    )


def _timeout(error: aws.BotoCoreError, what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{what}: {endpoint_of(error)} did not answer in time.",
        remedy="Check the network between here and AWS, then try again.",
    )


def _client(error: aws.BotoCoreError, what: str) -> SourceUnavailable:
    """Explain a fault within the HTTP client, which most often is an address of a proxy that it cannot parse."""
    return SourceUnavailable(
        f"{what}: no connection to {endpoint_of(error)} ({type(error).__name__}).",
        remedy="Check that HTTPS_PROXY is an address such as http://proxy.example.com:3128, and AWS_ENDPOINT_URL.",
    )


def _connection(error: aws.BotoCoreError, what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{what}: no connection to {endpoint_of(error)} ({type(error).__name__}).",
        remedy="Check cognito.region, name resolution, the firewall and AWS_ENDPOINT_URL, then try again.",
    )


_Explain = Callable[[aws.BotoCoreError, str], ConnectorError]

_EXPLANATIONS: Mapping[tuple[type[aws.BotoCoreError], ...], _Explain] = {
    (aws.NoCredentialsError, aws.PartialCredentialsError): _no_credentials,
    (aws.ProfileNotFound,): _no_profile,
    (aws.CredentialRetrievalError, aws.TokenRetrievalError, aws.SSOError): _login,
    (
        aws.BaseEndpointResolverError,
        aws.ConfigNotFound,
        aws.ConfigParseError,
        aws.EndpointProviderError,
        aws.InvalidConfigError,
        aws.InvalidRegionError,
        aws.UnknownCredentialError,
    ): _setting,
    (aws.ParamValidationError, aws.ValidationError): _parameters,
    (aws.SSLError,): _certificate,
    (aws.ProxyConnectionError,): _proxy,
    (aws.ConnectTimeoutError, aws.ReadTimeoutError): _timeout,
    (
        aws.ConnectionError,
        aws.IncompleteReadError,
        aws.MetadataRetrievalError,
        aws.ResponseStreamingError,
    ): _connection,
    (aws.HTTPClientError,): _client,
}
