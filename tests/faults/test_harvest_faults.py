"""Whatever goes wrong at whichever call, a harvest ends with an error of our tree and never with fewer records."""

from collections.abc import Iterator

import pytest

from connector.cognito.meter import Meter
from connector.cognito.sending import RetryLimits
from connector.cognito.session import open_pool
from connector.errors import (
    ConnectorError,
    HarvestIncomplete,
    SourceDenied,
    SourceError,
    SourceMissing,
    SourceThrottled,
    SourceUnavailable,
)
from tests.fakes.clock import Clock
from tests.fakes.faults import ANY, Fault
from tests.fakes.harvesting import Barn
from tests.fakes.population import people
from tests.fakes.simulated_pool import SimulatedPool

CALLS = 7

EXPECTED: dict[Fault, type[ConnectorError]] = {
    Fault.THROTTLE: SourceThrottled,
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

WHOLE = [f"p{number}" for number in range(9)]
GROUPS = {"staff": ["p0", "p8"], "nobody": []}
PASSING = [
    Fault.THROTTLE,
    Fault.ERROR_500,
    Fault.ERROR_503,
    Fault.RESET,
    Fault.TRUNCATED,
    Fault.CUT_JSON,
    Fault.EMPTY_BODY,
    Fault.EMPTY_OBJECT,
    Fault.WRONG_JSON,
    Fault.HTML,
]


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool that takes seven calls: three pages of users, two of groups, one for the members of each group."""
    with SimulatedPool(people(9), GROUPS) as pool:
        pool.split_pages("ListUsers", [4, 0, 5])
        pool.split_pages("ListGroups", [1, 1])
        yield pool


def test_a_harvest_without_fault_takes_seven_calls(simulated: SimulatedPool, barn: Barn) -> None:
    """P09: the sweep below meets every call there is."""
    harvested = barn.harvest(open_pool(simulated.access(), run="7", meter=Meter()))

    assert (harvested.users, harvested.groups) == (WHOLE, GROUPS)
    assert simulated.calls[ANY] == CALLS


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: fault.value)
def test_a_fault_at_any_call_is_an_error_of_our_tree(simulated: SimulatedPool, barn: Barn, fault: Fault) -> None:
    """P01: throttle, 500, reset, timeout, damaged answers, expiry, denial and absence, from every call k on."""
    patience = RetryLimits(attempts=1, read_timeout=0.2 if fault is Fault.TIMEOUT else 10, deadline=60)
    for call in range(1, CALLS + 1):
        pool = open_pool(simulated.access(patience=patience), run="7", meter=Meter())
        simulated.fail(ANY, call=simulated.calls[ANY] + call, fault=fault, times=None)

        with pytest.raises(ConnectorError) as caught:
            barn.harvest(pool)

        assert type(caught.value) is EXPECTED[fault]
        assert caught.value.remedy
        simulated.script.forget_faults()

    harvested = barn.harvest(open_pool(simulated.access(), run="7", meter=Meter()))
    assert (harvested.users, harvested.groups) == (WHOLE, GROUPS)


def test_every_fault_has_its_error() -> None:
    """P01: a fault that the simulated pool learns is swept too."""
    assert set(EXPECTED) == set(Fault)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.value)
def test_a_passing_fault_costs_nothing(simulated: SimulatedPool, barn: Barn, fault: Fault) -> None:
    """P10: what may pass is tried again."""
    pool = open_pool(simulated.access(patience=RetryLimits(attempts=3)), run="7", meter=Meter())
    for call in range(1, CALLS + 1):
        simulated.fail(ANY, call=simulated.calls[ANY] + call, fault=fault, times=2)

        harvested = barn.harvest(pool)

        assert (harvested.users, harvested.groups) == (WHOLE, GROUPS)


@pytest.mark.parametrize("seed", range(3))
def test_throttling_slows_a_harvest_and_takes_nothing_from_it(barn: Barn, seed: int) -> None:
    """P10: with every second request refused, the result is that of an idle account, whatever the attempts."""
    groups = {f"g{number}": sorted([f"p{number}", "p60"]) for number in range(10)}
    with SimulatedPool(people(61), groups) as simulated:
        simulated.throttle(0.5, seed=seed)
        meter = Meter()
        pool = open_pool(simulated.access(patience=RetryLimits(attempts=1)), run="7", meter=meter)

        harvested = barn.harvest(pool, meter=meter)

        assert (harvested.users, harvested.groups) == (sorted(f"p{number}" for number in range(61)), groups)
        assert meter.calls == {"AssumeRole": 1, "ListUsers": 2, "ListGroups": 1, "ListUsersInGroup": 10}
        assert meter.throttled == simulated.calls[ANY] - 13
        assert meter.throttled > 0


def test_throttling_without_end_is_told_as_such(simulated: SimulatedPool, barn: Barn, clock: Clock) -> None:
    """P10: when the time of the run is over, the harvest ends and says what to lower."""
    simulated.throttle(1.0)
    pool = open_pool(simulated.access(patience=RetryLimits(deadline=600)), run="7", meter=Meter())

    with pytest.raises(SourceThrottled, match=r"throttled List.*cognito\.requests_per_second"):
        barn.harvest(pool)
    assert clock.passed <= 600


def test_a_harvest_that_takes_too_long_ends_at_the_deadline(simulated: SimulatedPool, barn: Barn, clock: Clock) -> None:
    """P08: whatever the reason, a run has an end."""
    pool = open_pool(simulated.access(patience=RetryLimits(deadline=600)), run="7", meter=Meter())
    simulated.before("ListUsers", call=2, do=lambda: clock.sleep(600))

    with pytest.raises(HarvestIncomplete, match=r"within the 600 seconds .*sync\.deadline"):
        barn.harvest(pool)


def test_a_fault_stops_the_other_walks_at_once(barn: Barn) -> None:
    """P01: nobody goes on reading what nobody will take."""
    groups = {f"g{number:03}": ["p0"] for number in range(500)}
    with SimulatedPool(people(1), groups) as simulated:
        simulated.fail("ListUsersInGroup", call=3, fault=Fault.ACCESS_DENIED)

        with pytest.raises(SourceDenied):
            barn.harvest(open_pool(simulated.access(), run="7", meter=Meter()))

        assert simulated.calls["ListUsersInGroup"] < 100
