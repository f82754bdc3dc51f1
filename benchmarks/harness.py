"""Run commands in turns and say what each took: wall time, processor time and peak memory of the whole process.

Peers take turns, so that a machine that slows down slows all of them down; the median of several turns counts.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RESULTS = Path(__file__).with_name("results")
_KIB = 1024  # getrusage tells ru_maxrss in KiB on Linux, in bytes on macOS
_RSS_UNIT = 1 if sys.platform == "darwin" else _KIB


@dataclass(frozen=True, slots=True)
class Turn:
    """What one run of a command took, and the JSON document that it printed."""

    seconds: float
    cpu_seconds: float
    peak_rss: int
    output: Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a quantity over several turns, and how far it strayed."""

    median: float
    least: float
    most: float

    def show(self, form: str) -> str:
        """Return `median (least to most)`, each in the given form."""
        return f"{self.median:{form}} ({self.least:{form}} to {self.most:{form}})"


@dataclass(frozen=True, slots=True)
class Measured:
    """All turns of one command."""

    name: str
    turns: tuple[Turn, ...]

    @property
    def output(self) -> Any:
        """What the last turn printed."""
        return self.turns[-1].output

    def spread(self, quantity: Callable[[Turn], float]) -> Spread:
        """Return how a quantity came out."""
        values = [quantity(turn) for turn in self.turns]
        return Spread(statistics.median(values), min(values), max(values))

    @property
    def seconds(self) -> Spread:
        """Wall time."""
        return self.spread(lambda turn: turn.seconds)

    @property
    def cpu_seconds(self) -> Spread:
        """Processor time, of the process and the children it waited for."""
        return self.spread(lambda turn: turn.cpu_seconds)

    @property
    def peak_mib(self) -> Spread:
        """Peak resident memory in MiB."""
        return self.spread(lambda turn: turn.peak_rss / 1024**2)


@dataclass(frozen=True, slots=True)
class Peer:
    """A command that takes part; `prepare` is called before each of its turns."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    prepare: Callable[[], object] = lambda: None


def take_turns(peers: Iterable[Peer], turns: int) -> dict[str, Measured]:
    """Run each peer once, then each once more, and so on."""
    peers = list(peers)
    taken: dict[str, list[Turn]] = {peer.name: [] for peer in peers}
    for number in range(1, turns + 1):
        for peer in peers:
            peer.prepare()
            turn = run_once(peer.command, peer.environment)
            taken[peer.name].append(turn)
            print(f"  turn {number}: {peer.name}: {turn.seconds:.2f} s, {turn.peak_rss / 1024**2:.0f} MiB", flush=True)
    return {name: Measured(name, tuple(done)) for name, done in taken.items()}


def run_once(command: Sequence[str], environment: Mapping[str, str]) -> Turn:
    """Run a command that prints one JSON document, and measure it.

    The kernel counts what this process holds when it starts the command towards the command's peak, so keep it small.

    Raises:
        SystemExit: the command failed.
    """
    # What is installed has its modules compiled; so has what is measured, whatever this machine says of its own files.
    compiled = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=compiled) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Turn(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT, json.loads(printed))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def record(name: str, title: str, text: str, measured: "Iterable[DataclassInstance]") -> None:
    """Print a result, and keep it as Markdown beside every single turn as JSON."""
    page = f"# {title}\n\n{text}\n"
    print(f"\n{page}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(page)
    (RESULTS / f"{name}.json").write_text("[\n" + ",\n".join(json.dumps(asdict(one)) for one in measured) + "\n]\n")
