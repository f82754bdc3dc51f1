"""However the walks overtake each other, a harvest comes out the same, in the fewest calls."""

import random
from collections.abc import Callable
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cognito.meter import Meter
from connector.cognito.session import open_pool
from connector.errors import HarvestIncomplete
from tests.fakes.harvesting import Barn
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool


def dice(seed: int) -> Callable[[], float]:
    """Return latencies of up to four milliseconds in an order of their own."""
    rolls = random.Random(seed)  # noqa: S311  for delays, not for secrets
    return lambda: rolls.random() / 250


def pages(records: int) -> int:
    """Return the calls that a walk takes."""
    return max(1, ceil(records / 60))


SIZES = {"all": 150, "half": 75, "page": 60, "one": 1, "none": 0}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_any_order_of_the_answers_gives_the_same_harvest_in_the_fewest_calls(barn: Barn, seed: int) -> None:
    """P09, P11: users, groups, memberships and rejects; each operation as often as the formula says."""
    users = [*people(150), a_user("b\0d"), a_user("w\0rse")]
    groups = {name: [f"p{number}" for number in range(size)] + ["b\0d"] for name, size in SIZES.items()}
    meter = Meter()
    with SimulatedPool(users, groups, latency=dice(seed)) as simulated:
        harvested = barn.harvest(open_pool(simulated.access(), run="7", meter=meter), meter=meter)

    assert harvested.users == sorted(f"p{number}" for number in range(150))
    assert harvested.groups == {name: sorted(f"p{number}" for number in range(size)) for name, size in SIZES.items()}
    assert [reject.source for reject in harvested.tally.rejects] == ["b\0d", "w\0rse"]
    assert harvested.tally.dropped_members == 5
    assert meter.calls == {
        "AssumeRole": 1,
        "ListUsers": pages(152),
        "ListGroups": 1,
        "ListUsersInGroup": sum(pages(size + 1) for size in SIZES.values()),
    }


@given(seed=st.integers(0, 2**32))
@settings(max_examples=5)
def test_listed_groups_are_read_and_nothing_else(barn: Barn, seed: int) -> None:
    """P09: a list of groups costs their own calls; who is in several is one user."""
    groups = {name: [f"p{number}" for number in range(size)] for name, size in SIZES.items()}
    meter = Meter()
    with SimulatedPool(people(150), groups, latency=dice(seed)) as simulated:
        pool = open_pool(simulated.access(), run="7", meter=meter)
        harvested = barn.harvest(pool, "half", "one", meter=meter)

    assert harvested.users == sorted(f"p{number}" for number in range(75))
    assert {name: len(members) for name, members in harvested.groups.items()} == {"half": 75, "one": 1}
    assert meter.calls == {"AssumeRole": 1, "GetGroup": 2, "ListUsersInGroup": 3}


def test_members_whom_the_walk_over_users_missed_are_looked_up_side_by_side(barn: Barn) -> None:
    """P11: one call each; who is gone meanwhile is dropped with every membership, and counted."""
    with SimulatedPool(
        people(100), {"all": [f"p{number}" for number in range(100)], "few": ["p98", "p99"]}
    ) as simulated:
        for number in range(40, 100):
            simulated.directory.hide_user(f"p{number}")
        simulated.before("ListUsers", call=2, do=lambda: simulated.directory.remove_user("p99"))
        harvested = barn.harvest(open_pool(simulated.access(), run="7", meter=Meter()))

    assert harvested.users == sorted(f"p{number}" for number in range(99))
    assert harvested.groups["few"] == ["p98"]
    assert harvested.tally.dropped_members == 2
    assert simulated.calls["ListUsers"] == 1 + 60


def test_too_many_members_whom_nobody_listed_make_the_harvest_incomplete(barn: Barn) -> None:
    """P11: a walk over users that misses so many was not complete."""
    with SimulatedPool(people(150), {"all": [f"p{number}" for number in range(150)]}) as simulated:
        for number in range(101):
            simulated.directory.hide_user(f"p{number}")

        with pytest.raises(HarvestIncomplete, match="100 members of groups are not among the 49 users"):
            barn.harvest(open_pool(simulated.access(), run="7", meter=Meter()))


@pytest.mark.parametrize(("groups", "told"), [(2, ""), (20, "cognito.groups")])
def test_a_pool_of_many_tiny_groups_is_told_as_slow_to_read(barn: Barn, groups: int, told: str) -> None:
    """Cognito quotas: groups by user, 50 calls a second, win over users by group, 30, for nearly one group a user."""
    meter = Meter()
    with SimulatedPool(people(10), {f"g{number}": ["p0"] for number in range(groups)}) as simulated:
        harvested = barn.harvest(open_pool(simulated.access(), run="7", meter=meter), meter=meter)

    assert told in harvested.tally.hint
    assert bool(told) == bool(harvested.tally.hint)
