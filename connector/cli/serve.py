"""`serve`: the SCIM endpoint."""

import logging

import click

from connector import server
from connector.bootstrap import clients_of, web_services
from connector.cli.invocation import Invocation, pass_invocation, say
from connector.config import Settings
from connector.web.app import create_app

_log = logging.getLogger(__name__)


@click.command()
@pass_invocation
def serve(invocation: Invocation) -> None:
    """Serve the published directory as SCIM 2.0 until Ctrl-C or SIGTERM."""
    invocation.start_logging(default="info")
    settings = invocation.settings(reads_pool=False)
    with clients_of(settings) as clients:  # closed before the server forks
        if not clients.any():
            _log.warning(
                "there is no client, so every request is answered with 401; run: cognito-scim client create NAME"
            )
    serve_settings(settings)


def serve_settings(settings: Settings) -> None:
    """Serve as the configuration says.

    Raises:
        ConfigError: the address, the port or the certificate cannot be used.
        ConnectorError: the application did not start.
    """
    exposure = server.Exposure(**{name: getattr(settings.server, name) for name in server.Exposure.__slots__})
    listener = server.listen(exposure)
    port = listener.getsockname()[1]
    server.serve(
        lambda: create_app(web_services(settings, port=port)),
        listener,
        exposure,
        lambda: say(f"SCIM base URL: {settings.server.base_url(port)}/scim/v2"),
    )
