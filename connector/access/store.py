"""Where logins are kept between calls: a file that only its owner can read, or the keyring of the desktop.

Each profile has its own entry and its own lock, so that parallel calls renew once and never mix two logins.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from connector.access.kept_form import read_login, write_login
from connector.access.model import SignedInPerson
from connector.errors import LoginStoreFault, LoginUnavailable

_WAIT = 120.0
"""Seconds that a call waits for another one that renews; longer than all its calls may take."""
_POLL = 0.05
_LARGEST_FILE = 262_144
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


class LoginStore(Protocol):
    """Keeps the login of each profile."""

    def read(self, profile: str) -> SignedInPerson | None:
        """Return what is kept, or None.

        Raises:
            LoginStoreFault: it cannot be read.
        """

    def write(self, profile: str, login: SignedInPerson) -> None:
        """Keep a login, as a whole or not at all.

        Raises:
            LoginStoreFault: it cannot be kept.
        """

    def remove(self, profile: str) -> None:
        """Forget what is kept.

        Raises:
            LoginStoreFault: it cannot be removed.
        """

    def place(self, profile: str) -> str:
        """Return where it is kept, for people."""


def entry_name(profile: str) -> str:
    """Return a file name for a profile, one that no profile's name can turn into a path."""
    if _PLAIN_NAME.fullmatch(profile) and not profile.startswith("."):
        return profile
    return f"profile-{hashlib.sha256(profile.encode(errors='surrogatepass')).hexdigest()[:16]}"


class FileStore:
    """Keeps logins in files of mode 0600.

    Args:
        folder: made when it is first needed, with mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, profile: str) -> SignedInPerson | None:
        """Return what is kept; a damaged entry is none, and signing in again replaces it."""
        path = self._path(profile)
        try:
            with open_private(path) as file:
                text = file.read(_LARGEST_FILE)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _fault(path, "read", error) from None
        try:
            return read_login(text)
        except ValueError:
            return None

    def write(self, profile: str, login: SignedInPerson) -> None:
        """Keep a login."""
        path = self._path(profile)
        try:
            make_folder(self._folder)
            write_private(path, write_login(login))
        except OSError as error:
            raise _fault(path, "written", error) from None

    def remove(self, profile: str) -> None:
        """Forget it."""
        path = self._path(profile)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _fault(path, "removed", error) from None

    def place(self, profile: str) -> str:
        """Return the name of the file."""
        return str(self._path(profile))

    def _path(self, profile: str) -> Path:
        return self._folder / f"{entry_name(profile)}.json"


class Locks:
    """One lock a profile, between processes.

    Args:
        folder: for the lock files.
        wait: seconds that are waited for another process.
    """

    def __init__(self, folder: Path, *, wait: float = _WAIT, sleep: Callable[[float], None] = time.sleep) -> None:
        self._folder = folder
        self._wait = wait
        self._sleep = sleep

    @contextmanager
    def hold(self, profile: str) -> Iterator[None]:
        """Keep other processes from the login of a profile for the length of a block.

        Raises:
            LoginUnavailable: another one holds it for too long.
            LoginStoreFault: there is no place for a lock.
        """
        path = self._folder / f"{entry_name(profile)}.lock"
        try:
            make_folder(self._folder)
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _fault(path, "written", error) from None
        try:
            self._lock(number, path)
            yield
        finally:
            os.close(number)  # which lets go of the lock

    def _lock(self, number: int, path: Path) -> None:
        end = time.monotonic() + self._wait
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
                    raise _fault(path, "locked", error) from None
                if time.monotonic() >= end:
                    raise LoginUnavailable(
                        f"Another process has held {path} for {self._wait:.0f} seconds.", remedy="Try again."
                    ) from None
                self._sleep(_POLL)
            else:
                return


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter.

    Raises:
        OSError: it cannot be made, or is somebody else's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.stat()
    if about.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "the folder belongs to somebody else", str(folder))
    if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        with contextlib.suppress(OSError):
            folder.chmod(0o700)


@contextmanager
def open_private(path: Path) -> Iterator[TextIO]:
    """Open a file of our own for reading: not a link, and nobody else's."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(number, encoding="utf-8") as file:
        if os.fstat(number).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "the file belongs to somebody else", str(path))
        yield file


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file as a whole or not at all; a file system without modes is not a reason to fail.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:  # noqa: PLR2004 - as mkstemp makes it
            with contextlib.suppress(OSError):
                Path(draft).chmod(mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _fault(path: Path, done: str, error: Exception) -> LoginStoreFault:
    reason = getattr(error, "strerror", None) or "it is not text"
    return LoginStoreFault(
        f"{path} cannot be {done}: {reason}.",
        remedy="Name a folder of your own that can be written with login.folder, or XDG_STATE_HOME.",
    )
