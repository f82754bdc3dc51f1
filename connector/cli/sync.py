"""`sync` and `plan`: bring the published directory up to date, or tell what that would change."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import click

from connector.bootstrap.runs import run_approval, run_plan, run_sync
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say
from connector.cli.progress import progress_bar
from connector.config import Settings
from connector.directory.runs import RunOutcome
from connector.errors import ApprovalRefused, ConnectorError
from connector.sync.progress import Progress
from connector.sync.result import SyncResult

_SHOWN = 20
_DIGEST = re.compile("[0-9a-f]{64}")
_TO_APPROVE = "run cognito-scim sync, which keeps what it refuses, and approve that"
Service = Callable[[Settings, Progress], SyncResult]


def _digest(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _DIGEST.fullmatch(value):
        raise click.BadParameter("write the digest alone, the 64 hexadecimal digits that the refused sync told")
    return value


@click.command()
@click.option(
    "--approve",
    metavar="DIGEST",
    callback=_digest,
    help="Publish the refused plan of this digest, without reading the pool.",
)
@json_option
@pass_invocation
def sync(invocation: Invocation, approve: str | None) -> int:
    """Read the whole user pool and publish it, or change nothing.

    Ends with 0 when the directory is up to date, 3 when the safeguard refused the change, 75 when trying again may
    help, 77 when AWS refused the caller and 78 when the configuration is wrong.
    """
    if approve is None:
        return _carry_out(invocation, run_sync)
    return _carry_out(invocation, lambda settings, _: run_approval(settings, approve))


@click.command()
@json_option
@pass_invocation
def plan(invocation: Invocation) -> int:
    """Tell what a sync would change, and publish nothing.

    Ends with 3 when the safeguard would refuse the change; the other exit codes are those of sync.
    """
    return _carry_out(invocation, run_plan)


def _carry_out(invocation: Invocation, service: Service) -> int:
    invocation.describe = describe_unstarted
    settings = invocation.settings(reads_pool=True)
    with progress_bar() as progress:
        result = service(settings, progress)
    if invocation.json:
        print_json(result.as_json())
    elif result.fault:
        invocation.tell_error(result.fault)
    else:
        _tell(result)
    return result.exit_code


def describe_unstarted(error: ConnectorError) -> dict[str, Any]:
    """Return the result of a run that never began."""
    if isinstance(error, ApprovalRefused):
        return {"run": None, "outcome": RunOutcome.REFUSED, "reason": error.message, "remedy": error.remedy}
    nothing: dict[str, Any] = {"generation": None, "rejects": [], "calls": {}, "throttled": 0, "seconds": 0.0}
    return {"run": None, "outcome": RunOutcome.INCOMPLETE, "cause": error.message, "remedy": error.remedy, **nothing}


def _tell(result: SyncResult) -> None:
    say(result.sentence())
    for reason in result.reasons:
        say(f"  - {reason}")
    if result.examples:
        print_table(tuple(result.examples[0]), [tuple(map(str, row.values())) for row in result.examples])
        say("These are examples, removals first; the numbers above are those of the whole plan.")
    if result.outcome is RunOutcome.REFUSED:
        say(f"If this is meant: {result.approve_command if result.kind == 'sync' else _TO_APPROVE}")
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
