"""`runs`: what was done, by whom it was asked for, and how it ended."""

import json
import re
from collections.abc import Mapping
from typing import Any

import click

from connector.bootstrap.account import account
from connector.bootstrap.runs import runs_of
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say
from connector.directory.runs import RunKind, RunOutcome, RunState
from connector.store.runs.history import NEWEST_RUNS
from connector.store.runs.queue import RunRecord

_COLUMNS = ("run", "kind", "cause", "state", "outcome", "queued", "ended", "what happened")
_NUMBER = re.compile("[1-9][0-9]{0,14}")
"""As many digits as every reader of JSON keeps (RFC 8259, section 6)."""


@click.group()
def runs() -> None:
    """Look at the history of runs, and end one."""


def _run_number(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """Read the number of a run; the words of click's own type speak of ranges."""
    if not _NUMBER.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not the number of a run.")
    return int(value)


_run_id = click.argument("run", metavar="ID", callback=_run_number)


@runs.command("list")
@click.option("--count", type=click.IntRange(1, NEWEST_RUNS), default=20, show_default=True, help="Runs at most.")
@json_option
@pass_invocation
def list_runs(invocation: Invocation, count: int) -> None:
    """List the newest runs first."""
    with runs_of(invocation.settings(reads_pool=False)) as queue:
        found = queue.history(count=count)
    if invocation.json:
        print_json({"runs": [run.as_json() for run in found]})
    elif not found:
        say("There was no run yet; begin with: cognito-scim sync")
    else:
        print_table(_COLUMNS, [_row(run) for run in found])


@runs.command()
@_run_id
@json_option
@pass_invocation
def show(invocation: Invocation, run: int) -> None:
    """Show the run of the number ID, as far as it has come."""
    with runs_of(invocation.settings(reads_pool=False)) as queue:
        found = queue.find(run)
    _show(invocation, found)


@runs.command()
@_run_id
@json_option
@pass_invocation
def cancel(invocation: Invocation, run: int) -> None:
    """End the run of the number ID; what it published already stays.

    One that waits is ended at once; one that is under way, in whatever process, ends itself within seconds.
    """
    with runs_of(invocation.settings(reads_pool=False)) as queue:
        found = queue.cancel(run, by=account())
    if invocation.json:
        print_json(found.as_json())
    elif found.state is RunState.ENDED:
        say(f"Run {run} was cancelled before it began.")
    else:
        say(f"Run {run} was asked to end; see: cognito-scim runs show {run}")


def _show(invocation: Invocation, run: RunRecord) -> None:
    document = run.as_json()
    if invocation.json:
        print_json(document)
        return
    for name, value in document.items():
        if value is not None:
            say(f"{name:<11} {value if isinstance(value, str | int) else json.dumps(value)}")


def _row(run: RunRecord) -> tuple[str, ...]:
    times = (run.queued_at, run.ended_at or "")
    asked = f"{run.cause} ({run.asked_by})" if run.asked_by else run.cause
    return (str(run.id), run.kind, asked, run.state, _outcome(run), *times, _what_happened(run))


def _outcome(run: RunRecord) -> str:
    """Return how a run ended, in words that do not take a plan for what it plans."""
    return "would publish" if (run.kind, run.outcome) == (RunKind.PLAN, RunOutcome.PUBLISHED) else run.outcome or ""


def _what_happened(run: RunRecord) -> str:
    result, progress = run.result or {}, run.progress or {}
    if run.state is not RunState.ENDED:
        phase = str(progress.get("phase", ""))
        return f"{phase}, {_what_was_rotated(progress)}" if "rotated" in progress else phase
    if cause := result.get("cause") or result.get("reason"):
        return str(cause)
    if run.kind is RunKind.ROTATE:
        return _what_was_rotated(result)
    counts = [f"{result[name]} {name}" for name in ("users", "groups", "memberships") if name in result]
    return ", ".join(counts)


def _what_was_rotated(told: Mapping[str, Any]) -> str:
    """Say how many accounts have a new password, from the progress or the result of a run."""
    accounts = told.get("accounts", 0)
    number = accounts if isinstance(accounts, int) else len(accounts)
    failed = f", {told['failed']} failed" if told.get("failed") else ""
    return f"{told.get('rotated', 0)} of {number} accounts rotated{failed}"
