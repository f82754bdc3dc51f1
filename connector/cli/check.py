"""`check`: Test Connectivity, each row shown as it ends."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from connector.bootstrap import check_subject
from connector.cli.invocation import Invocation, clean, json_option, pass_invocation, print_json, say
from connector.errors import ConfigError
from connector.sync.connectivity import Check, Status, Subject, check_connectivity

FAILED_EXIT = 4
_SIGNS = {
    Status.PASSED: ("ok", "green"),
    Status.WARNING: ("warn", "yellow"),
    Status.FAILED: ("FAIL", "red"),
    Status.SKIPPED: ("skip", "bright_black"),
}
_WIDTH = 20


@click.command()
@json_option
@pass_invocation
def check(invocation: Invocation) -> int:
    """Test Connectivity: prove each thing that a sync needs.

    Ends with 0 when all of it is there, else with 4.
    """
    checks = []
    for done in check_connectivity(_subject(invocation)):
        checks.append(done)
        if not invocation.json:
            tell_check(done)
    ok = all(done.status is not Status.FAILED for done in checks)
    if invocation.json:
        print_json({"ok": ok, "checks": [asdict(done) for done in checks]})
    else:
        say(sum_up(checks))
    return 0 if ok else FAILED_EXIT


def _subject(invocation: Invocation) -> Subject:
    try:
        return check_subject(invocation.settings(reads_pool=True, tell_warnings=False))
    except ConfigError as error:
        return check_subject(error)


def tell_check(done: Check) -> None:
    """Print one row."""
    sign, colour = _SIGNS[done.status]
    detail = clean(done.detail).replace("\n", "\n      ")
    click.echo(f"{click.style(f'{sign:<5}', fg=colour)} {done.name:<{_WIDTH}} {detail} ({done.seconds:.2f} s)")
    if done.remedy:
        click.echo(f"      {clean(done.remedy)}")


def sum_up(checks: Sequence[Check]) -> str:
    """Say in a line how many checks ended how."""
    counts = {status: sum(done.status is status for done in checks) for status in Status}
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{len(checks)} checks: {told}."
