"""`rotate status`: the accounts under rotation, as the history of runs knows them."""

import click

from connector.bootstrap.rotation_runs import Standing, find_standings
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say

_COLUMNS = ("account", "vault", "outcome", "proof", "last rotated", "next", "needs operator")


@click.command()
@json_option
@pass_invocation
def status(invocation: Invocation, /) -> None:
    """Tell of each account under rotation when it was last rotated, when it will be, and whether it needs you."""
    standings = find_standings(invocation.settings(reads_pool=False))
    if invocation.json:
        print_json({"accounts": [standing.as_json() for standing in standings]})
        return
    if not standings:
        say("No rotation is on record yet.")
        return
    print_table(_COLUMNS, [_row(standing) for standing in standings])
    for standing in standings:
        if standing.state.needs_operator:
            say(f"{standing.state.last.account} needs you: {standing.state.last.fault}\n  {standing.state.last.remedy}")


def _row(standing: Standing) -> tuple[str, ...]:
    last, state = standing.state.last, standing.state
    return (
        last.account,
        last.vault,
        last.outcome,
        last.proof,
        state.rotated_at or "never",
        standing.next_at or "",
        "yes" if state.needs_operator else "",
    )
