"""The group `aws`; each of its commands is imported when it is called."""

import click

from connector.cli.lazy import LazyGroup

COMMANDS = {
    "apply": "connector.cli.aws.apply:apply",
    "plan": "connector.cli.aws.apply:plan",
    "rotate-key": "connector.cli.aws.upkeep:rotate_key",
    "teardown": "connector.cli.aws.apply:teardown",
    "template": "connector.cli.aws.template:template",
    "verify": "connector.cli.aws.upkeep:verify",
}
"""Where each command is."""


@click.group(cls=LazyGroup, places=COMMANDS)
def aws() -> None:
    """Set up the AWS side and look after it, as the caller of the environment or of --profile."""
