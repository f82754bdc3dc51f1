"""Make the zip of a Lambda function out of our own source, the same bytes whoever makes it and whenever.

boto3 is part of Lambda's runtime, and nothing compiled is needed. Names are sorted, times and modes are fixed, and
nothing is compressed, because compressors differ from version to version.
"""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path(__file__).parents[2]
"""The folder that holds the package, installed or in a checkout."""
ROTATION = ("connector/__init__.py", "connector/aws_codes.py", "connector/errors.py", "connector/rotation/**/*.py")
"""What the rotation function of Secrets Manager carries."""
PROXY = (
    "connector/__init__.py",
    "connector/directory/__init__.py",
    "connector/directory/pool_names.py",
    "connector/provisioning/__init__.py",
    "connector/provisioning/credential_proxy.py",
    "connector/provisioning/proxy/*.py",
    "connector/rotation/__init__.py",
    "connector/rotation/function/*.py",
)
"""What the credential proxy carries."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644
_UNIX = 3


def make_zip(patterns: Iterable[str]) -> bytes:
    """Return the zip of the files that the patterns find."""
    names = {path.relative_to(SOURCE).as_posix() for pattern in patterns for path in SOURCE.glob(pattern)}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = _UNIX
            entry.external_attr = _FILE_MODE << 16
            archive.writestr(entry, (SOURCE / name).read_bytes())
    return content.getvalue()
