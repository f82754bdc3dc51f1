"""Look up the digests of the images that a deployment stands on, and write them down for builds and compose.

    python -m deploy.pin_images [FILE]

`docker buildx imagetools inspect` asks the registry of each image; nothing is written that was not looked up. Then:
    docker build --build-arg "$(grep ^PYTHON_IMAGE deploy/images.env)" --file deploy/Dockerfile --tag cognito-scim .
    docker compose --env-file deploy/images.env --file deploy/compose.yaml up
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
_NAMED = re.compile(r"(?:ARG (\w+_IMAGE)=(\S+)|\$\{(\w+_IMAGE):-([^}@]+)\})")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def images() -> dict[str, str]:
    """Return the images that the Dockerfile and compose name, by the variable that replaces each."""
    text = "".join((FOLDER / name).read_text() for name in ("Dockerfile", "compose.yaml"))
    return {one or other: image or named for one, image, other, named in _NAMED.findall(text)}


def look_up(image: str) -> str:
    """Return the digest that a registry has for an image.

    Raises:
        SystemExit: it told none.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("docker is not installed; it looks the digests up.")
    asked = [docker, "buildx", "imagetools", "inspect", image, "--format", "{{json .Manifest}}"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - docker, on names of ours
    try:
        digest = str(json.loads(told.stdout)["digest"])
    except (ValueError, KeyError, TypeError):
        digest = ""
    if told.returncode or not _DIGEST.fullmatch(digest):
        raise SystemExit(f"No digest of {image} was told, and nothing is written: {told.stderr.strip()[:300]}")
    return digest


def write(pinned: Mapping[str, str], file: Path) -> None:
    """Write the images with their digests, as variables."""
    file.write_text("".join(f"{name}={image}\n" for name, image in sorted(pinned.items())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Look up and write down the digests of images.")
    parser.add_argument("file", type=Path, nargs="?", default=FOLDER / "images.env")
    target = parser.parse_args().file
    found = {name: f"{image}@{look_up(image)}" for name, image in images().items()}
    write(found, target)
    sys.stdout.write(f"wrote {target}: {', '.join(sorted(found.values()))}\n")
