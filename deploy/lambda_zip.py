"""Make the zip of the Secrets Manager rotation function, the same bytes whoever makes it and whenever.

Only our own source of the rotation: boto3 is part of Lambda's runtime, and nothing compiled is needed. Names are
sorted, times and modes are fixed, and nothing is compressed, because compressors differ from version to version.
"""

import argparse
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
EARLIEST = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
UNIX = 3


def write_zip(target: Path) -> str:
    """Write the zip, and return its SHA-256 in hexadecimal."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(_names()):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = UNIX
            entry.external_attr = FILE_MODE << 16
            archive.writestr(entry, (ROOT / name).read_bytes())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _names() -> Iterator[str]:
    yield from ("connector/__init__.py", "connector/aws_codes.py", "connector/errors.py")
    yield from (path.relative_to(ROOT).as_posix() for path in (ROOT / "connector/rotation").rglob("*.py"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the zip of the Secrets Manager rotation function.")
    parser.add_argument("target", type=Path, nargs="?", default=Path("dist/secrets-manager-rotation.zip"))
    given = parser.parse_args()
    print(f"{write_zip(given.target)}  {given.target}")  # noqa: T201 - what a build says
