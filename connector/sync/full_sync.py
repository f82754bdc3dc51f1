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
from connector.store.compare import mark_changes
from connector.store.database import Database
from connector.store.planning import examples, read_plan
from connector.store.publish import publish
from connector.store.runs import begin, find_waiting
from connector.store.settle import settle_names
from connector.store.staging import Staging
from connector.sync.harvest import Harvest, Tally
from connector.sync.progress import Progress
from connector.sync.report import Report
from connector.sync.result import PUBLISHED, REFUSED, UNCHANGED, SyncResult


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What a sync needs to know: the mapping, the listed groups, the limits, and who counts the calls."""

    rules: Rules
    groups: tuple[str, ...]
    limits: Limits
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
            verdict = judge(plan, settings.limits)
            if plan.changes_nothing:
                report.concluded(UNCHANGED, generation=plan.base)
            elif isinstance(verdict, Refused):
                _conclude_refused(report, staging, plan, verdict)
            else:
                generation = publish(database, staging.run, plan, under=run.lease)
                report.concluded(PUBLISHED, generation=generation.number)
        if report.outcome != REFUSED:
            staging.clear()
        return report.end()


def plan_sync(
    open_pool: OpenPool, database: Database, settings: SyncSettings, *, cause: str, progress: Progress
) -> SyncResult:
    """Tell how `full_sync` would end now, and publish nothing; arguments and errors are the same."""
    with begin(database, "plan", cause=cause) as run:
        report = Report(run, "plan", settings.meter)
        staging = Staging(database, run.id)
        with report.of_faults():
            plan = _harvest_and_compare(open_pool(str(run.id)), staging, settings, progress, report)
            verdict = judge(plan, settings.limits)
            if plan.changes_nothing:
                report.concluded(UNCHANGED)
            elif isinstance(verdict, Refused):
                _conclude_refused(report, staging, plan, verdict)
            else:
                report.concluded(PUBLISHED)
        staging.clear()
        return report.end()


def approve_plan(database: Database, digest: str, *, meter: Meter, cause: str) -> SyncResult:
    """Publish exactly the refused plan of this digest, once, without reading the pool again (P03).

    Raises:
        ApprovalRefused: no such plan waits: it is over a day old, or another generation was published since.
        AlreadyRunning: another run holds the lease.
        StoreError: the store failed; what was published stays.
    """
    with begin(database, "sync", cause=cause) as run:
        waiting = find_waiting(database, digest)
        if waiting is None:
            raise ApprovalRefused(
                f"No refused plan with the digest {digest} waits for approval.",
                remedy="A plan waits for a day, until another is published. Run `cognito-scim sync` to make a new one.",
            )
        report = Report(run, "sync", meter)
        staging = Staging(database, waiting.run)
        source = waiting.result["source"]
        plan = read_plan(
            database,
            staging,
            Source(source["account"], source["region"], source["pool_id"], tuple(source["groups"])),
            rejects=len(waiting.result["rejects"]),
        )
        with report.of_faults():
            report.compared(plan, Tally(), [])
            generation = publish(database, staging.run, plan, under=run.lease)
            report.concluded(PUBLISHED, generation=generation.number)
            staging.clear()
        return report.end()


def _harvest_and_compare(
    pool: UserPool, staging: Staging, settings: SyncSettings, progress: Progress, report: Report
) -> ChangePlan:
    harvest = Harvest(pool, staging, settings.rules, settings.meter, progress)
    tally = harvest.read(settings.groups)
    harvest.say("comparing")
    renamed = settle_names(staging.database, staging.run)
    mark_changes(staging.database, staging.run)
    source = Source(pool.account(), pool.region, pool.pool_id, tuple(sorted(settings.groups)))
    plan = read_plan(staging.database, staging, source, rejects=tally.rejected)
    report.compared(plan, tally, renamed)
    return plan


def _conclude_refused(report: Report, staging: Staging, plan: ChangePlan, verdict: Refused) -> None:
    shown = tuple(examples(staging.database, staging.run))
    report.concluded(REFUSED, generation=plan.base or None, reasons=verdict.reasons, examples=shown)
