"""Logins in the keyring of the desktop (macOS Keychain, Secret Service, Windows Credential Manager), where it is there.

Windows keeps at most 2,560 bytes in an entry, and a token alone is longer; so a login is cut into pieces, each in an
entry of its own, under a first entry that says how many there are and what they are together.
"""

import hashlib
import importlib
from typing import Any

from connector.access.kept_form import read_login, write_login
from connector.access.model import SignedInPerson
from connector.access.store import LoginStore
from connector.errors import LoginStoreFault

_SERVICE = "cognito-scim login"
_PIECE = 1000
"""Characters; Windows counts two bytes each."""
_MOST_PIECES = 64


class KeyringStore:
    """Keeps logins in a keyring.

    Args:
        keyring: the module `keyring`, or what behaves like it.
    """

    def __init__(self, keyring: Any) -> None:
        self._keyring = keyring

    def read(self, profile: str) -> SignedInPerson | None:
        """Return what is kept; pieces that do not fit together are none."""
        count, digest = self._head(profile)
        pieces = [self._get(f"{profile} {number}") for number in range(count)]
        text = "".join(piece or "" for piece in pieces)
        if not count or hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        try:
            return read_login(text)
        except ValueError:
            return None

    def write(self, profile: str, login: SignedInPerson) -> None:
        """Keep a login; its first entry is written last, so that half of one is never read."""
        text = write_login(login)
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        before, _ = self._head(profile)
        for number, piece in enumerate(pieces):
            self._ask("set_password", _SERVICE, f"{profile} {number}", piece)
        self._ask("set_password", _SERVICE, profile, f"{len(pieces)} {hashlib.sha256(text.encode()).hexdigest()}")
        for number in range(len(pieces), before):
            self._delete(f"{profile} {number}")

    def remove(self, profile: str) -> None:
        """Forget it."""
        count, _ = self._head(profile)
        for entry in (profile, *(f"{profile} {number}" for number in range(count))):
            self._delete(entry)

    def place(self, profile: str) -> str:
        """Return where it is kept."""
        return f"keyring, {_SERVICE!r}, {profile!r}"

    def _head(self, profile: str) -> tuple[int, str]:
        count, _, digest = (self._get(profile) or "0").partition(" ")
        return (min(int(count), _MOST_PIECES) if count.isdigit() else 0), digest

    def _get(self, entry: str) -> str | None:
        found = self._ask("get_password", _SERVICE, entry)
        return found if isinstance(found, str) else None

    def _delete(self, entry: str) -> None:
        if self._get(entry) is not None:
            self._ask("delete_password", _SERVICE, entry)

    def _ask(self, method: str, *arguments: str) -> Any:
        try:
            return getattr(self._keyring, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - each backend has errors of its own
            raise LoginStoreFault(
                f"The keyring does not answer ({type(error).__name__}).", remedy="Unlock it, or set login.store: file."
            ) from None


def find_keyring() -> KeyringStore | None:
    """Return the keyring of this machine, or None where there is none that can be used without asking."""
    try:
        keyring = importlib.import_module("keyring")
        usable = keyring.get_keyring().priority >= 1
    except Exception:  # noqa: BLE001 - not installed, or no desktop: either way there is none
        return None
    return KeyringStore(keyring) if usable else None


def choose_store(kind: str, files: LoginStore) -> LoginStore:
    """Return the store that is wished for.

    Args:
        kind: `auto`, `keyring` or `file`.
        files: the one in files.

    Raises:
        LoginStoreFault: a keyring is wished for, and there is none.
    """
    found = find_keyring() if kind in ("auto", "keyring") else None
    if kind == "keyring" and found is None:
        raise LoginStoreFault(
            "There is no keyring that can be used here.",
            remedy="Install cognito-scim[keyring] on a desktop, or set login.store: file.",
        )
    return found or files
