"""The sealed copies of what `rotate` handed over on standard output: listed, and forgotten once they are not needed."""

from collections.abc import Sequence

import click

from connector.bootstrap.rotations import forget_handed_over, survey_handed_over
from connector.cli.invocation import Invocation, print_json, say, say_aside
from connector.config import Settings

COPY = (
    "a sealed copy of what was printed stays in the journal until the next rotation; `rotate recover KIND NAME` prints"
    " it again with --vault stdout, and removes it with --forget."
)


def tell_copies(settings: Settings) -> None:
    """List the accounts of which the journal keeps a copy."""
    for entry in survey_handed_over(settings).entries:
        say_aside(f"  {entry.account}: {COPY}")


def forget_copies(invocation: Invocation, settings: Settings, account: tuple[str, str] | None) -> int:
    """Forget every copy, or one, and return the exit code: a copy that does not open is told and kept.

    Args:
        invocation: tells which form the result has.
        settings: name the journal.
        account: its kind, and its name alone or as it is listed; None forgets all.

    Raises:
        click.UsageError: the name is that of no copy, or of several; nothing is forgotten.
    """
    kept = survey_handed_over(settings)
    listed = [entry.account for entry in kept.entries]
    accounts = [_choose(listed, *account)] if account else listed
    faults = () if account else kept.faults
    forget_handed_over(settings, accounts)
    if invocation.json:
        print_json({"forgotten": accounts})
    elif accounts or not faults:
        say("\n".join(f"{account}: forgotten." for account in accounts) or "No password was kept.")
    for fault in faults:
        say_aside(f"cognito-scim: {fault}")
    return faults[0].exit_code if faults else 0


def _choose(listed: Sequence[str], kind: str, name: str) -> str:
    """Return the account that is meant: two pools may each have a user of one name."""
    exact = f"{kind} {name}"
    found = [exact] if exact in listed else [one for one in listed if _names(one) == (kind, name)]
    if len(found) > 1:
        raise click.UsageError(f"{name!r} is the name of several; say which, as listed: {', '.join(found)}.")
    if not found:
        raise click.UsageError(f"The journal keeps no copy for {exact}. It has: {', '.join(listed) or 'none'}.")
    return found[0]


def _names(account: str) -> tuple[str, str]:
    kind, _, place = account.partition(" ")
    return kind, place.partition("/")[2]
