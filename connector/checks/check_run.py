"""Test Connectivity as a run: its rows go into the history as they come, and it works without a store too."""

from collections.abc import Iterator
from dataclasses import asdict

from connector.checks.connectivity import Check, Status, Subject, check_connectivity
from connector.directory.runs import RunOutcome
from connector.store.runs.run import Run, recorded_if_possible


def record_checks(subject: Subject, run: Run | None) -> Iterator[Check]:
    """Yield each check as it ends, and end the run with all of them.

    Args:
        subject: what is examined.
        run: the run; None where there is no store to keep it in.

    Raises:
        RunCancelled: somebody asked it to end.
    """
    done: list[Check] = []
    for check in check_connectivity(subject):
        done.append(check)
        yield check
        if run:
            with recorded_if_possible(f"check {run.id}"):
                run.tell({"phase": check.name, "checks": [asdict(one) for one in done]})
    if run:
        with recorded_if_possible(f"check {run.id}"):
            _end(run, done)


def is_passed(checks: list[Check]) -> bool:
    """Tell whether nothing failed."""
    return all(check.status is not Status.FAILED for check in checks)


def describe_checks(checks: list[Check]) -> dict[str, object]:
    """Return the document of some checks, as the contract has it."""
    return {"ok": is_passed(checks), "checks": [asdict(check) for check in checks]}


def _end(run: Run, checks: list[Check]) -> None:
    outcome = RunOutcome.PASSED if is_passed(checks) else RunOutcome.FAILED
    seconds = round(sum(check.seconds for check in checks), 3)
    run.end(outcome, {"run": run.id, "outcome": outcome, **describe_checks(checks), "seconds": seconds})
