"""`runs`: what was done, by whom it was asked for, and how it ended."""

import re
from collections.abc import Mapping
from typing import Any

import click

from connector.bootstrap.account import account
from connector.bootstrap.from_settings import command_of
from connector.bootstrap.runs import changes_of, runs_of
from connector.cli.changes import FORMS, print_json_list, write_changes
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say
from connector.cli.run_page import outcome_of, print_run
from connector.directory.changes import ChangeFilter, ChangeKind
from connector.directory.counts import count_of
from connector.directory.runs import RunKind, RunState
from connector.store.changes.statements import Wanted
from connector.store.runs.history import NEWEST_RUNS
from connector.store.runs.queue import RunRecord

_COLUMNS = ("run", "kind", "cause", "state", "outcome", "queued", "ended", "what happened")
_NUMBER = re.compile("[1-9][0-9]{0,14}")
"""As many digits as every reader of JSON keeps (RFC 8259, section 6)."""


@click.group()
def runs() -> None:
    """Look at the history of runs and at what they changed, end one, discard a refused plan."""


def _run_number(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """Read the number of a run; the words of click's own type speak of ranges."""
    if value is None:
        return None
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
    settings = invocation.settings(reads_pool=False)
    with runs_of(settings) as queue:
        found = queue.find(run)
    if invocation.json:
        print_json(found.as_json())
    else:
        print_run(found, command_of(settings))


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


@runs.command()
@_run_id
@click.option("--reason", required=True, help="Why; it is kept with the run.")
@json_option
@pass_invocation
def discard(invocation: Invocation, run: int, reason: str) -> None:
    """Discard the refused plan of the run with the number ID, so that it can no longer be approved."""
    with runs_of(invocation.settings(reads_pool=False)) as queue:
        found = queue.discard(run, by=account(), reason=reason)
    if invocation.json:
        print_json(found.as_json())
    else:
        say(f"The refused plan of run {run} was discarded.")


@runs.command()
@click.argument("run", metavar="[ID]", required=False, callback=_run_number)
@click.option("--kind", type=click.Choice([kind.value for kind in ChangeKind]), help="Only changes of these.")
@click.option("--change", type=click.Choice([change.value for change in ChangeFilter]), help="Only what became this.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Only who has this in a name or address.")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True, help="Form.")
@click.option("--from", "first", type=click.IntRange(min=0), metavar="G", help="Earlier of two generations.")
@click.option("--to", "last", type=click.IntRange(min=1), metavar="G", help="Later of two generations.")
@json_option
@pass_invocation
def changes(  # noqa: PLR0913, PLR0917 - its options
    invocation: Invocation,
    run: int | None,
    kind: str | None,
    change: str | None,
    text: str,
    form: str,
    first: int | None,
    last: int | None,
) -> None:
    """List who changed: by the run of the number ID, or between two generations.

    Of a plan, or a sync that was refused, who would change; for a day. Of a sync that published, for as long as its
    generation and the one before it are kept. `renamed`, `deactivated`, `email-changed` and `emptied` are some of those
    that are `updated`.
    """
    if (run is None) == (first is None) or (first is None) != (last is None):
        raise click.UsageError("Name a run, or two generations with --from and --to.")
    wanted = Wanted(ChangeKind(kind) if kind else None, ChangeFilter(change) if change else None, text)
    with changes_of(invocation.settings(reads_pool=False)) as reader:
        found = reader.of_run(run) if run is not None else reader.between(first or 0, last or 0)
        if invocation.json:
            about = {"run": run} if run is not None else {"from": first, "to": last}
            print_json_list(about, "changes", (one.as_json() for one in found.stream(wanted)))
        else:
            write_changes(found.stream(wanted), form=form)


def _row(run: RunRecord) -> tuple[str, ...]:
    times = (run.queued_at, run.ended_at or "")
    asked = f"{run.cause} ({run.asked_by})" if run.asked_by else run.cause
    return (str(run.id), run.kind, asked, run.state, outcome_of(run), *times, _what_happened(run))


def _what_happened(run: RunRecord) -> str:
    result, progress = run.result or {}, run.progress or {}
    if run.state is not RunState.ENDED:
        phase = str(progress.get("phase", ""))
        return f"{phase}, {_what_was_rotated(progress)}" if "rotated" in progress else phase
    if cause := result.get("cause") or result.get("reason"):
        return str(cause)
    if run.kind is RunKind.ROTATE:
        return _what_was_rotated(result)
    nouns = {"users": "user", "groups": "group", "memberships": "membership"}
    return ", ".join(count_of(result[name], noun) for name, noun in nouns.items() if name in result)


def _what_was_rotated(told: Mapping[str, Any]) -> str:
    """Say how many accounts have a new password, from the progress or the result of a run."""
    accounts = told.get("accounts", 0)
    number = accounts if isinstance(accounts, int) else len(accounts)
    failed = f", {told['failed']} failed" if told.get("failed") else ""
    return f"{told.get('rotated', 0)} of {count_of(number, 'account')} rotated{failed}"
