"""Standard output, where a password is handed over: flushed, and synced where it is a file."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from io import UnsupportedOperation
from typing import Any

import click

from connector.cli.invocation import telling
from connector.errors import VaultUnavailable
from connector.rotation.model.secret import Secret


class PasswordOutput:
    """Prints the passwords that were asked for on standard output.

    Args:
        as_json: each as a JSON document.
        in_list: all of them in one JSON list.
    """

    def __init__(self, *, as_json: bool, in_list: bool = False) -> None:
        self._as_json = as_json
        self._in_list = in_list and as_json
        self._put_any = False
        self.gave = False

    def __call__(self, account: str, password: Secret) -> None:
        """Print a password, and see it off.

        Raises:
            VaultUnavailable: nobody reads standard output.
        """
        try:
            click.echo(self._shown(account, password))
            sys.stdout.flush()
            _sync_file()
        except OSError as error:
            raise VaultUnavailable(
                f"The new password of {account} could not be written to standard output ({error.strerror}).",
                remedy="It is live, and the journal keeps it: `cognito-scim rotate recover` prints it.",
            ) from None
        self.gave = True

    def put(self, document: Mapping[str, Any]) -> None:
        """Print an entry of the list."""
        with telling():
            click.echo(self._listed(document))

    def _shown(self, account: str, password: Secret) -> str:
        document = {"account": account, "vault": "standard output", "password": password.reveal()}
        if self._in_list:
            return self._listed(document)
        return json.dumps(document, indent=2) if self._as_json else password.reveal()

    def _listed(self, document: Mapping[str, Any]) -> str:
        start, self._put_any = "," if self._put_any else "[", True
        return start + json.dumps(document)

    def end_list(self) -> None:
        """Print what ends the list."""
        if self._in_list:
            with telling():
                click.echo("]" if self._put_any else "[]")


def _sync_file() -> None:
    """See standard output onto the disk, where it is a file: only then is a full or failing disk told."""
    try:
        number = sys.stdout.fileno()
    except UnsupportedOperation:  # no stream of the operating system
        return
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fsync(number)
