"""Put the user pool's questions to whoever sits at the terminal; stdout stays free for results."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import segno

from connector.cli.invocation import clean, say_aside
from connector.errors import LoginUnfit
from connector.rotation.model.secret import Secret

_LARGEST_PASSWORD = 1024


class Terminal:
    """Asks at the terminal, and nowhere else: a prompt that nobody sees would wait for ever."""

    def ask(self, question: str) -> str:
        """Return a line of text that is not empty."""
        _expect_somebody(question)
        while True:
            answer: str = click.prompt(clean(question), default="", show_default=False, err=True)
            if answer.strip():
                return answer.strip()

    def ask_secret(self, question: str) -> Secret:
        """Return a line that is not shown while it is typed, and not empty."""
        _expect_somebody(question)
        while True:
            answer: str = click.prompt(clean(question), default="", show_default=False, hide_input=True, err=True)
            if answer:
                return Secret(answer)

    def choose(self, question: str, options: Sequence[str]) -> int:
        """Return the position of what was chosen; of one option nobody is asked."""
        if len(options) == 1:
            return 0
        _expect_somebody(question)
        for number, option in enumerate(options, start=1):
            say_aside(f"  {number}  {option}")
        answer: int = click.prompt(clean(question), type=click.IntRange(1, len(options)), err=True)
        return answer - 1

    def show_authenticator_key(self, key: Secret, uri: str) -> None:
        """Show what an authenticator app is set up with, as a picture and as text."""
        _expect_somebody("the key of an authenticator app")
        say_aside("The user pool wants an authenticator app. Scan this picture with it:")
        segno.make(uri, error="l").terminal(out=sys.stderr, compact=True)
        say_aside(f"or type this key into it: {key.reveal()}")


def _expect_somebody(question: str) -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise LoginUnfit(
            f"The user pool asks for something, and nobody is at a terminal to answer: {question}.",
            remedy="Sign in at a terminal; a password alone can also be given with --password-file.",
        )


def read_password(file: Path) -> Secret:
    """Return the first line of a file; - reads standard input.

    Raises:
        click.BadParameter: there is none.
    """
    try:
        if str(file) == "-":
            line = sys.stdin.readline(_LARGEST_PASSWORD)
        else:
            with file.open(encoding="utf-8") as opened:
                line = opened.readline(_LARGEST_PASSWORD)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise click.BadParameter(f"{file}: {reason}", param_hint="--password-file") from None
    if not line.rstrip("\r\n"):
        raise click.BadParameter(f"{file}: its first line is empty", param_hint="--password-file")
    return Secret(line.rstrip("\r\n"))
