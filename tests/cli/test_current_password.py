"""`--current-password-file`: what is not a line of text is refused before anything is asked."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b"", "its first line is empty"),
        (b"\nsecond", "its first line is empty"),
        (b"x" * 100_000, "its first line is far too long"),
    ],
)
def test_what_is_no_password_is_a_mistake_of_usage(run: Run, folder: Path, content: bytes, told: str) -> None:
    """Bad input gets a clear error, and is not shown."""
    (folder / "current").write_bytes(content)
    done = run("rotate", "cognito-user", "ann", "--mode", "self", "--current-password-file", "current")

    assert (done.code, told in " ".join(done.err.split())) == (2, True), done.err
