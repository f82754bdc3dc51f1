"""Files beside the configuration that only their owner can read, each written as a whole or not at all.

The key's id stands in the configuration beside the name of the file with its secret part, so replacing that one file
switches both at once.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connector.errors import SetUpUnavailable, SetUpUnfit
from connector.provisioning.design.objects import ExternalIds
from connector.provisioning.keys.vault import AccessKey, KeptKeys, Value
from connector.rotation.model.secret import Secret

_EXTERNAL_ID, _ROTATION_EXTERNAL_ID = "external_id", "rotation_external_id"
_PENDING = "pending_access_key"


@dataclass(frozen=True, slots=True)
class FileKeyVault:
    """The files of one configuration.

    Args:
        config: the configuration file, which need not be there yet.
        read_config: returns what it says: keys, ExternalIds and the other values.
        change_config: sets keys of it, or removes those whose value is None; makes it where it is not there.
        write_private: writes a file that nobody else can read, as a whole or not at all.
    """

    config: Path
    read_config: Callable[[], KeptKeys]
    change_config: Callable[[Mapping[str, Value | None]], None]
    write_private: Callable[[Path, str], None]

    @property
    def name(self) -> str:
        """How messages name the files."""
        return f"{self.config} and {self.folder}"

    @property
    def folder(self) -> Path:
        """Where the secrets are."""
        return self.config.parent / "secrets"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other set-ups of this configuration out; the lock goes with the process."""
        with self._writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(lock):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SetUpUnavailable(
                    f"Another set-up is under way with {self.config}.",
                    remedy="Wait for it, then run the command again.",
                ) from None
            yield

    def read(self) -> KeptKeys:
        """Return what the configuration says, and what an interrupted set-up left beside it."""
        kept = self.read_config()
        external_ids = ExternalIds(
            kept.external_ids.read or self._text(_EXTERNAL_ID),
            kept.external_ids.rotation or self._text(_ROTATION_EXTERNAL_ID),
        )
        return replace(kept, external_ids=external_ids, pending=self._pending())

    def keep_external_ids(self, external_ids: ExternalIds) -> None:
        """Write those that the configuration does not have yet."""
        kept = self.read().external_ids
        for name, text, there in (
            (_EXTERNAL_ID, external_ids.read, kept.read),
            (_ROTATION_EXTERNAL_ID, external_ids.rotation, kept.rotation),
        ):
            if text and text != there:
                self._write(name, f"{text}\n")

    def configure(self, values: Mapping[str, Value]) -> None:
        """Name role, pool and the files of the ExternalIds in the configuration."""
        named = {
            f"{section}.external_id_file": str(self.folder / name)
            for section, name in (("aws", _EXTERNAL_ID), ("rotation", _ROTATION_EXTERNAL_ID))
            if f"{section}.role_arn" in values and (self.folder / name).exists()
        }
        with self._writing():
            self.change_config({**values, **named})

    def stage(self, key: AccessKey) -> None:
        """Write the key to a file of its own."""
        self._write(_PENDING, json.dumps({"key_id": key.key_id, "secret": key.secret.reveal()}))

    def promote(self) -> None:
        """Name the pending key in the configuration; its secret part has its file by then."""
        key = self._pending()
        if key is None:
            return
        self._write(_secret_file(key.key_id), f"{key.secret.reveal()}\n")
        with self._writing():
            self.change_config(
                {
                    "aws.access_key_id": key.key_id,
                    "aws.access_key_id_file": None,
                    "aws.secret_access_key": None,
                    "aws.secret_access_key_file": str(self.folder / _secret_file(key.key_id)),
                }
            )
        self.discard_pending()

    def discard_pending(self) -> None:
        """Remove the file of the pending key."""
        self._remove(_PENDING)

    def forget(self, key_id: str) -> None:
        """Remove the file of a key that AWS has deleted; one that somebody else named stays."""
        self._remove(_secret_file(key_id))

    def places(self) -> Mapping[str, str]:
        """Return the files of the secrets."""
        current = self.read().current
        secret = self.folder / _secret_file(current.key_id) if current else self.folder
        return {"Secret Access Key": str(secret), "External ID": str(self.folder / _EXTERNAL_ID)}

    def _pending(self) -> AccessKey | None:
        text = self._text(_PENDING)
        if not text:
            return None
        try:
            told = json.loads(text)
            return AccessKey(told["key_id"], Secret(told["secret"]))
        except (ValueError, KeyError, TypeError):
            raise SetUpUnfit(
                f"{self.folder / _PENDING} is damaged; it held a key that is not in use yet.",
                remedy="Remove the file. The key in it can be deleted from the service user once it shows no use.",
            ) from None

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise SetUpUnfit(f"{self.folder / name} cannot be read.", remedy=f"{error}") from None

    def _write(self, name: str, text: str) -> None:
        with self._writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.write_private(self.folder / name, text)

    def _remove(self, name: str) -> None:
        with self._writing():
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SetUpUnfit(
                f"{error.filename or self.folder} cannot be written: {error.strerror}.",
                remedy="Let this user write there, or name another configuration with --config.",
            ) from None


def _secret_file(key_id: str) -> str:
    return f"secret_access_key.{key_id}"
