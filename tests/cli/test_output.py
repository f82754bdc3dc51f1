"""What the command prints where the terminal or the pipe knows fewer characters than the directory."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli.main import replace_missing_characters
from tests.cli.conftest import Run
from tests.fakes.population import a_user
from tests.fakes.simulated_pool import SimulatedPool


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_a_character_that_is_missing_is_replaced(encoding: str) -> None:
    """House rule: the exit code and the digest matter more than a sign nobody can show."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, errors="strict")
    replace_missing_characters(stream, io.StringIO())
    stream.write("Zoë Ж │ 0123abc\n")
    stream.flush()

    assert written.getvalue().decode(encoding).endswith("? ? 0123abc\n")


def test_a_list_is_printed_in_any_character_set(run: Run, pool: SimulatedPool, folder: Path) -> None:
    """P32: the command as it is started, with names of another script in the directory."""
    pool.directory.add_user(a_user("zh", name="Жанна"))
    assert run("sync").code == 0
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "connector", "list", "users"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)

    assert (done.returncode, b"ann" in done.stdout, b"unexpected" in done.stderr) == (0, True, False), done.stderr
