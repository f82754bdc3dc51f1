"""One round of the change feed: read again whom it announced, and publish what changed, by the steps of the full sync.

A refused delta waits for approval as a refused sync does, and its marks rest with it; later marks pass, or are refused,
on their own. Where a full sync is due a delta says so, and reads nothing; it never runs one itself (P40, P41).
"""

from dataclasses import dataclass
from math import ceil

from connector.cognito.pool import UserPool
from connector.directory.change_plan import Sizes
from connector.directory.rows import Kind
from connector.directory.runs import RunOutcome
from connector.store.feed.marks import FeedTimes, Marks, Taken
from connector.store.feed.state import read_stop
from connector.store.generations import making_of, newest, source_of
from connector.store.publishing.baseline import read_baseline
from connector.store.publishing.cleanup import collect_quietly
from connector.store.publishing.compare import Gone
from connector.store.publishing.publish import publish
from connector.store.publishing.sums import sum_since
from connector.store.runs.run import Run, recorded_if_possible
from connector.store.sql.database import Database
from connector.store.staging import Staging
from connector.sync.full_sync import OpenPool, SyncSettings, compare, judged_acceptable, origin_of
from connector.sync.harvest import READING, Tally
from connector.sync.progress import Progress, Shared
from connector.sync.rereading import Rereading
from connector.sync.result import SyncResult
from connector.sync.sync_report import Report

PAGE = 60
"""Users on a page of a walk."""

SMALL_POOL_MARKS = 100
"""So many marks are always read one by one, however small the pool is."""


@dataclass(frozen=True, slots=True)
class DeltaSettings:
    """What a round needs to know.

    Args:
        sync: as for a full sync.
        times: when what was announced is read.
        most: how many marks one round takes.
    """

    sync: SyncSettings
    times: FeedTimes
    most: int = 100


def delta_sync(open_pool: OpenPool, run: Run, settings: DeltaSettings, watcher: Progress) -> SyncResult:
    """Read again whom the change feed announced, and make what is new of them the newest generation.

    Args:
        open_pool: opens the source; its faults end the run as incomplete, and everything stays marked.
        run: the run, begun under its lease, which this ends.
        settings: mapping, listed groups, limits and times.
        watcher: is told where the run is, as the store is.
    """
    report = Report(run, settings.sync.meter)
    report.note(command=settings.sync.command)
    marks, staging = Marks(run.database), Staging(run.database, run.id)
    taken = Taken(0, (), 0)
    with report.of_faults():
        pool = open_pool(str(run.id))
        taken = marks.take(settings.times, most=settings.most)
        if reason := _reason_against(pool, run.database, settings, taken):
            marks.ask_for_full_sync(reason)
            report.note(full_sync_due=tuple(marks.full_sync_reasons()))
            taken = Taken(0, (), 0)
        if taken.marks:
            _Round(pool, staging, settings, report, run).read_and_publish(taken, Shared(run, watcher))
        else:
            report.note(outcome=RunOutcome.UNCHANGED, marks=_count(taken, marks))
    result = report.end()
    if result.outcome is RunOutcome.REFUSED:
        with recorded_if_possible(f"what waits with run {run.id}"):
            marks.hold(taken.marks, began=taken.began, run=run.id)
    else:
        staging.clear()
    collect_quietly(run.database, settings.sync.retention)
    return result


def _reason_against(pool: UserPool, database: Database, settings: DeltaSettings, taken: Taken) -> str:
    """Return why only a full sync helps, empty when a delta may go on."""
    with database.reading() as connection:
        baseline = read_baseline(connection)
        if baseline is None:
            return "No full sync was completed yet, on which a delta could build."
        generation = newest(connection)
        assert generation  # a baseline is set with one
        made = source_of(connection, generation.number), making_of(connection, generation.number)
        stopped = read_stop(connection)
    if made != origin_of(pool, settings.sync):
        return "The pool, the listed groups, the mapping or the release is another than at the last full sync."
    if not stopped and taken.due > max(SMALL_POOL_MARKS, _calls_of_walk(baseline.sizes)):
        return "More was announced than a full sync has to ask for."
    return stopped


@dataclass(frozen=True, slots=True)
class _Round:
    """The parts of one round."""

    pool: UserPool
    staging: Staging
    settings: DeltaSettings
    report: Report
    run: Run

    def read_and_publish(self, taken: Taken, progress: Progress) -> None:
        run, report, marks = self.run, self.report, Marks(self.run.database)
        sync = self.settings.sync

        def tell(tally: Tally) -> None:
            calls = sum(sync.meter.calls.values())
            progress.report(READING, users=tally.users, groups=tally.groups, memberships=tally.memberships, calls=calls)

        rereading = Rereading(self.pool, self.staging, sync.rules, sync.groups, tell)
        found = rereading.read(taken.marks)
        gone = Gone(found.gone_users, found.gone_groups)
        plan = compare(self.staging, origin_of(self.pool, sync), rereading.tally, report, gone)
        with run.database.reading() as connection:
            baseline = read_baseline(connection)
            summed = sum_since(connection, run.id, plan, baseline) if baseline else plan
        report.note(marks=_count(taken, marks))
        if not judged_acceptable(plan, sync.limits, self.staging, report, summed):
            return
        run.heed()
        if plan.changes_nothing:
            report.note(outcome=RunOutcome.UNCHANGED, generation=plan.base)
        else:
            publish(run.database, run.id, plan, under=run.lease, record=report.record_published, is_delta=True)
            report.note(outcome=RunOutcome.PUBLISHED)
        with recorded_if_possible(f"what run {run.id} has read"):  # what stays marked is only read once more
            marks.note_read(taken.marks, began=taken.began, unclear=found.unclear)
            marks.add([found.follow] if found.follow.users else [])
            if plan.changes_nothing:
                report.note(marks=_count(taken, marks))


def _calls_of_walk(sizes: Sizes) -> int:
    return ceil(sizes.users / PAGE) + sizes.groups + ceil(sizes.memberships / PAGE)


def _count(taken: Taken, marks: Marks) -> dict[str, int]:
    kinds = [mark.kind for mark in taken.marks]
    return {kind.value: kinds.count(kind) for kind in Kind} | {"left": marks.count()}
