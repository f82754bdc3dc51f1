"""Does what `plugin_test` does around a plugin: load the file, build the user, run, save the vault, roll back."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes import kdnrm
from tests.fakes.kdnrm import exceptions, log, saas_plugins, saas_type, secret

SHIM = {"kdnrm": kdnrm} | {
    f"kdnrm.{module.__name__.rpartition('.')[2]}": module
    for module in (exceptions, log, saas_plugins, saas_type, secret)
}


class Outcome(StrEnum):
    """The three things `plugin_test run` prints."""

    ROTATED = "Rotation was successful"
    ROLLED_BACK = "Rotation failed, Rollback was successful"
    FAILED = "Rotation and rollback were NOT successful"
    NOT_ROLLED_BACK = "Rotation was NOT successful"


@dataclass
class ConfigRecord:
    """The login record that `plugin_test config` writes; fields are found by their label."""

    fields: dict[str, str]

    def get_custom_field_value(self, label: str, *, single: bool = False) -> str:
        """Return the value under a label."""
        assert single
        if label not in self.fields:
            raise ValueError(f"no field {label}")
        return self.fields[label]


@dataclass
class UserRecord:
    """The PAM user's record in the vault."""

    login: str
    password: Any = None
    custom: dict[str, Any] = field(default_factory=dict)


@dataclass
class Gateway:
    """One Gateway with its vault.

    Args:
        vault_fails: the record cannot be saved after the plugin succeeded (`--fail`).
    """

    config: ConfigRecord
    user: UserRecord
    provider: Any = None
    vault_fails: bool = False
    error: Exception | None = None
    rollback_error: Exception | None = None
    plugin: Any = None

    def run(self, plugin_class: Any, new_password: Any, *, prior_password: Any = ...) -> Outcome:
        """Rotate the user's password, as the Gateway does.

        Args:
            plugin_class: the class SaasPlugin.
            new_password: what the Gateway generated; None as it may come.
            prior_password: instead of the record's, as it may come: None, Secret(None), a tuple.
        """
        prior = self.user.password if prior_password is ... else prior_password
        self.plugin = plugin_class(
            user=saas_type.SaasUser(
                username=secret.Secret(self.user.login),
                new_password=secret.Secret.get_secret(new_password),
                prior_password=secret.Secret.get_secret(prior),
            ),
            config_record=self.config,
            provider_config=self.provider,
            force_fail=self.vault_fails,
        )
        try:
            self.plugin.change_password()
            self._save(new_password)
        except Exception as error:  # noqa: BLE001 - the Gateway catches everything, too
            self.error = error
            return self._roll_back()
        return Outcome.ROTATED

    def _save(self, new_password: Any) -> None:
        if self.vault_fails:
            raise OSError("the vault could not be saved")
        self.user.password = secret.Secret.get_value(new_password)
        self.user.custom |= {item.label: secret.Secret.get_value(item.value) for item in self.plugin.return_fields}

    def _roll_back(self) -> Outcome:
        if not self.plugin.can_rollback:
            return Outcome.NOT_ROLLED_BACK
        try:
            self.plugin.rollback_password()
        except Exception as error:  # noqa: BLE001 - likewise
            self.rollback_error = error
            return Outcome.FAILED
        return Outcome.ROLLED_BACK


@contextmanager
def interface_of_keeper() -> Iterator[None]:
    """Let `import kdnrm` find the stand-in."""
    before = {name: sys.modules.get(name) for name in SHIM}
    sys.modules.update(SHIM)
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def load_plugin(file: Path) -> ModuleType:
    """Load a plugin as the Gateway does: from its path, under a made-up name, absent from sys.modules.

    What it waits, it waits in no time.
    """
    spec = importlib.util.spec_from_file_location("test_plugin", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with interface_of_keeper(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        spec.loader.exec_module(module)
    return module
