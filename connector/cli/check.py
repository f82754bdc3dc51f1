"""`check`: Test Connectivity, each row shown as it ends."""

from collections.abc import Sequence

import click

from connector.bootstrap.runs import run_checks
from connector.checks.check_run import describe_checks, is_passed
from connector.checks.connectivity import Check, Status
from connector.cli.invocation import Invocation, clean, json_option, pass_invocation, print_json, say
from connector.config import Settings
from connector.directory.counts import count_of
from connector.errors import ConfigError

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
    for done in run_checks(_settings(invocation)):
        checks.append(done)
        if not invocation.json:
            tell_check(done)
    if invocation.json:
        print_json(describe_checks(checks))
    else:
        say(sum_up(checks))
    return 0 if is_passed(checks) else FAILED_EXIT


def _settings(invocation: Invocation) -> Settings | ConfigError:
    try:
        return invocation.settings(reads_pool=True, tell_warnings=False)
    except ConfigError as error:
        return error


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
    return f"{count_of(len(checks), 'check')}: {told}."
