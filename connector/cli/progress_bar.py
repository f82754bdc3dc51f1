"""How far a run has come, on a terminal; nothing anywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from connector.sync.progress import Progress, Silence


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give whoever shows the progress: a bar on stderr if that is a terminal, else nobody."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield Silence()
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[counts]}"))
    with Bar(*columns, TimeElapsedColumn(), console=console, transient=True, redirect_stdout=False) as bar:
        yield _Shown(bar)


class _Shown:
    """Shows the counts of a run; how many there will be, Cognito does not say."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, counts="")

    def report(self, phase: str, **counts: int) -> None:
        """Show the phase and the counts."""
        shown = [f"{number:,} {noun}" for noun, number in counts.items() if number or noun != "throttled"]
        self._bar.update(self._task, description=phase, counts=", ".join(shown))
