import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from connector.directory.runs import RunKind, RunOutcome
from connector.directory.times import to_milliseconds
from connector.store.aws_verification import VerificationRecord
from connector.store.clients import Client, ClientRole, Grant
from connector.store.reading.reader import Stored
from connector.store.runs.figures import RunTotal
from connector.store.runs.rotated_accounts import RotationFigures
from connector.web.app import create_app
from connector.web.operations.latency import BUCKETS, MOST_CLIENTS, Latencies
from tests.web.conftest import BASE_URL, MAX_RESULTS, Ask
from tests.web.fakes import (
    OPERATOR_TOKEN,
    PUBLISHED_AT,
    TOKEN,
    FakeClients,
    FakeMeasures,
    FakeReader,
    sample_reader,
    services_of,
)

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "reference/metrics.md"
DURATION = "cognito_scim_http_request_duration_seconds"
RUNS = (
    RunTotal(RunKind.SYNC, RunOutcome.PUBLISHED, 3, 1, 0, 61.5, 4, 7, 1_000.0),
    RunTotal(RunKind.SYNC, RunOutcome.INCOMPLETE, 2, 2, 4, 9.0, 5, 0, 3_000.0),
    RunTotal(RunKind.SYNC, RunOutcome.UNCHANGED, 1, 0, 0, 2.0, 0, 2, 2_000.0),
    RunTotal(RunKind.ROTATE, RunOutcome.ROTATED, 1, 0, 0, 1.0, 0, 0, 500.0),
    RunTotal(RunKind.ROTATE, RunOutcome.PARTLY, 2, 0, 0, 9.0, 0, 0, 900.0),
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def measures(reader: FakeReader) -> FakeMeasures:
    """Some runs, calls and imports."""
    return FakeMeasures(
        reader,
        5_000.0,
        RUNS,
        {"ListUsers": 12, "AssumeRole": 3},
        2,
        RotationFigures(accounts=5, needing_operator=1, last=4_000.0, oldest=3_000.0),
        expiries={"okta": 9_000.0},
    )


@pytest.fixture
def app(reader: FakeReader, clients: FakeClients, measures: FakeMeasures) -> Flask:
    """The application, with a schedule of each kind."""
    schedules = {"sync_interval": 21_600.0, "next_rotation": lambda now: now + 86_400}
    return create_app(services_of(reader, clients, BASE_URL, MAX_RESULTS, measures=measures, **schedules))


def scrape(http: FlaskClient, token: str = TOKEN) -> Samples:
    """Return every sample, by its name and labels."""
    answer = http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return one sample."""
    return samples[f"cognito_scim_{name}", tuple(sorted(labels.items()))]


def test_the_state_of_the_directory_is_told(http: FlaskClient) -> None:
    """P25: how old what is served is, and how large."""
    samples = scrape(http)

    assert value(samples, "generation") == 1
    assert value(samples, "generation_published_timestamp_seconds") == to_milliseconds(PUBLISHED_AT) / 1000
    assert [value(samples, name) for name in ("users", "groups", "memberships")] == [25, 3, 27]
    assert [value(samples, name) for name in ("store_up", "pinned_imports")] == [1, 2]
    assert value(samples, "schedule_interval_seconds") == 21_600


def test_either_role_may_read_it(http: FlaskClient) -> None:
    """P28: importers and operators, and nobody without a credential."""
    assert value(scrape(http, TOKEN), "generation") == value(scrape(http, OPERATOR_TOKEN), "generation") == 1
    assert http.get("/metrics").status_code == 401


def samples_of_requests(samples: Samples) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return which samples are about requests."""
    return {key for key in samples if key[0].startswith(DURATION)}


def test_runs_are_counted_by_kind_and_outcome(http: FlaskClient) -> None:
    """P21: what never happened is told as 0, so that its first time is an increase."""
    samples = scrape(http)

    assert value(samples, "runs_total", kind="sync", outcome="published") == 3
    assert value(samples, "run_seconds_total", kind="sync", outcome="published") == 61.5
    assert value(samples, "runs_total", kind="sync", outcome="failed") == 0
    assert value(samples, "runs_total", kind="check", outcome="passed") == 0
    assert value(samples, "runs_total", kind="rotate", outcome="rotated") == 1
    assert value(samples, "runs_total", kind="rotate", outcome="unchanged") == 0
    assert value(samples, "run_seconds_total", kind="rotate", outcome="partly") == 9
    assert value(samples, "last_success_timestamp_seconds", kind="rotate") == 500
    assert value(samples, "last_success_timestamp_seconds", kind="sync") == 2_000
    assert value(samples, "last_success_timestamp_seconds", kind="check") == 0
    assert value(samples, "rejected_records") == 2
    assert [value(samples, f"schedule_{what}_total") for what in ("late", "missed")] == [3, 4]


def test_accounts_under_rotation_are_counted(http: FlaskClient) -> None:
    """P37: how many, how many need somebody, when the last and the longest-waiting one were rotated, and when next."""
    samples = scrape(http)
    told = {name: value(samples, f"rotation_{name}") for name in ("accounts", "accounts_needing_operator")}
    times = [value(samples, f"rotation_{name}_timestamp_seconds") for name in ("last", "oldest", "next")]

    assert told == {"accounts": 5, "accounts_needing_operator": 1}
    assert times == [4_000, 3_000, 5_000 + 86_400]


def test_the_last_look_at_the_aws_side_is_told(http: FlaskClient, measures: FakeMeasures) -> None:
    """When it was and what it found; before the first there is nothing, so that an alert on its absence works."""
    nothing = scrape(http)
    found = tuple({"name": "x", "severity": severity} for severity in ("error", "warning", "warning"))
    measures.verification = VerificationRecord(4_500.0, "arn:aws:iam::123456789012:role/r", found)
    samples = scrape(http)

    assert not any("aws_verified" in name or "aws_findings" in name for name, _ in nothing)
    assert value(samples, "aws_verified_timestamp_seconds") == 4_500
    assert [value(samples, "aws_findings", severity=severity) for severity in ("error", "warning", "note")] == [1, 2, 0]


def test_without_accounts_under_rotation_there_are_no_times(http: FlaskClient, measures: FakeMeasures) -> None:
    """P37: an alert on an age is silent where nothing is rotated, and loud where an account never was."""
    measures.rotation = RotationFigures()
    nothing = scrape(http)
    measures.rotation = RotationFigures(accounts=1)
    never = scrape(http)

    assert ("cognito_scim_rotation_oldest_timestamp_seconds", ()) not in nothing
    assert value(nothing, "rotation_accounts") == 0
    assert [value(never, f"rotation_{name}_timestamp_seconds") for name in ("last", "oldest")] == [0, 0]


def test_calls_are_counted_by_operation(http: FlaskClient) -> None:
    """P10: throttling costs time; here one sees how often."""
    samples = scrape(http)

    assert value(samples, "aws_calls_total", operation="ListUsers") == 12
    assert value(samples, "aws_calls_total", operation="AssumeRole") == 3
    assert value(samples, "aws_throttled_total") == 9


def test_before_the_first_generation_there_is_none_to_tell_of(http: FlaskClient, reader: FakeReader) -> None:
    """P04: no directory is never an empty directory, and here no series of zeros."""
    reader.published = False
    samples = scrape(http)

    assert value(samples, "generation") == 0
    assert ("cognito_scim_users", ()) not in samples


def test_a_store_that_does_not_answer_is_a_metric(http: FlaskClient, reader: FakeReader) -> None:
    """P27: the scrape stands, says that the store is away, and no more of it."""
    reader.broken = True
    samples = scrape(http)

    assert value(samples, "store_up") == 0
    assert {name for name, _ in samples} == {"cognito_scim_build_info", "cognito_scim_store_up"}


def test_requests_are_told_apart_by_what_the_server_knows(http: FlaskClient, ask: Ask) -> None:
    """P23: route templates, never paths; each of the requests is counted once, whatever became of it."""
    ask("/scim/v2/Users?count=1")
    ask("/scim/v2/Users/00000000-0000-4000-8000-000000000001")
    ask("/scim/v2/Users/hostile%0Aid")
    ask("/scim/v2/Users/x", "DELETE")
    http.get("/scim/v2/Users?token=secret")
    http.open("/scim/v2/Groups", method="BREW", headers={"Authorization": f"Bearer {TOKEN}"})
    counted = {
        (labels["route"], labels["method"], labels["status"], labels["client"]): count
        for (name, pairs), count in scrape(http).items()
        if name == f"{DURATION}_count"
        for labels in [dict(pairs)]
    }

    assert counted == {
        ("/scim/v2/Users", "GET", "200", "idp"): 1,
        ("/scim/v2/Users/<identifier>", "GET", "200", "idp"): 1,
        ("/scim/v2/Users/<identifier>", "GET", "404", "idp"): 1,
        ("/scim/v2/<path:anything>", "DELETE", "405", "idp"): 1,
        ("/scim/v2/Users", "GET", "401", ""): 1,
        ("", "other", "405", "idp"): 1,
    }


def test_a_long_answer_is_counted_with_all_that_it_takes() -> None:
    """P23: what a long answer takes is not only its first mebibyte."""
    people = [*sample_reader().people] * 400
    http = create_app(services_of(SlowReader(people), FakeClients(), BASE_URL, 100_000)).test_client()
    answer = http.get("/scim/v2/Users", headers={"Authorization": f"Bearer {TOKEN}"})
    samples = {name: count for (name, pairs), count in scrape(http).items() if _of_users(pairs)}
    length = len(answer.data)
    answer.close()

    assert length > 1 << 20
    assert samples[f"{DURATION}_count"] == 1
    assert samples[f"{DURATION}_sum"] >= SlowReader.PAUSE


class SlowReader(FakeReader):
    """Hesitates after the last row."""

    PAUSE = 0.05

    def _rows(self, rows: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
        yield from super()._rows(rows)
        time.sleep(self.PAUSE)


def _of_users(pairs: tuple[tuple[str, str], ...]) -> bool:
    return dict(pairs).get("route") == "/scim/v2/Users"


def test_buckets_are_cumulative_and_hold_their_upper_bound() -> None:
    """Prometheus: `le` is less or equal, and +Inf holds all."""
    latencies = Latencies()
    for seconds in (0.005, 0.0051, 10.0, 11.0):
        latencies.observe("/r", "GET", "200", "c", seconds=seconds)
    (observed,) = latencies.read()

    assert observed.buckets == (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1)
    assert len(observed.buckets) == len(BUCKETS) + 1
    assert observed.seconds == pytest.approx(21.0101)


def test_the_number_of_clients_told_apart_is_bounded() -> None:
    """P23: whoever makes clients by the thousand gets one series for the rest."""
    latencies = Latencies()
    for number in range(MOST_CLIENTS + 50):
        latencies.observe("/r", "GET", "200", f"c{number}", seconds=0.1)
    latencies.observe("/r", "GET", "200", "c0", seconds=0.1)
    counted = {observed.asked.client: sum(observed.buckets) for observed in latencies.read()}

    assert (len(counted), counted["other"], counted["c0"]) == (MOST_CLIENTS + 1, 50, 2)


def test_requests_counted_by_many_threads_are_all_counted() -> None:
    """Requests are answered by threads side by side."""
    latencies = Latencies()

    def work() -> None:
        for _ in range(2000):
            latencies.observe("/r", "GET", "200", "c", seconds=0.1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (observed,) = latencies.read()

    assert sum(observed.buckets) == 16_000


def test_when_a_client_expires_is_exported(http: FlaskClient) -> None:
    """P38: so that an alert comes before the importer stands still."""
    assert value(scrape(http), "client_expires_timestamp_seconds", client="okta") == 9_000.0


def test_applications_count_for_themselves(reader: FakeReader) -> None:
    """House rule: no global state; two applications in a process tell their own requests."""
    one, other = (create_app(services_of(reader, FakeClients(), BASE_URL, MAX_RESULTS)).test_client() for _ in range(2))
    one.get("/livez")

    assert samples_of_requests(scrape(one)) != set()
    assert samples_of_requests(scrape(other)) == set()


def test_odd_names_of_clients_stay_labels(clients: FakeClients, http: FlaskClient) -> None:
    """P32: the name of a client is text, whatever it holds."""
    clients.known["ccs_odd"] = Client(9, 'a"} 1\\', ClientRole.IMPORTER, Grant.BEARER, None, PUBLISHED_AT)
    http.get("/scim/v2/Users?count=1", headers={"Authorization": "Bearer ccs_odd"})

    assert 'a"} 1\\' in {dict(pairs).get("client") for _, pairs in scrape(http)}


def test_the_page_of_the_reference_is_what_is_exported(http: FlaskClient, ask: Ask, measures: FakeMeasures) -> None:
    """A metric that nobody can look up does not exist; neither does one that is only written about."""
    measures.verification = VerificationRecord(4_500.0, "arn:aws:iam::123456789012:role/r", ())
    ask("/scim/v2/Users?count=1")
    answer = http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    exported = {}
    for family in text_string_to_metric_families(answer.text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        exported[name] = (family.type, labels)
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}

    assert exported == documented


def test_alerts_ask_for_nothing_that_is_not_exported(http: FlaskClient, ask: Ask) -> None:
    """P21: an alert on a name that nobody exports would be silent for ever."""
    ask("/scim/v2/Users?count=1")
    text = (DOCS / "how-to/monitor.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    rules = [rule for block in blocks for group in block.get("groups", []) for rule in group["rules"]]
    labels = {label for _, pairs in scrape(http) for label, _ in pairs}
    selectors = re.findall(r"cognito_scim_\w+(?:\{([^}]*)\})?", text)

    assert {rule["alert"] for rule in rules if "expr" in rule} == {rule["alert"] for rule in rules} != set()
    assert set(re.findall(r"cognito_scim_\w+", text)) <= {name for name, _ in scrape(http)}
    assert {label for selector in selectors for label in re.findall(r"(\w+)=~?\"", selector)} <= labels
