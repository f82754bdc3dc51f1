"""`/metrics`, in the text format of Prometheus: what runs did, what is published, how requests are answered.

What concerns runs and the directory is read from the store at each scrape, so every replica tells the same; what
concerns requests is each process's own. The registry belongs to the application, and nothing is global.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from connector import __version__
from connector.directory.runs import RunKind, RunOutcome
from connector.errors import StoreError
from connector.store.runs.figures import Figures, RunTotal
from connector.web.operations.latency import BUCKETS, Latencies
from connector.web.services import Services

TEXT = "text/plain; version=0.0.4; charset=utf-8"

_COMPARED = frozenset({RunOutcome.PUBLISHED, RunOutcome.UNCHANGED, RunOutcome.REFUSED})
_log = logging.getLogger(__name__)


def metrics_blueprint(services: Services, latencies: Latencies) -> Blueprint:
    """Return the route of the metrics, which every client may read.

    Args:
        services: the figures of the store, and what the schedules say.
        latencies: the requests of this process.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(lambda: _about_requests(latencies)))
    registry.register(_Collected(lambda: _about_store(services)))
    metrics = Blueprint("metrics", __name__)

    @metrics.get("/metrics")
    def show() -> Response:
        return Response(generate_latest(registry), content_type=TEXT)

    return metrics


class _Collected(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of this moment."""
        return self._collect()


def _about_requests(latencies: Latencies) -> Iterator[Metric]:
    yield InfoMetricFamily("cognito_scim_build", "The version that runs.", {"version": __version__})
    family = HistogramMetricFamily(
        "cognito_scim_http_request_duration_seconds",
        "Seconds until a request was answered, by this process.",
        labels=("route", "method", "status", "client"),
    )
    bounds = [*map(str, BUCKETS), "+Inf"]
    for observed in latencies.read():
        asked = observed.asked
        counts = [float(count) for count in accumulate(observed.buckets)]
        labels = (asked.route, asked.method, asked.status, asked.client)
        family.add_metric(labels, list(zip(bounds, counts, strict=True)), sum_value=observed.seconds)
    yield family


def _about_store(services: Services) -> Iterator[Metric]:
    """Tell what the store knows; where it does not answer, that alone, and the rest of the scrape stands."""
    try:
        figures = services.measures.read()
    except StoreError as fault:
        _log.warning("no figures of the store: %s", fault)
        yield _gauge("store_up", "Whether the store answers.", 0)
        return
    yield _gauge("store_up", "Whether the store answers.", 1)
    yield from _about_directory(figures)
    yield from _about_runs(figures)
    yield from _about_calls(figures)
    yield from _about_rotation(figures)
    yield from _about_aws(figures)
    yield from _about_clients(figures)
    if services.sync_interval is not None:
        yield _gauge("schedule_interval_seconds", "Longest time between two scheduled syncs.", services.sync_interval)
    if services.next_rotation is not None:
        next_at = services.next_rotation(figures.now)
        yield _gauge("rotation_next_timestamp_seconds", "When accounts are rotated next.", next_at)


def _about_directory(figures: Figures) -> Iterator[Metric]:
    yield _gauge("pinned_imports", "Clients that began a walk over the pages and did not end it.", figures.pinned)
    generation = figures.generation
    if generation is None:
        yield _gauge("generation", "Number of the published generation, 0 before the first.", 0)
        return
    yield _gauge("generation", "Number of the published generation, 0 before the first.", generation.number)
    yield _gauge("generation_published_timestamp_seconds", "When it was published.", generation.published_seconds)
    yield _gauge("users", "Users in the published generation.", generation.users)
    yield _gauge("groups", "Groups in the published generation.", generation.groups)
    yield _gauge("memberships", "Memberships in the published generation.", generation.memberships)


def _about_runs(figures: Figures) -> Iterator[Metric]:
    known = {(total.kind, total.outcome): total for total in figures.runs}
    # Reported as 0 from the start: an alert on the increase of a count misses the first one of a new series.
    usual = {(kind, outcome) for kind in RunKind for outcome in kind.outcomes}
    ended = CounterMetricFamily("cognito_scim_runs", "Runs that ended.", labels=("kind", "outcome"))
    seconds = CounterMetricFamily("cognito_scim_run_seconds", "Seconds that runs took.", labels=("kind", "outcome"))
    for labels in sorted(usual | known.keys()):
        total = known.get(labels)
        ended.add_metric(labels, total.runs if total else 0)
        seconds.add_metric(labels, total.seconds if total else 0.0)
    success = GaugeMetricFamily(
        "cognito_scim_last_success_timestamp_seconds", "When a run last succeeded, 0 before.", labels=("kind",)
    )
    for kind in RunKind:
        success.add_metric((kind,), figures.last_success(kind) or 0.0)
    yield from (ended, seconds, success)
    late, missed = (sum(getattr(total, what) for total in figures.runs) for what in ("late", "missed"))
    yield CounterMetricFamily("cognito_scim_schedule_late", "Scheduled runs that were queued late.", value=late)
    yield CounterMetricFamily("cognito_scim_schedule_missed", "Times at which no run was queued.", value=missed)
    yield _gauge("rejected_records", "Records the last sync could not serve.", _rejected(figures.runs))


def _rejected(totals: Iterable[RunTotal]) -> int:
    compared = [total for total in totals if total.kind is RunKind.SYNC and total.outcome in _COMPARED]
    return max(compared, key=lambda total: total.last_ended_at).rejected if compared else 0


def _about_rotation(figures: Figures) -> Iterator[Metric]:
    known = figures.rotation
    yield _gauge("rotation_accounts", "Accounts that the schedule rotates.", known.accounts)
    yield _gauge(
        "rotation_accounts_needing_operator", "Of these, those whose last rotation failed.", known.needing_operator
    )
    if known.accounts:
        yield _gauge("rotation_last_timestamp_seconds", "When one of them was last rotated, 0 before.", known.last or 0)
        yield _gauge(
            "rotation_oldest_timestamp_seconds",
            "When the one that waits longest was last rotated, 0 before.",
            known.oldest or 0,
        )


def _about_aws(figures: Figures) -> Iterator[Metric]:
    """Tell what `aws verify` last found; without any look there is nothing to tell."""
    last = figures.verification
    if last is None:
        return
    yield _gauge("aws_verified_timestamp_seconds", "When the AWS side was last looked at.", last.at)
    found = GaugeMetricFamily("cognito_scim_aws_findings", "What was found then.", labels=("severity",))
    for severity in ("error", "warning", "note"):
        found.add_metric((severity,), last.count(severity))
    yield found


def _about_clients(figures: Figures) -> Iterator[Metric]:
    expires = GaugeMetricFamily(
        "cognito_scim_client_expires_timestamp_seconds", "When a client expires.", labels=("client",)
    )
    for client, at in sorted(figures.expiries.items()):
        expires.add_metric((client,), at)
    yield expires


def _about_calls(figures: Figures) -> Iterator[Metric]:
    calls = CounterMetricFamily("cognito_scim_aws_calls", "API calls of runs.", labels=("operation",))
    for operation, made in sorted(figures.calls.items()):
        calls.add_metric((operation,), made)
    yield calls
    yield CounterMetricFamily(
        "cognito_scim_aws_throttled",
        "API calls that AWS refused for their rate.",
        value=sum(total.throttled for total in figures.runs),
    )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cognito_scim_{name}", meaning, value=value)
