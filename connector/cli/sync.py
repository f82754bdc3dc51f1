"""`sync` and `plan`: bring the published directory up to date, or say what that would change."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import click

from connector.bootstrap.runs import changes_of, run_approval, run_delta, run_plan, run_sync
from connector.cli.changes import FEW, print_json_list, say_changes, write_changes
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say
from connector.cli.progress_bar import progress_bar
from connector.config import Settings
from connector.directory.runs import RunOutcome
from connector.errors import ApprovalRefused, ConnectorError
from connector.store.changes.changes_reader import ChangesReader
from connector.sync.progress import Progress
from connector.sync.result import SyncResult

_SHOWN = 20
_DIGEST = re.compile("[0-9a-fA-F]{8,64}")
_TO_APPROVE = "run cognito-scim sync, which keeps what it refuses, and approve that"
Service = Callable[[Settings, Progress], SyncResult]


def _digest(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _DIGEST.fullmatch(value):
        raise click.BadParameter(
            "write the digest alone: the 64 hexadecimal digits that the refused sync told, or at least 8 of them"
        )
    return value


@click.command()
@click.option(
    "--approve",
    metavar="DIGEST",
    callback=_digest,
    help="Publish the refused plan whose digest begins like this, without reading the pool.",
)
@click.option("--delta", is_flag=True, help="Read again only whom the change feed announced.")
@json_option
@pass_invocation
def sync(invocation: Invocation, *, approve: str | None, delta: bool) -> int:
    """Read the whole user pool and publish it, or change nothing.

    Ends with 0 when the directory is up to date, 3 when the safeguard refused the change, 75 when trying again may
    help, 77 when AWS refused the caller and 78 when the configuration is wrong.
    """
    if delta and approve is not None:
        raise click.UsageError("--approve publishes what was read already, and --delta reads: give one of them")
    if delta:
        return _carry_out(invocation, run_delta)
    if approve is None:
        return _carry_out(invocation, run_sync)
    return _carry_out(invocation, lambda settings, _: run_approval(settings, approve))


@click.command()
@click.option("--list", "lists", is_flag=True, help="List every change with old and new values.")
@json_option
@pass_invocation
def plan(invocation: Invocation, *, lists: bool) -> int:
    """Tell what a sync would change, and publish nothing.

    Ends with 3 when the safeguard would refuse the change; the other exit codes are those of sync.
    """
    return _carry_out(invocation, run_plan, lists=lists)


def _carry_out(invocation: Invocation, service: Service, *, lists: bool = False) -> int:
    invocation.describe = describe_unstarted
    settings = invocation.settings(reads_pool=True)
    with progress_bar() as progress:
        result = service(settings, progress)
    if result.fault and not invocation.json:
        invocation.tell_error(result.fault)
    elif lists:
        with changes_of(settings) as reader:
            _list(invocation, result, reader)
    elif invocation.json:
        print_json(result.as_json())
    else:
        _tell(result)
        _tell_few_changes(result, settings)
    return result.exit_code


def _list(invocation: Invocation, result: SyncResult, reader: ChangesReader) -> None:
    """Tell the result with every change, of which there may be any number."""
    is_changing = result.plan is not None and not result.plan.changes_nothing
    changes = reader.of_run(result.run).stream() if is_changing else iter(())
    if invocation.json:
        print_json_list(result.as_json(), "list", (change.as_json() for change in changes))
        return
    _tell(result)
    write_changes(changes, form="table")


def _tell_few_changes(result: SyncResult, settings: Settings) -> None:
    """Show who changes where they are few, and nobody was shown as an example; else say where to look."""
    number = result.plan.changes if result.plan else 0
    if 0 < number <= FEW and not result.examples:
        with changes_of(settings) as reader:
            say_changes(reader.of_run(result.run).stream())
    elif number:
        say(f"Who changes, all {number:,}: {result.command} runs changes {result.run}")


def describe_unstarted(error: ConnectorError) -> dict[str, Any]:
    """Return the result of a run that never began."""
    if isinstance(error, ApprovalRefused):
        return {"run": None, "outcome": RunOutcome.REFUSED, "reason": error.message, "remedy": error.remedy}
    nothing: dict[str, Any] = {"generation": None, "rejects": [], "calls": {}, "throttled": 0, "seconds": 0.0}
    return {"run": None, "outcome": RunOutcome.INCOMPLETE, "cause": error.message, "remedy": error.remedy, **nothing}


def _tell(result: SyncResult) -> None:
    say(result.sentence())
    for reason in result.full_sync_due:
        say(f"A full sync is due ({result.command} sync): {reason}")
    for reason in result.reasons:
        say(f"  - {reason}")
    if result.examples:
        say_changes(iter(result.examples))
        say("These are examples, removals first; the numbers above are those of the whole plan.")
    if result.outcome is RunOutcome.REFUSED:
        say(f"If this is meant: {result.approve_command if result.kind != 'plan' else _TO_APPROVE}")
    if result.rejects:
        say(f"Records that cannot be served: {len(result.rejects)}")
        print_table(("kind", "source", "reason"), list(_some_rejects(result)))
    if result.renamed:
        say(f"Served under another name, because theirs is taken: {len(result.renamed)}")
        shown = [(one.user_id, one.wanted, one.served) for one in result.renamed[:_SHOWN]]
        print_table(("id", "wanted", "served"), shown)
    for note, count in sorted(result.notes.items()):
        say(f"  {note}: {count}")


def _some_rejects(result: SyncResult) -> Iterator[tuple[str, str, str]]:
    for reject in result.rejects[:_SHOWN]:
        yield reject.kind, reject.source, reject.reason
    if len(result.rejects) > _SHOWN:
        yield "…", f"and {len(result.rejects) - _SHOWN} more", "all of them are in the result of --json"
