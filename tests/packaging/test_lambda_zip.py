"""The zip of the rotation function: the same bytes every time, nothing foreign, and it runs on what Lambda has."""

import os
import zipfile
from pathlib import Path

from deploy.lambda_zip import write_zip

ROOT = Path(__file__).parents[2]


def test_two_builds_are_the_same_bytes(tmp_path):
    """P35: who builds it again can tell that nothing else was installed; files' times and modes do not matter."""
    first = write_zip(tmp_path / "first.zip")
    touched = ROOT / "connector/rotation/__init__.py"
    before = touched.stat()
    try:
        os.utime(touched, (1_000_000_000, 1_000_000_000))
        second = write_zip(tmp_path / "second.zip")
    finally:
        os.utime(touched, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert first == second
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_zip_holds_the_rotation_and_nothing_else(tmp_path):
    """Nothing compiled, nothing of third parties: boto3 is part of Lambda's runtime."""
    write_zip(tmp_path / "function.zip")

    with zipfile.ZipFile(tmp_path / "function.zip") as archive:
        entries = archive.infolist()

    names = [entry.filename for entry in entries]
    assert sorted(names) == names
    assert "connector/rotation/secrets_manager_function.py" in names
    assert {"connector/__init__.py", "connector/errors.py"} == {
        name for name in names if not name.startswith("connector/rotation/")
    }
    assert {".py"} == {Path(name).suffix for name in names}
    assert {0o100644} == {entry.external_attr >> 16 for entry in entries}
