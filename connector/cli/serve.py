"""`serve`: the SCIM endpoint, the API, the schedule, and the runs that either asks for."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import click

from connector.bootstrap.from_settings import schedules_of
from connector.bootstrap.runs import clients_of, name_configuration, name_store, remarks_on_store
from connector.bootstrap.serving import reader_of, runner_of, web_services
from connector.cli.invocation import Invocation, pass_invocation, say
from connector.config import Settings
from connector.scim.base_url import scim_base_url
from connector.server import address, server
from connector.web.app import create_app

_LOG_LEVEL = "info"
_log = logging.getLogger(__name__)


@click.command()
@pass_invocation
def serve(invocation: Invocation) -> None:
    """Serve the published directory as SCIM 2.0, and sync by the schedule, until Ctrl-C or SIGTERM."""
    invocation.start_logging(default=_LOG_LEVEL)
    settings = invocation.settings(reads_pool=False)
    with clients_of(settings) as clients:  # closed before the server forks
        if not clients.any():
            _log.warning(
                "there is no client, so every request is answered with 401; run: cognito-scim client create NAME"
            )
        known = len([one for one in clients.list() if one.revoked_at is None])
    for remark in remarks_on_store(settings):
        _log.warning("%s %s", remark.detail, remark.remedy)
    for line in _introduce(settings, known):
        _log.info("%s", line)
    serve_settings(settings, execute_command(invocation))


def _introduce(settings: Settings, clients: int) -> Iterator[str]:
    """Yield what is served, from where, and when it is brought up to date; then say the address."""
    yield f"Configuration: {name_configuration(settings)}"
    yield f"Store: {name_store(settings)}"
    with reader_of(settings) as reader:
        newest = reader.newest()
    yield f"Generation: {newest.number} of {newest.published_at}" if newest else "Generation: none is published yet"
    schedule = schedules_of(settings).sync
    if not settings.cognito.user_pool_id:
        yield "User pool: none is configured, so syncs fail (cognito.user_pool_id); what is published is served"
    elif schedule is None:
        yield "Schedule: none, so nothing is synced unless it is asked for (sync.schedule)"
    else:
        following = next(schedule.slots_after(datetime.now(UTC)))
        yield f"Schedule: {schedule.text}, next at {following:%Y-%m-%dT%H:%M:%SZ}"
    yield f"Clients: {clients}"


def execute_command(invocation: Invocation) -> list[str]:
    """Return the beginning of the command that executes a run as this command would: same configuration, same log."""
    named = ["--config", str(invocation.config)] if invocation.config else []
    log = ["--log-level", invocation.log_level or _LOG_LEVEL, "--log-format", invocation.log_format]
    return [sys.executable, "-m", "connector", *named, *log, "execute-run"]


def serve_settings(settings: Settings, command: Sequence[str]) -> None:
    """Serve as the configuration says.

    Args:
        settings: the configuration.
        command: the beginning of the command that executes a run.

    Raises:
        ConfigError: the address, the port or the certificate cannot be used.
        ConnectorError: the application did not start.
    """
    exposure = address.Exposure(**{name: getattr(settings.server, name) for name in address.Exposure.__slots__})
    listener = address.listen(exposure)
    port = listener.getsockname()[1]

    def start_runner(is_wanted: Callable[[], bool]) -> Callable[[], None]:
        runner = runner_of(settings, command, is_wanted)
        runner.start()
        return runner.stop

    server.serve(
        lambda: create_app(web_services(settings, port=port)),
        start_runner,
        listener,
        exposure,
        lambda: say(
            f"SCIM base URL: {scim_base_url(settings.server.base_url(port))}\n"
            f"Console: {settings.server.base_url(port)}/console/"
        ),
    )
