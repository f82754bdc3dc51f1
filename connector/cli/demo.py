"""`demo`: the whole product on this machine, against an embedded pool with a sample directory."""

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Never

import click

from connector.checks.connectivity import Check, Status
from connector.cli.check import sum_up, tell_check
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say
from connector.cli.progress_bar import progress_bar
from connector.directory.counts import count_of
from connector.errors import ConfigError, install_extra
from connector.sync.progress import Progress
from connector.sync.result import SyncResult

if TYPE_CHECKING:  # what they import is there only with the extra `demo`
    from connector.demo.demonstration import DemoStage, Endpoint
    from connector.demo.walk import Comparison

_PARTS_OF_EXTRA = frozenset({"flask_cors", "httpx2", "moto", "scim2_client"})


@click.command()
@click.option("--once", is_flag=True, help="End after a SCIM client has read everything.")
@click.option("--users", type=click.IntRange(min=0), default=250, show_default=True, help="Users in the pool.")
@click.option("--groups", type=click.IntRange(min=1), default=12, show_default=True, help="Groups in the pool.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port to serve on; 0 takes any."
)
@json_option
@pass_invocation
def demo(invocation: Invocation, *, once: bool, users: int, groups: int, port: int) -> int:
    """Show everything at work on this machine, without AWS.

    Starts a user pool with a sample directory inside this process, runs Test Connectivity and a full sync, and serves
    the directory until Ctrl-C. With --once a SCIM client walks it instead, and the command ends with 0 if the client
    met everybody.
    """
    story = _import_story()
    audience = _Listener() if invocation.json else _Spectator()
    try:
        with _stopped_by_signals():
            told = story.tell(story.DemoOptions(users, groups, port, once=once), audience)
    except KeyboardInterrupt:
        if once:
            raise
        click.echo("\nEnded; nothing is left behind.", err=True)
        return 0
    if isinstance(audience, _Listener):
        print_json({"ok": told, **audience.heard})
    return 0 if told else 1


def _import_story() -> Any:
    try:
        from connector.demo import demonstration as story  # noqa: PLC0415 - every other command works without the extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PARTS_OF_EXTRA:
            raise
        raise ConfigError(
            f"The demonstration needs {error.name}, which is not installed.",
            remedy=install_extra("demo"),
        ) from None
    return story


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM or a closed terminal end the block, and no second one disturb the tidying up."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    numbers = [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]  # as nohup has it

    def stop(_number: int, _frame: FrameType | None) -> Never:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Spectator:
    """Somebody at a terminal."""

    def see_stage(self, stage: "DemoStage") -> None:
        pool, port = stage.pool, stage.settings.server.port
        size = f"{count_of(pool.count_users(), 'user')} and {count_of(pool.count_groups(), 'group')}"
        say(f"A user pool with {size} runs in this process:")
        say(f"  {pool.pool_id} at {pool.endpoint}")
        say(f"  Its role {pool.role_arn} asks for an ExternalId.")
        if stage.wanted_port not in {0, port}:
            say(f"  Port {stage.wanted_port} is taken, so the directory will be served on port {port}.")

    def watch_checks(self, checks: Iterator[Check]) -> bool:
        _title("Test Connectivity")
        done = []
        for check in checks:
            done.append(check)
            tell_check(check)
        say(sum_up(done))
        return _is_passed(done)

    def watch_sync(self) -> AbstractContextManager[Progress]:
        _title("Full sync")
        return progress_bar()

    def see_sync(self, result: SyncResult) -> None:
        say(result.sentence())

    def see_endpoint(self, endpoint: "Endpoint", config: Path) -> None:
        _title("The directory is served")
        say(f"Console        {endpoint.console_url}")
        say(f"  Name         {endpoint.operator}")
        say(f"  Token        {endpoint.operator_token}")
        say(f"SCIM base URL  {endpoint.base_url}")
        say(f"Bearer token   {endpoint.token}")
        say("\nRead it, here or in another terminal:")
        say(f"  curl -s -H 'Authorization: Bearer {endpoint.token}' '{endpoint.base_url}/Users?startIndex=1&count=2'")
        say(f"  {shlex.join([*_own_command(), '--config', str(config), 'list', 'users'])}")
        say("\nCtrl-C ends it.")

    def see_walk(self, comparison: "Comparison") -> None:
        _title("A SCIM client reads everything")
        say(comparison.sentence())


@dataclass(slots=True)
class _Listener:
    """A program: hears the same story as one JSON document."""

    heard: dict[str, Any] = field(default_factory=dict)

    def see_stage(self, stage: "DemoStage") -> None:
        self.heard["pool"] = {"users": stage.pool.count_users(), "groups": stage.pool.count_groups()}

    def watch_checks(self, checks: Iterator[Check]) -> bool:
        done = list(checks)
        self.heard["checks"] = [asdict(check) for check in done]
        return _is_passed(done)

    def watch_sync(self) -> AbstractContextManager[Progress]:
        return progress_bar()

    def see_sync(self, result: SyncResult) -> None:
        self.heard["sync"] = result.as_json()

    def see_endpoint(self, endpoint: "Endpoint", config: Path) -> None:
        print_json({**asdict(endpoint), "config": str(config), **self.heard})

    def see_walk(self, comparison: "Comparison") -> None:
        self.heard["walked"] = asdict(comparison.walk)


def _own_command() -> list[str]:
    """Return how this program was called, to be called so again: it need not be on the path."""
    return [sys.argv[0]] if Path(sys.argv[0]).name == "cognito-scim" else [sys.executable, "-m", "connector"]


def _is_passed(checks: list[Check]) -> bool:
    return all(check.status is not Status.FAILED for check in checks)


def _title(text: str) -> None:
    click.secho(f"\n{text}", bold=True)
