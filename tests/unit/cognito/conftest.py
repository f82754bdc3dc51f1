from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.fakes.population import people
from tests.fakes.simulated_pool import SimulatedPool


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try again at once: how often it tries is the point, not how long it waits."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def simulated() -> Iterator[SimulatedPool]:
    """A pool of two pages of users and two groups."""
    with SimulatedPool(people(61), {"staff": ["p0", "p1", "p60"], "nobody": []}) as pool:
        yield pool
