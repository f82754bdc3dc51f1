"""`rotate status`: the accounts under rotation, as the history of runs knows them."""

import click

from connector.bootstrap.rotation_runs import AccountStatus, find_account_statuses
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say

_COLUMNS = ("account", "vault", "outcome", "proof", "last rotated", "next", "needs operator")


@click.command()
@json_option
@pass_invocation
def status(invocation: Invocation, /) -> None:
    """Tell of each account under rotation when it was last rotated, when it will be, and whether it needs you."""
    statuses = find_account_statuses(invocation.settings(reads_pool=False))
    if invocation.json:
        print_json({"accounts": [status.as_json() for status in statuses]})
        return
    if not statuses:
        say("No rotation is on record yet.")
        return
    print_table(_COLUMNS, [_row(status) for status in statuses])
    for status in statuses:
        if status.state.needs_operator:
            say(f"{status.state.last.account} needs you: {status.state.last.fault}\n  {status.state.last.remedy}")


def _row(status: AccountStatus) -> tuple[str, ...]:
    last, state = status.state.last, status.state
    return (
        last.account,
        last.vault,
        last.outcome,
        last.proof,
        state.rotated_at or "never",
        status.next_at or "",
        "yes" if state.needs_operator else "",
    )
