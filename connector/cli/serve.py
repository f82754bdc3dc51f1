"""`serve`: the SCIM endpoint, the API, the schedule, and the runs that either asks for."""

import logging
import sys
from collections.abc import Callable, Sequence

import click

from connector.bootstrap.runs import clients_of, remarks_on_store
from connector.bootstrap.serving import runner_of, web_services
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
    for remark in remarks_on_store(settings):
        _log.warning("%s %s", remark.detail, remark.remedy)
    serve_settings(settings, execute_command(invocation))


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
        lambda: say(f"SCIM base URL: {scim_base_url(settings.server.base_url(port))}"),
    )
