"""An environment in which one endpoint on this machine is the only AWS there is.

Whoever tries the demonstration may have profiles, keys, proxies or a certificate bundle for the real AWS; none of them
may shape what is shown, and nothing of the demonstration may leave the machine.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_PREFIXES = ("AWS_", "BOTO_", "COGNITO_SCIM_")
_NAMES = frozenset(
    {
        "ALL_PROXY",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
    }
)


def environment_for(endpoint: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without anybody's AWS, proxy or product settings, and with `endpoint` as all of AWS."""
    kept = {name: value for name, value in environment.items() if not _steers(name.upper())}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _steers(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)


@contextmanager
def isolated(endpoint: str) -> Iterator[None]:
    """Put this process into such an environment for the length of a block."""
    before = dict(os.environ)
    _replace(environment_for(endpoint, before))
    try:
        yield
    finally:
        _replace(before)


def _replace(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
