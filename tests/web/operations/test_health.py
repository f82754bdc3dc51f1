import pytest
from flask.testing import FlaskClient

from connector.directory.runs import RunKind, RunOutcome
from connector.store.runs.figures import RunTotal
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.fakes import FakeClients, FakeClock, FakeMeasures, FakeReader, sample_reader, services_of

HOUR = 3600.0
NOW = 1_000_000.0
Answer = tuple[int, dict[str, object]]
OVERDUE = "the last successful sync is older than two intervals of the schedule"


def ended(outcome: str, at: float, kind: str = "sync") -> RunTotal:
    """A run that ended."""
    return RunTotal(RunKind(kind), RunOutcome(outcome), 1, 0, 0, 2.0, 0, 0, at)


def ask(
    *runs: RunTotal, reader: FakeReader | None = None, interval: float | None = None
) -> tuple[int, dict[str, object]]:
    """Return how readiness is answered after some runs."""
    published = reader or sample_reader()
    measures = FakeMeasures(published, NOW, runs)
    services = services_of(published, FakeClients(), BASE_URL, MAX_RESULTS, measures=measures, sync_interval=interval)
    answer = create_app(services).test_client().get("/readyz")
    return answer.status_code, document(answer)


def test_alive_while_it_answers(http: FlaskClient, reader: FakeReader) -> None:
    """P04: a restart would not mend the store."""
    reader.broken = True

    assert (http.get("/livez").status_code, document(http.get("/livez"))) == (200, {"alive": True})


def test_ready_while_there_is_a_directory_to_serve() -> None:
    """P04: a published generation and a store that answers are enough where nothing is scheduled."""
    assert ask() == (200, {"ready": True, "reasons": []})


def test_without_a_generation_it_is_not_ready() -> None:
    """P04: it says why, and nothing a stranger may not know."""
    assert ask(reader=FakeReader(published=False)) == (503, {"ready": False, "reasons": ["no generation is published"]})


def test_a_store_that_does_not_answer_is_not_ready() -> None:
    """P04: what is wrong with it stands in the log alone."""
    assert ask(reader=FakeReader(broken=True)) == (503, {"ready": False, "reasons": ["the store does not answer"]})


def test_a_store_that_takes_no_changes_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    """P04: walks, tokens and syncs would be answered with 503; the directory is still served to whoever asks."""
    measures = FakeMeasures(sample_reader(), read_only=True)
    answer = create_app(services_of(measures.reader, FakeClients(), BASE_URL, MAX_RESULTS, measures=measures))
    answered = answer.test_client().get("/readyz")

    assert (answered.status_code, document(answered)["reasons"]) == (503, ["the store takes no changes"])
    assert (caplog.messages, "secret" in answered.text) == (
        ["not ready: attempt to write a readonly database in /secret/place"],
        False,
    )


def test_strangers_do_not_reach_the_store_by_asking_for_health() -> None:
    """P31: it is open, so a flood of it is answered from what was found within the last second."""
    clock, measures = FakeClock(), FakeMeasures(sample_reader())
    services = services_of(measures.reader, FakeClients(), BASE_URL, MAX_RESULTS, measures=measures, clock=clock)
    http = create_app(services).test_client()
    first = [http.get("/readyz").status_code for _ in range(100)]
    measures.read_only = True
    clock.now += 1

    assert (set(first), measures.asked) == ({200}, 1)
    assert (http.get("/readyz").status_code, measures.asked) == (503, 2)


@pytest.mark.parametrize("outcome", ["failed", "incomplete", "refused"])
def test_a_first_sync_that_failed_is_told(outcome: str) -> None:
    """P21: not even the first failure is silent; only the last one is named."""
    runs = (ended("incomplete", NOW - 20), ended(outcome, NOW - 10), ended("failed", NOW, "check"))
    _, answer = ask(*runs, reader=FakeReader(published=False), interval=HOUR)

    assert answer["reasons"] == [
        "no generation is published",
        f"no sync has succeeded yet; the last one ended as {outcome}",
    ]


@pytest.mark.parametrize(
    ("age", "interval", "ready"),
    [
        (2 * HOUR, HOUR, True),
        (2 * HOUR + 1, HOUR, False),
        (2 * HOUR + 1, 2 * HOUR, True),
        (1000 * HOUR, None, True),
        (-HOUR, HOUR, True),
    ],
)
def test_after_two_intervals_without_success_it_is_not_ready(age: float, interval: float | None, ready: object) -> None:
    """P21: runs that fail or are missed show after two intervals of the schedule, on the database's clock."""
    runs = (ended("published", NOW - age), ended("failed", NOW), ended("passed", NOW, "check"))

    assert ask(*runs, interval=interval) == (
        200 if ready else 503,
        {"ready": bool(ready), "reasons": [] if ready else [OVERDUE]},
    )


def test_an_unchanged_pool_is_a_success() -> None:
    """P21: a sync that found nothing to change did what was to be done; a refused one did not."""
    long_ago = ended("published", NOW - 100 * HOUR)

    assert ask(long_ago, ended("unchanged", NOW - 1), interval=HOUR)[0] == 200
    assert ask(long_ago, ended("refused", NOW - 1), interval=HOUR)[0] == 503
    assert ask(long_ago, ended("published", NOW - 1, "plan"), interval=HOUR)[0] == 503


def test_a_rotation_that_fails_is_no_reason() -> None:
    """P37: a directory is served well whatever becomes of passwords."""
    assert ask(ended("published", NOW - 1), ended("failed", NOW, "rotate"), interval=HOUR)[0] == 200
    assert ask(ended("published", NOW - 9 * HOUR), ended("rotated", NOW, "rotate"), interval=HOUR)[0] == 503


def test_a_directory_that_nobody_can_date_is_overdue() -> None:
    """P21: with a schedule, a store without any success is not up to date."""
    assert ask(interval=HOUR) == (503, {"ready": False, "reasons": [OVERDUE]})
