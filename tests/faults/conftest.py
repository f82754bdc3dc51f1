from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.clock import Clock
from tests.fakes.harvesting import Barn


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let attempts follow each other at once: how often something is tried is the point, not how long that takes."""
    virtual = Clock()
    virtual.rule(monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return virtual


@pytest.fixture
def barn(tmp_path: Path) -> Iterator[Barn]:
    """Where harvests go."""
    barn = Barn(tmp_path)
    yield barn
    barn.database.close()
