"""The options that commands of the AWS side share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from connector.provisioning.design.principals import FORMS, SERVICE_USER

Command = TypeVar("Command", bound=Callable[..., Any])

pool = click.argument("pool_arn", required=False, default="")
profile = click.option("--profile", default="", help="Profile of the AWS configuration files that acts.")
yes = click.option("--yes", is_flag=True, help="Ask nothing.")
vault = click.option("--vault", default="", metavar="VAULT", help="secretsmanager:NAME keeps key and ExternalId there.")
adopt = click.option("--adopt", is_flag=True, help="Change objects too that this program did not make.")
names = (
    click.option("--prefix", default="", help="Begins the name of everything that is made."),
    click.option("--path", default="/", show_default=True, help="IAM path of everything that is made."),
)
queue = click.option("--queue", default="", metavar="ARN", help="The queue of the change feed.")
principal = click.option(
    "--principal", default=SERVICE_USER, show_default=True, metavar="WHO", help=f"Who assumes the role: {FORMS}."
)
rotation = (
    click.option("--rotate", multiple=True, metavar="NAME", help="A user or group of the pool, for the rotation role."),
    click.option("--rotate-iam-user", multiple=True, metavar="NAME", help="An IAM user, for the rotation role."),
    click.option("--rotate-secret", multiple=True, metavar="ARN", help="A secret that keeps a rotated password."),
)
design = (*names, principal, *rotation, queue)


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a command several options."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
