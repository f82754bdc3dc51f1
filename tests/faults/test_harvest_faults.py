"""Whatever goes wrong at whichever call, a harvest ends with an error of our tree and never with fewer records."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.cognito.session import Patience, open_pool
from connector.errors import ConnectorError, SourceDenied, SourceError, SourceMissing, SourceUnavailable
from tests.fakes.faults import ANY, Fault
from tests.fakes.population import people
from tests.fakes.simulated_pool import SimulatedPool

CALLS = 7

EXPECTED: dict[Fault, type[ConnectorError]] = {
    Fault.THROTTLE: SourceUnavailable,
    Fault.ERROR_500: SourceUnavailable,
    Fault.ERROR_503: SourceUnavailable,
    Fault.FAILED_AFTER: SourceUnavailable,
    Fault.UNHEARD: SourceUnavailable,
    Fault.RESET: SourceUnavailable,
    Fault.TIMEOUT: SourceUnavailable,
    Fault.TRUNCATED: SourceUnavailable,
    Fault.CUT_JSON: SourceUnavailable,
    Fault.EMPTY_BODY: SourceUnavailable,
    Fault.EMPTY_OBJECT: SourceUnavailable,
    Fault.WRONG_JSON: SourceUnavailable,
    Fault.HTML: SourceUnavailable,
    Fault.EXPIRED_TOKEN: SourceDenied,
    Fault.ACCESS_DENIED: SourceDenied,
    Fault.DENIED_AS_XML: SourceDenied,
    Fault.WRONG_KEYS: SourceDenied,
    Fault.POOL_MISSING: SourceMissing,
    Fault.INVALID_PARAMETER: SourceError,
}

Harvest = dict[str, list[str]]


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try again at once: how often it tries is the point, not how long it waits."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool that takes seven calls: three pages of users, two of groups, one for the members of each group."""
    with SimulatedPool(people(9), {"staff": ["p0", "p8"], "nobody": []}) as pool:
        pool.split_pages("ListUsers", [4, 0, 5])
        pool.split_pages("ListGroups", [1, 1])
        yield pool


def harvest(pool: UserPool) -> Harvest:
    """Read everything: all users under "", and the members of each group under its name."""
    groups = [group.name for page in pool.groups() for group in page]
    read = {"": pool.users(), **{name: pool.members(name) for name in groups}}
    return {name: [user.username for page in pages for user in page] for name, pages in read.items()}


def whole() -> Harvest:
    """Return what is in the pool."""
    return {"": [f"p{number}" for number in range(9)], "staff": ["p0", "p8"], "nobody": []}


def test_a_harvest_without_fault_takes_seven_calls(simulated: SimulatedPool) -> None:
    """P09: the sweep below meets every call there is."""
    pool = open_pool(simulated.access(), run="7", meter=Meter())

    assert harvest(pool) == whole()
    assert simulated.calls[ANY] == CALLS


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: fault.value)
def test_a_fault_at_any_call_is_an_error_of_our_tree(simulated: SimulatedPool, fault: Fault) -> None:
    """P01: throttle, 500, reset, timeout, damaged answers, expiry, denial and absence, at every call k."""
    patience = Patience(attempts=1, read_timeout=0.2 if fault is Fault.TIMEOUT else 10)
    pool = open_pool(simulated.access(patience=patience), run="7", meter=Meter())
    for call in range(1, CALLS + 1):
        # Four times, since expired credentials are renewed once, and a missing group is looked for twice more.
        simulated.fail(ANY, call=simulated.calls[ANY] + call, fault=fault, times=4)

        with pytest.raises(ConnectorError) as caught:
            harvest(pool)

        assert type(caught.value) is EXPECTED[fault]
        assert caught.value.remedy
        simulated.script.forget_faults()

    assert harvest(pool) == whole()


def test_every_fault_has_its_error() -> None:
    """P01: a fault that the simulated pool learns is swept too."""
    assert set(EXPECTED) == set(Fault)


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.ERROR_500, Fault.ERROR_503, Fault.RESET])
def test_a_passing_fault_costs_nothing(simulated: SimulatedPool, fault: Fault) -> None:
    """P10: what may pass is tried again."""
    pool = open_pool(simulated.access(patience=Patience(attempts=3)), run="7", meter=Meter())
    for call in range(1, CALLS + 1):
        simulated.fail(ANY, call=simulated.calls[ANY] + call, fault=fault, times=2)

        assert harvest(pool) == whole()


@pytest.mark.parametrize("seed", range(3))
def test_throttling_slows_a_harvest_and_takes_nothing_from_it(seed: int) -> None:
    """P10: with every second request refused, the result is that of an idle account."""
    groups = {f"g{number}": [f"p{number}", "p60"] for number in range(10)}
    with SimulatedPool(people(61), groups) as simulated:
        simulated.throttle(0.5, seed=seed)
        meter = Meter()
        pool = open_pool(simulated.access(patience=Patience(attempts=20)), run="7", meter=meter)

        assert harvest(pool) == {"": [f"p{number}" for number in range(61)], **groups}
        assert meter.calls == {"AssumeRole": 1, "ListUsers": 2, "ListGroups": 1, "ListUsersInGroup": 10}
        assert meter.throttled == simulated.calls[ANY] - 13
        assert meter.throttled > 0


def test_throttling_without_end_is_told_as_such(simulated: SimulatedPool) -> None:
    """P10: when the attempts run out, the harvest ends and says what to lower."""
    simulated.throttle(1.0)
    meter = Meter()
    pool = open_pool(simulated.access(patience=Patience(attempts=4)), run="7", meter=meter)

    with pytest.raises(SourceUnavailable, match=r"throttled ListGroups .*cognito\.requests_per_second"):
        harvest(pool)
    assert meter.throttled == 4
