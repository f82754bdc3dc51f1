"""Digests of images: looked up or not written."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.pin_images import images

ROOT = Path(__file__).parent.parent
DIGEST = "sha256:" + "ab" * 32


def pin(tmp_path: Path, answer: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command with a docker that answers so."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    return subprocess.run(
        [sys.executable, "-m", "deploy.pin_images", str(tmp_path / "images.env")],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_image_is_written_with_the_digest_that_its_registry_told(tmp_path: Path) -> None:
    """Those of the Dockerfile and of compose, under the variables that both take."""
    done = pin(tmp_path, f'{{"digest": "{DIGEST}"}}')
    lines = (tmp_path / "images.env").read_text().splitlines()

    assert done.returncode == 0
    assert lines == [f"{name}={image}@{DIGEST}" for name, image in sorted(images().items())]
    assert set(images()) == {"PYTHON_IMAGE", "POSTGRES_IMAGE", "CADDY_IMAGE"}


@pytest.mark.parametrize(("answer", "code"), [("", 0), ("{}", 0), ('{"digest": "sha256:short"}', 0), ("refused", 1)])
def test_what_was_not_looked_up_is_not_written(tmp_path: Path, answer: str, code: int) -> None:
    """A registry that does not answer leaves no file behind that would pass for pinned."""
    done = pin(tmp_path, answer, code)

    assert done.returncode == 1
    assert "nothing is written" in done.stderr
    assert not (tmp_path / "images.env").exists()
