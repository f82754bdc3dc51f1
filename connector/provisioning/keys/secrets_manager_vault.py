"""One secret of AWS Secrets Manager: a JSON object whose names are the connector's environment variables.

Whoever runs the connector puts them into its environment (ECS, External Secrets, …). A pending key stands in the same
object, so each step is one PutSecretValue, whole or not at all.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from connector.errors import SetUpUnfit
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.errors import is_refusal, provisioning_faults
from connector.provisioning.design.objects import ExternalIds
from connector.provisioning.keys.vault import AccessKey, KeptKeys, Value
from connector.rotation.aws.errors import AwsCall
from connector.rotation.model.secret import Secret

_PENDING = "pending"


@dataclass(frozen=True, slots=True)
class SecretsManagerKeyVault:
    """One secret.

    Args:
        caller: who reads and writes it.
        secret_id: its name or ARN; one with this name is made where there is none.
        tags: of a secret that is made.
        variable: returns the environment variable of a key of the configuration.
        read_config: returns what the configuration file says.
        change_config: sets keys of the configuration file that are no secrets and not about AWS access.
    """

    caller: Caller
    secret_id: str
    tags: Mapping[str, str]
    variable: Callable[[str], str]
    read_config: Callable[[], KeptKeys]
    change_config: Callable[[Mapping[str, Value | None]], None]

    @property
    def name(self) -> str:
        """How messages name the secret."""
        return f"secret {self.secret_id}"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let everybody in: what two would make is seen in the account."""
        yield

    def read(self) -> KeptKeys:
        """Return what the secret says; one that is not there says nothing."""
        told = self._read() or {}
        current = told.get(self.variable("aws.access_key_id")), told.get(self.variable("aws.secret_access_key"))
        pending = told.get(_PENDING) or {}
        return KeptKeys(
            ExternalIds(
                told.get(self.variable("aws.external_id"), ""), told.get(self.variable("rotation.external_id"), "")
            ),
            _key(*current),
            _key(pending.get("key_id"), pending.get("secret")),
            self._configuration(told),
        )

    def _configuration(self, told: Mapping[str, Any]) -> dict[str, Value]:
        roles = {key: told.get(self.variable(key)) for key in ("aws.role_arn", "rotation.role_arn")}
        allowed = told.get(self.variable("rotation.allow"))
        about_pool = self.read_config().configuration
        found: dict[str, Value] = {key: value for key, value in roles.items() if value}
        pool = {key: value for key, value in about_pool.items() if key.startswith("cognito.")}
        return {**pool, **found, **({"rotation.allow": allowed.splitlines()} if allowed else {})}

    def keep_external_ids(self, external_ids: ExternalIds) -> None:
        """Put the ExternalIds into the secret."""
        keys = {"aws.external_id": external_ids.read, "rotation.external_id": external_ids.rotation}
        self._change({self.variable(key): text for key, text in keys.items() if text})

    def configure(self, values: Mapping[str, Value]) -> None:
        """Put what is about access into the secret, and the pool into the configuration."""
        access = {key: text for key, text in values.items() if key.startswith(("aws.", "rotation."))}
        lines = {key: value if isinstance(value, str) else "\n".join(value) for key, value in access.items()}
        self._change({self.variable(key): text for key, text in lines.items()})
        self.change_config({key: text for key, text in values.items() if key not in access})

    def stage(self, key: AccessKey) -> None:
        """Put the key beside the current one."""
        self._change({_PENDING: {"key_id": key.key_id, "secret": key.secret.reveal()}})

    def promote(self) -> None:
        """Put the pending key in the place of the current one."""
        pending = self.read().pending
        if pending is not None:
            key_id, secret = (self.variable(f"aws.{name}") for name in ("access_key_id", "secret_access_key"))
            self._change({key_id: pending.key_id, secret: pending.secret.reveal(), _PENDING: None})

    def discard_pending(self) -> None:
        """Take the pending key out."""
        self._change({_PENDING: None})

    def forget(self, key_id: str) -> None:
        """Do nothing: the secret keeps no key but the current and the pending one."""

    def places(self) -> Mapping[str, str]:
        """Return the names inside the secret."""
        named = {"Secret Access Key": "aws.secret_access_key", "External ID": "aws.external_id"}
        return {field: f"{self.name}, {self.variable(key)}" for field, key in named.items()}

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the secret holds."""
        return {name: value for name, value in (self._read() or {}).items() if isinstance(value, str)}

    def _change(self, values: Mapping[str, Any]) -> None:
        there = self._read()
        changed = {name: value for name, value in {**(there or {}), **values}.items() if value is not None}
        if changed == there:
            return
        text, client = json.dumps(changed), self.caller.secrets_manager
        action = "PutSecretValue" if there is not None else "CreateSecret"
        with provisioning_faults(AwsCall(f"secretsmanager:{action}", self.name, changes=True)):
            if there is not None:
                client.put_secret_value(SecretId=self.secret_id, SecretString=text)
                return
            tags: Any = [{"Key": key, "Value": value} for key, value in self.tags.items()]
            client.create_secret(Name=self.secret_id, SecretString=text, Tags=tags)

    def _read(self) -> dict[str, Any] | None:
        client = self.caller.secrets_manager

        def look() -> str | None:
            try:
                return client.get_secret_value(SecretId=self.secret_id).get("SecretString", "")
            except ClientError as error:
                if is_refusal(error, "ResourceNotFoundException"):
                    return None
                raise

        text = self.caller.ask(AwsCall("secretsmanager:GetSecretValue", self.name), look)
        if text is None:
            return None
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise SetUpUnfit(
                f"The {self.name} holds something else than a JSON object, and is left as it is.",
                remedy="Name another secret with --vault secretsmanager:NAME.",
            )
        return told


def _key(key_id: str | None, secret: str | None) -> AccessKey | None:
    return AccessKey(key_id, Secret(secret)) if key_id and secret else None
