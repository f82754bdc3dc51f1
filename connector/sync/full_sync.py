"""The full authoritative sync: harvest into staging, compare, judge, publish. Complete or nothing at all.

The command and the runner call these functions, whoever asked; neither knows how they work.
"""

from collections.abc import Callable
from dataclasses import dataclass

from connector import __version__
from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.directory.change_plan import ChangePlan, DirectorySource, Making
from connector.directory.mapping import Rules, describe_rules
from connector.directory.runs import RunKind, RunOutcome
from connector.directory.safeguard import Limits, Refused, judge
from connector.errors import ApprovalRefused
from connector.store.changes.examples import pick_examples
from connector.store.feed.marks import FeedTimes, answer_feed, read_time
from connector.store.publishing.cleanup import Retention, collect_quietly
from connector.store.publishing.compare import Gone, note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.publish import confirm, publish
from connector.store.publishing.user_names import renamed_users, settle_names
from connector.store.runs.approvals import find_waiting
from connector.store.runs.run import Run, recorded_if_possible
from connector.store.staging import Staging
from connector.sync.harvest import LISTED, Harvest, Tally
from connector.sync.progress import Progress, Shared
from connector.sync.result import SyncResult
from connector.sync.sync_report import Report


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What a sync needs to know.

    Args:
        rules: the mapping.
        groups: the listed groups, none = everything.
        limits: of the safeguard.
        retention: what is kept of the past.
        meter: counts the calls.
        command: how a person calls the command with this configuration.
        feed: when what the change feed announces is read; None = there is no feed.
    """

    rules: Rules
    groups: tuple[str, ...]
    limits: Limits
    retention: Retention
    meter: Meter
    command: str = "cognito-scim"
    feed: FeedTimes | None = None


OpenPool = Callable[[str], UserPool]
"""Opens the pool for the run of this id."""


def full_sync(open_pool: OpenPool, run: Run, settings: SyncSettings, watcher: Progress) -> SyncResult:
    """Make the present state of the pool the newest generation; a run of kind `plan` only tells what that would change.

    Args:
        open_pool: opens the source; its faults end the run as incomplete.
        run: the run, begun under its lease, which this ends.
        settings: mapping, listed groups and limits.
        watcher: is told where the run is, as the store is.
    """
    report = Report(run, settings.meter)
    report.note(command=settings.command)
    staging = Staging(run.database, run.id)
    began = read_time(run.database)
    with report.of_faults():
        pool = open_pool(str(run.id))
        plan = _harvest_and_compare(pool, staging, settings, Shared(run, watcher), report)
        if judged_acceptable(plan, settings.limits, staging, report):
            run.heed()
            _publish(plan, run, staging, report)
            if settings.feed and run.kind is RunKind.SYNC:
                with recorded_if_possible(f"what run {run.id} has read"):
                    answer_feed(run.database, settings.feed, began=began)
    result = report.end()
    if run.kind is RunKind.PLAN and result.outcome in {RunOutcome.PUBLISHED, RunOutcome.REFUSED}:
        staging.keep_changes()
    elif result.outcome is not RunOutcome.REFUSED:
        staging.clear()
    collect_quietly(run.database, settings.retention)
    return result


def approve_plan(run: Run, digest: str, settings: SyncSettings) -> SyncResult:
    """Publish exactly the refused plan of this digest, once, without reading the pool again (P03).

    When no such plan waits any more, the result is refused and says so.
    """
    report = Report(run, settings.meter)
    report.note(approved=digest)
    staging = Staging(run.database, run.id)
    with report.of_faults():
        waiting = find_waiting(run.database, digest)
        staging = Staging(run.database, waiting.run)
        shown = waiting.result
        source = DirectorySource(**{**shown["source"], "groups": tuple(shown["source"]["groups"])})
        making = Making(**shown.get("making", {}))
        plan = read_plan(
            run.database, staging, source, rejects=shown["rejected"], making=making, compared_with=waiting.base
        )
        if plan.digest != digest:
            raise ApprovalRefused(
                "What is kept of this plan is no longer what was refused.", remedy="Run the sync again."
            )
        report.note(plan=plan, rejected=shown["rejected"], notes=shown["notes"])
        _publish(plan, run, staging, report)
    result = report.end()
    if result.outcome is RunOutcome.PUBLISHED:
        staging.clear()
    collect_quietly(run.database, settings.retention)
    return result


def _harvest_and_compare(
    pool: UserPool, staging: Staging, settings: SyncSettings, progress: Progress, report: Report
) -> ChangePlan:
    harvest = Harvest(pool, staging, settings.rules, settings.meter, progress)
    tally = harvest.read(settings.groups)
    harvest.say("comparing")
    return compare(staging, origin_of(pool, settings), tally, report)


def compare(
    staging: Staging, origin: tuple[DirectorySource, Making], tally: Tally, report: Report, gone: Gone | None = None
) -> ChangePlan:
    """Return what staging would change of what is published, and take note of it.

    Args:
        staging: what was read.
        origin: where it comes from, and how it was made.
        tally: what was seen on the way.
        report: takes note.
        gone: who is gone, where only some were read; None = everything was.
    """
    database, run = staging.database, staging.run
    settle_names(database, run)
    note_changes(database, run, gone)
    source, making = origin
    plan = read_plan(database, staging, source, rejects=tally.rejected, making=making)
    report.note(
        plan=plan,
        rejects=tuple(tally.rejects),
        rejected=tally.rejected,
        dropped_members=tally.dropped_members,
        hint=tally.hint,
        notes=staging.count_remarks(),
        renamed=tuple(renamed_users(database, run, most=LISTED)),
    )
    return plan


def origin_of(pool: UserPool, settings: SyncSettings) -> tuple[DirectorySource, Making]:
    """Return where a directory comes from, and how it is made."""
    source = DirectorySource(pool.account(), pool.region, pool.pool_id, tuple(sorted(settings.groups)))
    return source, Making(describe_rules(settings.rules), __version__)


def judged_acceptable(
    plan: ChangePlan, limits: Limits, staging: Staging, report: Report, summed: ChangePlan | None = None
) -> bool:
    """Judge a plan, and take note of why it is refused, if it is.

    Args:
        plan: what would change.
        limits: of the safeguard.
        staging: what the plan was made of.
        report: takes note.
        summed: the plan as it is judged, where deltas are summed.
    """
    if plan.changes_nothing:
        return True
    verdict = judge(summed or plan, limits)
    if isinstance(verdict, Refused):
        shown = tuple(pick_examples(staging.database, staging.run, plan))
        report.note(outcome=RunOutcome.REFUSED, generation=plan.base or None, reasons=verdict.reasons, examples=shown)
        return False
    return True


def _publish(plan: ChangePlan, run: Run, staging: Staging, report: Report) -> None:
    if run.kind is RunKind.PLAN:
        report.note(outcome=RunOutcome.UNCHANGED if plan.changes_nothing else RunOutcome.PUBLISHED)
        return
    if not plan.changes_nothing:
        publish(staging.database, staging.run, plan, under=run.lease, record=report.record_published)
        report.note(outcome=RunOutcome.PUBLISHED)
        return
    confirm(staging.database, plan, under=run.lease)
    report.note(outcome=RunOutcome.UNCHANGED, generation=plan.base)
