"""Standard output as the hands that take a password: flushed, and synced where it is a file."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from io import UnsupportedOperation
from typing import Any

import click

from connector.cli.invocation import print_json
from connector.errors import VaultUnavailable
from connector.rotation.secret import Secret


class Hands:
    """Gives passwords to who asked for them on standard output.

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
        if sys.stdout is None:  # the process was started with it closed
            raise _unwritten(account, "it is closed")
        try:
            if self._as_json:
                self.put({"account": account, "vault": "standard output", "password": password.reveal()})
            else:
                click.echo(password.reveal())
            sys.stdout.flush()
            _sync_file()
        except OSError as error:
            raise _unwritten(account, error.strerror or "it failed") from None
        self.gave = True

    def put(self, document: Mapping[str, Any]) -> None:
        """Print a document, or an entry of the list."""
        if not self._in_list:
            print_json(document)
            return
        click.echo(("," if self._put_any else "[") + json.dumps(document))
        self._put_any = True

    def end_list(self) -> None:
        """Print what ends the list."""
        if self._in_list:
            click.echo("]" if self._put_any else "[]")


def _sync_file() -> None:
    """See standard output onto the disk, where it is a file: only then is a full or failing disk told."""
    try:
        number = sys.stdout.fileno()
    except UnsupportedOperation:  # no stream of the operating system
        return
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fsync(number)


def _unwritten(account: str, reason: str) -> VaultUnavailable:
    return VaultUnavailable(
        f"The new password of {account} could not be written to standard output ({reason}).",
        remedy="It is live, and the journal keeps it: `cognito-scim rotate recover` prints it.",
    )
