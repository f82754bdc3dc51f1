"""One run as a page for people: how it ended, what it changed, what could not be served, and what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any

from connector.cli.invocation import print_table, say
from connector.directory.runs import RunKind, RunOutcome
from connector.directory.times import to_milliseconds
from connector.store.runs.queue import RunRecord

_LISTED = 20


def print_run(run: RunRecord, command: str) -> None:
    """Print a run.

    Args:
        run: the run.
        command: how a person calls the command with the same configuration.
    """
    result, progress = run.result or {}, run.progress or {}
    say(f"Run {run.id}: {run.kind}, {outcome_of(run) or run.state}")
    for name, text in (*_times(run), *_counts(run, result or progress)):
        say(f"  {name:<13} {text}")
    for name in ("cause", "remedy", "hint"):
        if result.get(name):
            say(f"  {name:<13} {result[name]}")
    _print_refusal(result)
    _print_rows("Records that cannot be served", result.get("rejects", ()), ("kind", "source", "reason"))
    _print_rows("Served under another name", result.get("renamed", ()), ("id", "wanted", "served"))
    _print_rows("Checks", result.get("checks", ()), ("name", "status", "detail"))
    _print_rows("Accounts", result.get("accounts", ()), ("account", "outcome", "fault"))
    _print_counted("Attributes filled in or left out", result.get("notes"))
    _print_counted("Calls", result.get("calls"))
    if result.get("digest"):
        say(f"Who changed: {command} runs changes {run.id}")


def outcome_of(run: RunRecord) -> str:
    """Return how a run ended, in words that do not take a plan for what it plans."""
    is_plan = (run.kind, run.outcome) == (RunKind.PLAN, RunOutcome.PUBLISHED)
    return "would publish" if is_plan else run.outcome or ""


def _times(run: RunRecord) -> Iterator[tuple[str, str]]:
    yield "asked for by", f"{run.cause} ({run.asked_by})" if run.asked_by else run.cause
    yield "queued", run.queued_at
    if run.started_at:
        yield "started", run.started_at
    if run.ended_at:
        yield "ended", run.ended_at
        took = (to_milliseconds(run.ended_at) - to_milliseconds(run.started_at or run.queued_at)) / 1000
        yield "took", f"{took:.1f} s"
    slot, late = (run.result or {}).get("slot"), (run.result or {}).get("late_seconds")
    if slot:
        yield "scheduled for", f"{slot}{f', {late} s late' if late else ''}"


def _counts(run: RunRecord, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if phase := told.get("phase"):
        yield "phase", str(phase)
    if generation := told.get("generation"):
        yield "generation", f"{generation}{' (stays)' if run.outcome != RunOutcome.PUBLISHED else ''}"
    changes = told.get("changes", {})
    for name in ("users", "groups", "memberships"):
        if isinstance(told.get(name), int):
            yield name, f"{told[name]:,}{_differences(changes.get(name, {}))}"
    for name in ("rejected", "throttled", "dropped_members", "missed"):
        if told.get(name):
            yield name.replace("_", " "), f"{told[name]:,}"
    if told.get("approved"):
        yield "approved", str(told["approved"])


def _differences(changes: Mapping[str, int]) -> str:
    told = [f"{number:,} {name}" for name, number in changes.items() if number]
    return f" ({', '.join(told)})" if told else ""


def _print_refusal(result: Mapping[str, Any]) -> None:
    reasons = result.get("reasons", ())
    if reasons:
        say("Why it was refused")
    for reason in reasons:
        say(f"  - {reason}")
    discarded = result.get("discarded")
    if discarded:
        say(f"Discarded by {discarded['by']} at {discarded['at']}: {discarded['reason']}")
    elif result.get("approve"):
        say(f"If this is meant: {result['approve']}")


def _print_rows(title: str, rows: Any, columns: tuple[str, ...]) -> None:
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if not found:
        return
    say(f"{title}: {len(found)}")
    print_table(columns, [tuple(str(row.get(column) or "") for column in columns) for row in found[:_LISTED]])
    if len(found) > _LISTED:
        say(f"  … and {len(found) - _LISTED} more; all of them are in the document of --json")


def _print_counted(title: str, counted: Mapping[str, int] | None) -> None:
    if counted:
        say(title)
    for name, number in (counted or {}).items():
        say(f"  {name:<40} {number:>9,}")
