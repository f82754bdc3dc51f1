from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.fakes.clock import Clock
from tests.fakes.population import people
from tests.fakes.simulated_pool import SimulatedPool


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let attempts follow each other at once: how often something is tried is the point, not how long that takes."""
    virtual = Clock()
    virtual.rule(monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return virtual


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool of two pages of users and two groups."""
    with SimulatedPool(people(61), {"staff": ["p0", "p1", "p60"], "nobody": []}) as pool:
        yield pool
