"""Credentials in the forms in which programs take them.

`process` is exactly what SDKs read from a credential_process (AWS SDKs guide, "Process credential provider"); `env`,
`export`, `powershell`, `json` and `ini` are those of `aws configure export-credentials` and its like.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connector.access.model import AwsCredentials


def variables(credentials: AwsCredentials, region: str = "") -> dict[str, str]:
    """Return the environment variables that hold credentials."""
    found = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key.reveal(),
        "AWS_SESSION_TOKEN": credentials.session_token.reveal(),
        "AWS_CREDENTIAL_EXPIRATION": iso_time(credentials.expires),
    }
    return found | ({"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {})


def iso_time(moment: datetime) -> str:
    """Return a time as AWS writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _process(credentials: AwsCredentials, _profile: str) -> str:
    document = {
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key.reveal(),
        "SessionToken": credentials.session_token.reveal(),
        "Expiration": iso_time(credentials.expires),
    } | ({"AccountId": credentials.account} if credentials.account else {})
    return json.dumps(document)


def _env(credentials: AwsCredentials, _profile: str) -> str:
    return "\n".join(f"{name}={value}" for name, value in variables(credentials).items())


def _export(credentials: AwsCredentials, _profile: str) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables(credentials).items())


def _powershell(credentials: AwsCredentials, _profile: str) -> str:
    quoted = {name: value.replace("'", "''") for name, value in variables(credentials).items()}
    return "\n".join(f"$Env:{name} = '{value}'" for name, value in quoted.items())


def _json(credentials: AwsCredentials, _profile: str) -> str:
    document = {
        "access_key_id": credentials.access_key_id,
        "secret_access_key": credentials.secret_access_key.reveal(),
        "session_token": credentials.session_token.reveal(),
        "expiration": iso_time(credentials.expires),
        "account": credentials.account or None,
        "arn": credentials.arn or None,
    }
    return json.dumps(document, indent=2)


def _ini(credentials: AwsCredentials, profile: str) -> str:
    return "\n".join((f"[{profile}]", *(f"{name} = {value}" for name, value in profile_keys(credentials).items())))


def profile_keys(credentials: AwsCredentials) -> dict[str, str]:
    """Return what a section of the AWS credentials file holds of credentials, their end included."""
    return {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key.reveal(),
        "aws_session_token": credentials.session_token.reveal(),
        "aws_credential_expiration": iso_time(credentials.expires),
    }


FORMATS: Mapping[str, Callable[[AwsCredentials, str], str]] = {
    "process": _process,
    "env": _env,
    "export": _export,
    "json": _json,
    "ini": _ini,
    "powershell": _powershell,
}
"""Each form by its name: made of the credentials and the name of a profile."""
