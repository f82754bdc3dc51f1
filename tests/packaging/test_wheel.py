"""The wheel, built and installed in a virtual environment of its own, does what the checkout does."""

import os
import subprocess
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector import __version__

SOURCE = Path(__file__).parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel, where it is installed, and what `demo` said while its extra was not."""

    wheel: Path
    folder: Path
    elsewhere: Path
    demo_without_extra: subprocess.CompletedProcess[str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the virtual environment, far from the checkout."""
        return run([str(self.folder / BIN / command[0]), *command[1:]], self.elsewhere)


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without a way back to the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def succeed(command: Sequence[str], folder: Path) -> None:
    """Run a command that has to succeed."""
    done = run(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made as the tutorial says."""
    folder = tmp_path_factory.mktemp("dist")
    succeed(["make", "wheel", f"DIST={folder}"], SOURCE)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, and after that the clone with its extra `demo`: the two ways to install that the tutorial names."""
    folder, elsewhere = tmp_path_factory.mktemp("venv"), tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, with_pip=True)
    python = str(folder / BIN / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    succeed([*install, str(wheel)], elsewhere)
    demo_without_extra = run([str(folder / BIN / "cognito-scim"), "demo", "--once"], elsewhere)
    succeed([*install, ".[demo]"], SOURCE)
    return Installed(wheel, folder, elsewhere, demo_without_extra)


def test_wheel_holds_the_schemas_and_the_types(wheel: Path) -> None:
    """The schema documents that are served travel with the code, and so does the promise that it is typed."""
    documents = {f"connector/{path.relative_to(SOURCE)}" for path in SOURCE.glob("schemas/**/*.json")}
    expected = documents | {"connector/py.typed"}

    with zipfile.ZipFile(wheel) as archive:
        actual = set(archive.namelist())

    assert expected == actual & expected
    assert documents


def test_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    """Tests, benchmarks and documents stay at home."""
    with zipfile.ZipFile(wheel) as archive:
        actual = {name.partition("/")[0] for name in archive.namelist()}

    assert {"connector", f"cognito_scim-{__version__}.dist-info"} == actual


def test_command_is_installed_and_tells_its_version(installed: Installed) -> None:
    """The name of the command is part of the contract."""
    done = installed.run("cognito-scim", "--version")

    assert (f"cognito-scim {__version__}\n", 0) == (done.stdout, done.returncode)


def test_package_is_the_installed_one(installed: Installed) -> None:
    """What these tests run is the wheel and not the checkout."""
    done = installed.run("python", "-c", "import connector; print(connector.__file__)")

    assert Path(done.stdout).is_relative_to(installed.folder)


def test_demo_without_its_extra_says_what_to_install(installed: Installed) -> None:
    """A missing extra is a matter of configuration, told in one message."""
    done = installed.demo_without_extra

    assert done.returncode == 78
    assert "pip install '.[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_runs_from_anywhere(installed: Installed) -> None:
    """The whole product works from the wheel: pool, check, sync, serve and a client's walk."""
    done = installed.run("cognito-scim", "demo", "--once", "--users", "20", "--groups", "3")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "walked 20 of 20 users and 3 of 3 groups in 2 pages of 100"
