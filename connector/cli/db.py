"""`db`: the store's schema."""

import click

from connector.bootstrap.runs import migrate_store
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say


@click.group()
def db() -> None:
    """Look after the store."""


@db.command()
@json_option
@pass_invocation
def migrate(invocation: Invocation) -> None:
    """Bring the store's schema up to date; on SQLite every command does it itself."""
    before, after = migrate_store(invocation.settings(reads_pool=False))
    if invocation.json:
        print_json({"before": before, "after": after})
    elif before == after:
        say(f"The store is up to date (schema {after}).")
    else:
        say(f"The store was brought from schema {before} to {after}.")
