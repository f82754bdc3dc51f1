"""Who runs a command, as the audit trail and the history of runs have it."""

import getpass
import os

from connector.logs import escape_controls
from connector.store.audit import Actor


def account() -> Actor:
    """Return the account of this machine that runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no name in the environment, and none for the number of the user
        name = f"uid {os.getuid()}"
    return Actor(escape_controls(name), "command")
