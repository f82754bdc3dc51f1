"""Where the access key and the ExternalIds are kept: in files beside the configuration, or in AWS Secrets Manager.

At every instant the key that the vault calls current works: a new one is kept as pending first, proved, and takes the
place of the current one in a single step.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from connector.provisioning.design.objects import ExternalIds
from connector.rotation.model.secret import Secret

Value = str | list[str]
"""Of a key of the configuration."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key with its secret part."""

    key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """What a vault keeps.

    Args:
        external_ids: empty where there are none yet.
        current: the key that the connector signs with.
        pending: a key that was made and is not in use yet.
        configuration: the values that the connector is configured with, by key, without secrets.
    """

    external_ids: ExternalIds = field(default_factory=lambda: ExternalIds("", ""))
    current: AccessKey | None = None
    pending: AccessKey | None = None
    configuration: Mapping[str, Value] = field(default_factory=dict)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys."""
        return tuple(key.key_id for key in (self.current, self.pending) if key is not None)


class KeyVault(Protocol):
    """A place that keeps them durably: what a method wrote is still there after a crash.

    Every method may be repeated, and raises what says that the place cannot be read or written.
    """

    @property
    def name(self) -> str:
        """How messages name the place."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other set-ups with the same place out for the length of a block."""

    def read(self) -> KeptKeys:
        """Return what is kept."""

    def keep_external_ids(self, external_ids: ExternalIds) -> None:
        """Keep the ExternalIds; an empty one is left as it is."""

    def configure(self, values: Mapping[str, Value]) -> None:
        """Configure the connector with values by key, and with the ExternalIds that are kept."""

    def stage(self, key: AccessKey) -> None:
        """Keep a key as pending."""

    def promote(self) -> None:
        """Make the pending key the current one, in one step."""

    def discard_pending(self) -> None:
        """Forget the pending key."""

    def forget(self, key_id: str) -> None:
        """Forget a key that AWS has deleted, so far as it is kept here."""

    def places(self) -> Mapping[str, str]:
        """Return where the secrets are, by the names of the form: `Secret Access Key`, `External ID`."""
