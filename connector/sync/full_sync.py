"""The full authoritative sync: harvest into staging, compare, judge, publish. Complete or nothing at all.

The command, the schedule and the console call these functions; none of them knows how they work.
"""

from collections.abc import Callable
from dataclasses import dataclass

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.directory.mapping import Rules
from connector.directory.plan import ChangePlan, Source
from connector.directory.safeguard import Limits, Refused, judge
from connector.errors import ApprovalRefused
from connector.store.collect import Retention, collect_quietly
from connector.store.compare import mark_changes
from connector.store.database import Database
from connector.store.planning import examples, read_plan
from connector.store.publish import note_groups, publish
from connector.store.runs import Run, Waiting, begin, find_waiting
from connector.store.settle import renamed_users, settle_names
from connector.store.staging import Staging
from connector.sync.harvest import LISTED, Harvest
from connector.sync.progress import Progress
from connector.sync.report import Report
from connector.sync.result import PUBLISHED, REFUSED, UNCHANGED, SyncResult


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What a sync needs to know: mapping, listed groups, limits, what is kept of the past, and who counts the calls."""

    rules: Rules
    groups: tuple[str, ...]
    limits: Limits
    retention: Retention
    meter: Meter


OpenPool = Callable[[str], UserPool]
"""Opens the pool for the run of this id."""


def full_sync(
    open_pool: OpenPool, database: Database, settings: SyncSettings, *, cause: str, progress: Progress
) -> SyncResult:
    """Make the present state of the pool the newest generation.

    Args:
        open_pool: opens the source; its faults end the run as incomplete.
        database: the store.
        settings: mapping, listed groups and limits.
        cause: who asked for the run.
        progress: is told where the run is.

    Raises:
        AlreadyRunning: another run holds the lease.
        StoreError: the store failed; what was published stays.
    """
    with begin(database, "sync", cause=cause) as run:
        report = Report(run, "sync", settings.meter)
        staging = Staging(database, run.id)
        with report.of_faults():
            plan = _harvest_and_compare(open_pool(str(run.id)), staging, settings, progress, report)
            if _judged_acceptable(plan, settings.limits, staging, report):
                _publish(plan, run, staging, report)
        result = report.end()
        if result.outcome != REFUSED:
            staging.clear()
        collect_quietly(database, settings.retention)
        return result


def plan_sync(
    open_pool: OpenPool, database: Database, settings: SyncSettings, *, cause: str, progress: Progress
) -> SyncResult:
    """Tell how `full_sync` would end now, and publish nothing; arguments and errors are the same."""
    with begin(database, "plan", cause=cause) as run:
        report = Report(run, "plan", settings.meter)
        staging = Staging(database, run.id)
        with report.of_faults():
            plan = _harvest_and_compare(open_pool(str(run.id)), staging, settings, progress, report)
            if _judged_acceptable(plan, settings.limits, staging, report):
                report.note(outcome=UNCHANGED if plan.changes_nothing else PUBLISHED)
        result = report.end()
        staging.clear()
        return result


def approve_plan(database: Database, digest: str, settings: SyncSettings, *, cause: str) -> SyncResult:
    """Publish exactly the refused plan of this digest, once, without reading the pool again (P03).

    Raises:
        ApprovalRefused: no such plan waits: it is over a day old, or another generation was published since.
        AlreadyRunning: another run holds the lease.
        StoreError: the store failed; what was published stays.
    """
    _find_waiting(database, digest)
    with begin(database, "sync", cause=cause) as run:
        waiting = _find_waiting(database, digest)
        report = Report(run, "sync", settings.meter)
        staging = Staging(database, waiting.run)
        shown = waiting.result
        source = Source(**{**shown["source"], "groups": tuple(shown["source"]["groups"])})
        with report.of_faults():
            plan = read_plan(database, staging, source, rejects=shown["rejected"])
            report.note(plan=plan, approved=digest, rejected=shown["rejected"], notes=shown["notes"])
            _publish(plan, run, staging, report)
        result = report.end()
        if result.outcome == PUBLISHED:
            staging.clear()
        collect_quietly(database, settings.retention)
        return result


def _find_waiting(database: Database, digest: str) -> Waiting:
    waiting = find_waiting(database, digest)
    if waiting is None:
        raise ApprovalRefused(
            f"No refused plan with the digest {digest!r} waits for approval.",
            remedy="A plan waits for a day, until another is published. Run `cognito-scim sync` to make a new one.",
        )
    return waiting


def _harvest_and_compare(
    pool: UserPool, staging: Staging, settings: SyncSettings, progress: Progress, report: Report
) -> ChangePlan:
    database, run = staging.database, staging.run
    harvest = Harvest(pool, staging, settings.rules, settings.meter, progress)
    tally = harvest.read(settings.groups)
    harvest.say("comparing")
    settle_names(database, run)
    mark_changes(database, run)
    source = Source(pool.account(), pool.region, pool.pool_id, tuple(sorted(settings.groups)))
    plan = read_plan(database, staging, source, rejects=tally.rejected)
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


def _judged_acceptable(plan: ChangePlan, limits: Limits, staging: Staging, report: Report) -> bool:
    if plan.changes_nothing:
        return True
    verdict = judge(plan, limits)
    if isinstance(verdict, Refused):
        shown = tuple(examples(staging.database, staging.run))
        report.note(outcome=REFUSED, generation=plan.base or None, reasons=verdict.reasons, examples=shown)
        return False
    return True


def _publish(plan: ChangePlan, run: Run, staging: Staging, report: Report) -> None:
    if not plan.changes_nothing:
        generation = publish(staging.database, staging.run, plan, under=run.lease)
        report.note(outcome=PUBLISHED, generation=generation.number)
        return
    if plan.published_source != plan.source:
        note_groups(staging.database, plan, under=run.lease)
    report.note(outcome=UNCHANGED, generation=plan.base)
