from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, _logging_of_its_own, folder, run  # noqa: F401 - fixtures
from tests.ministack.scene import Scene
from tests.ministack.server import MiniStack, running_ministack


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """ministack, one for all tests of a process."""
    with running_ministack() as running:
        yield running


@pytest.fixture
def scene(ministack: MiniStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:  # noqa: F811
    """A pool, the roles on it and a configuration, anew for each test."""
    made = Scene(ministack)
    (folder / "config.yaml").write_text(made.configuration())
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made
