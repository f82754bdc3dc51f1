"""Make the zips of the two Lambda functions: the rotation function of Secrets Manager, and the credential proxy."""

import argparse
import hashlib
from pathlib import Path

from connector.provisioning.function_zip import PROXY, ROTATION, make_zip

ZIPS = {"secrets-manager-rotation.zip": ROTATION, "credential-proxy.zip": PROXY}


def write_zips(folder: Path) -> dict[Path, str]:
    """Write the zips, and return the SHA-256 of each in hexadecimal."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, patterns in ZIPS.items():
        content = make_zip(patterns)
        (folder / name).write_bytes(content)
        digests[folder / name] = hashlib.sha256(content).hexdigest()
    return digests


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the zips of the Lambda functions.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("dist"))
    for path, digest in write_zips(parser.parse_args().folder).items():
        print(f"{digest}  {path}")  # noqa: T201 - what a build says
