"""How long the console takes over a large directory, and what a refused plan of many changes takes.

    python -m benchmarks.console [--users N] [--removed N] [--times N]

Server time of each page, as the application makes it for a signed-in operator, without a network: the median, and the
time within which 95 of 100 came. The directory is on SQLite; a plan that removes some of its users was refused.
Asserted: 95 of 100 come within 100 ms, of a search 150, of a plan 300; the overview weighs at most 200 KB with all that
it loads; a download of the plan holds at most 16 MiB.
"""

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.directories import Shape, publish_shape
from benchmarks.harness import record, table
from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.migrations import open_database
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.user_names import settle_names
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from connector.web.console.assets import read_assets
from tests.store.population import POOL, Directory, stage, team
from tests.web.console.conftest import Browser, make_console

PAGE_SECONDS, SEARCH_SECONDS, PLAN_SECONDS = 0.1, 0.15, 0.3
OVERVIEW_BYTES = 200_000
DOWNLOAD_MIB = 16.0


@dataclass(frozen=True, slots=True)
class Timed:
    """What one page took, in seconds."""

    page: str
    goal: float
    seconds: tuple[float, ...]

    @property
    def p95(self) -> float:
        """The time within which 95 of 100 came."""
        return statistics.quantiles(self.seconds, n=20, method="inclusive")[-1]

    def row(self) -> tuple[str, ...]:
        """Return the line of the table."""
        met = "yes" if self.p95 <= self.goal else "no"
        return (
            self.page,
            f"{statistics.median(self.seconds) * 1000:.1f}",
            f"{self.p95 * 1000:.1f}",
            f"{self.goal * 1000:.0f}",
            met,
        )


def refuse(database: Database, shape: Shape, removed: int) -> int:
    """Leave a refused plan waiting that removes some users, and return its run."""
    with begin(database, RunKind.SYNC, cause=Cause.SCHEDULE) as run:
        kept = islice(shape.people(), shape.users - removed)
        left = {shape.user_id(number) for number in range(shape.users - removed)}
        members = {group: [one for one in ids if one in left] for group, ids in shape.members().items()}
        teams = [team(f"g{number}") for number in range(shape.groups)]
        staging = stage(database, run.id, Directory(kept, teams, members))
        settle_names(database, run.id)
        note_changes(database, run.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        changes = {
            "users": {"created": 0, "updated": 0, "removed": removed},
            "groups": {"created": 0, "updated": shape.groups, "removed": 0},
            "memberships": {"added": 0, "removed": 0},
        }
        counts = {"users": shape.users - removed, "groups": shape.groups, "memberships": 0, "changes": changes}
        told = {"reasons": ["too many would be removed"], "reason": "too many would be removed", "rejected": 0}
        run.end(RunOutcome.REFUSED, {"run": run.id, "digest": plan.digest, "generation": plan.base, **counts, **told})
    return run.id


def time_page(browser: Browser, path: str, goal: float, times: int) -> Timed:
    """Ask for a page again and again; the first time does not count."""
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        answer = browser.http.get(f"/console{path}", base_url=browser.base_url)
        taken.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    return Timed(path or "overview", goal, tuple(taken[1:]))


def weigh_overview(browser: Browser) -> int:
    """Return the bytes of the first page and all that it loads, uncompressed."""
    page = browser.http.get("/console", base_url=browser.base_url)
    return len(page.data) + sum(len(asset.content) for asset in read_assets().values())


def stream(browser: Browser, run: int) -> tuple[float, int, float]:
    """Return the seconds, the lines and the most MiB held of a download."""
    tracemalloc.start()
    began, lines = time.perf_counter(), 0
    answer = browser.http.get(f"/console/runs/{run}/changes.csv", base_url=browser.base_url, buffered=False)
    for part in answer.response:
        lines += (part if isinstance(part, bytes) else part.encode()).count(b"\n")
    seconds, most = time.perf_counter() - began, tracemalloc.get_traced_memory()[1] / 1024**2
    tracemalloc.stop()
    return seconds, lines, most


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, record and assert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--removed", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40)
    asked = parser.parse_args(arguments)
    shape = Shape(asked.users, groups=100, largest=asked.users // 2, each=2)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store.db")
        publish_shape(shape, store)
        with closing(open_database(f"sqlite:///{store}")) as database:
            run = refuse(database, shape, asked.removed)
            measure(make_console(database).signed_in(), shape, run, asked.times)


def measure(browser: Browser, shape: Shape, run: int, times: int) -> None:
    """Time every page, and say what came out."""
    user = shape.user_id(shape.users // 2)
    pages: list[tuple[str, float]] = [
        *((path, PAGE_SECONDS) for path in ("", "/checks", "/runs", "/users", "/groups", "/importers", "/settings")),
        (f"/users/{user}", PAGE_SECONDS),
        (f"/users?q={shape.user_name(shape.users // 2)[:-2]}", SEARCH_SECONDS),
        ("/missing?q=nobody", SEARCH_SECONDS),
        (f"/runs/{run}", PLAN_SECONDS),
        (f"/runs/{run}/changes?change=removed", PLAN_SECONDS),
    ]
    timed = [time_page(browser, path, goal, times) for path, goal in pages]
    weight = weigh_overview(browser)
    seconds, lines, most = stream(browser, run)
    facts = (
        f"The overview with all that it loads: {weight:,} bytes (at most {OVERVIEW_BYTES:,}). The plan as CSV:"
        f" {lines:,} lines in {seconds:.1f} s, at most {most:.1f} MiB held (at most {DOWNLOAD_MIB:.0f})."
    )
    rows = table(("Page", "median ms", "95 % within ms", "goal", "met"), (one.row() for one in timed))
    record("console", "The console over a large directory", f"{shape}.\n\n{rows}\n\n{facts}", timed)
    missed = [one.page for one in timed if one.p95 > one.goal]
    if missed or weight > OVERVIEW_BYTES or most > DOWNLOAD_MIB:
        raise SystemExit(f"a goal was missed: {', '.join(missed) or facts}")


if __name__ == "__main__":
    main()
