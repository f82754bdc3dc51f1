"""A sealed file for each account under rotation, for vaults that cannot hold a pending password.

An entry is written beside its place, synced, and moved there (rename(2) is atomic); then the directory is synced: after
a kill or a power cut there is the old entry or the new one, whole. It stays until the rotation has come to its end, and
then as a copy of what was handed over.
"""

import fcntl
import hashlib
import json
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from connector.errors import RotationBusy, VaultUnavailable, VaultUnfit
from connector.journal.seal import BrokenSeal, Sealer, is_outdated
from connector.rotation.model.secret import Secret

_log = logging.getLogger(__name__)
_LOCK, _UNFINISHED = ".lock", ".unfinished"


class Stage(StrEnum):
    """How far an entry has come; the value is the end of its file's name."""

    PENDING = ".entry"
    """The rotation has not come to its end."""
    GIVEN = ".given"
    """The password was handed over, and nobody has said that it arrived."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rotation that has not come to its end.

    Args:
        account: identity of the target.
        new: the candidate.
        old: the password before, if it was known.
        attempt: how many runs have had a hand in it.
        policy: digest of the policy that the candidate was made for.
        mode: the way it is set (admin or self).
    """

    account: str
    new: Secret
    old: Secret | None
    policy: str
    mode: str
    attempt: int = 1

    def to_bytes(self) -> bytes:
        """Return the entry as it is sealed."""
        shown = {
            "account": self.account,
            "new": self.new.reveal(),
            "old": self.old.reveal() if self.old else None,
            "policy": self.policy,
            "mode": self.mode,
            "attempt": self.attempt,
        }
        return json.dumps(shown).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the entry that was sealed."""
        told: dict[str, Any] = json.loads(content)
        old = Secret(told["old"]) if told["old"] else None
        return cls(told["account"], Secret(told["new"]), old, told["policy"], told["mode"], told["attempt"])


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that a journal keeps.

    Args:
        entries: those that open.
        faults: why each of the others does not.
    """

    entries: tuple[Entry, ...]
    faults: tuple[VaultUnfit, ...]


class Journal:
    """The entries of one directory (0700, its files 0600).

    Args:
        directory: made when something is first written.
        sealer: seals the entries.

    No link is followed, and the directory has to be this user's own: another owner could plant files in it, or take the
    only copy of a password.

    Every method raises
        VaultUnavailable: the directory cannot be read or written.
        VaultUnfit: an entry does not open with this key, and is left as it is; or the directory is not this user's.
    """

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._directory = directory
        self._sealer = sealer

    def __str__(self) -> str:
        return f"the journal in {self._directory}"

    @contextmanager
    def hold(self, account: str) -> Iterator[None]:
        """Keep other processes of this machine out of an account; the lock ends with the process.

        Raises:
            RotationBusy: another one is inside.
        """
        with self._reaching():
            self._make_directory()
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            lock = os.open(self._path(account, _LOCK), flags, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RotationBusy(
                    f"{account} is being rotated by another process.", remedy="Wait for it to end."
                ) from None
            self._seal_anew(account)
            self._count_attempt(account)
            yield
        finally:
            os.close(lock)

    def find(self, account: str, stage: Stage = Stage.PENDING) -> Entry | None:
        """Return the entry of an account, if it has one."""
        path = self._path(account, stage)
        with self._reaching():
            self._check_directory()
            return self._open(path) if os.path.lexists(path) else None

    def survey(self, stage: Stage = Stage.PENDING) -> Survey:
        """Return every entry, by account; one that does not open hides no other."""
        entries, faults = list[Entry](), list[VaultUnfit]()
        with self._reaching():
            self._check_directory()
            for path in sorted(self._directory.glob(f"*{stage}")):
                try:
                    entries.append(self._open(path))
                except VaultUnfit as fault:
                    faults.append(fault)
        return Survey(tuple(sorted(entries, key=lambda entry: entry.account)), tuple(faults))

    def write(self, entry: Entry, stage: Stage = Stage.PENDING) -> None:
        """Keep an entry; when this returns it outlives a power cut."""
        path = self._path(entry.account, stage)
        unfinished = self._path(entry.account, _UNFINISHED)
        sealed = self._sealer.seal(entry.to_bytes(), about=path.name.encode())
        with self._reaching():
            self._make_directory()
            unfinished.unlink(missing_ok=True)
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as stream:
                stream.write(sealed)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(path)
            self._sync_directory()

    def remove(self, account: str, stage: Stage = Stage.PENDING) -> None:
        """Forget an account's entry, because its password is kept elsewhere or dead."""
        with self._reaching():
            self._path(account, stage).unlink(missing_ok=True)
            self._sync_directory()

    def _seal_anew(self, account: str) -> None:
        """Seal what an earlier version sealed as it is done today; what does not open is left as it is."""
        for stage in Stage:
            path = self._path(account, stage)
            with self._reaching():
                outdated = os.path.lexists(path) and is_outdated(_read(path))
            if outdated:
                try:
                    entry = self._open(path)
                except VaultUnfit:
                    continue
                self.write(entry, stage)

    def _count_attempt(self, account: str) -> None:
        entry = self.find(account)
        if entry is not None:
            again = replace(entry, attempt=entry.attempt + 1)
            self.write(again)
            _log.info("%s: attempt %d with a candidate for policy %s", account, again.attempt, again.policy)

    def _open(self, path: Path) -> Entry:
        try:
            return Entry.from_bytes(self._sealer.open(_read(path), about=path.name.encode()))
        except BrokenSeal as error:
            raise VaultUnfit(
                f"The journal's entry {path} cannot be opened: {error}.",
                remedy="Give the key that it was sealed with (rotation.journal_key_file). Until the account has another"
                " password, keep the file: it may hold the only copy of the live one.",
            ) from None

    def _path(self, account: str, kind: str) -> Path:
        return self._directory / f"{hashlib.sha256(account.encode()).hexdigest()[:32]}{kind}"

    def _make_directory(self) -> None:
        """Make the directory where there is none, and check it."""
        if not os.path.lexists(self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_directory()

    def _check_directory(self) -> None:
        """Check that nobody else can put or take an entry.

        Raises:
            VaultUnfit: it is a link, another user's, or others may write there.
        """
        try:
            found = self._directory.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISLNK(found.st_mode):
            raise VaultUnfit(
                f"{self} is a symbolic link, which could lead to a place of somebody else's.",
                remedy="Name the directory itself in rotation.journal.",
            )
        if found.st_uid != os.geteuid():
            raise VaultUnfit(
                f"{self} belongs to another user, who could plant files in it or take the only copy of a password.",
                remedy=f"Run this as its owner, or: chown -R {os.geteuid()} {self._directory}",
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise VaultUnfit(
                f"Others may write into {self}, and so take away the only copy of a password.",
                remedy=f"Run: chmod 700 {self._directory}",
            )

    def _sync_directory(self) -> None:
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VaultUnavailable(
                f"{self} cannot be used ({error.strerror}).",
                remedy="Nothing that it keeps was lost. Give this user the directory, with space, and try again.",
            ) from None


def _read(path: Path) -> bytes:
    """Return the content of a file; a link is not followed."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as stream:
        return stream.read()
