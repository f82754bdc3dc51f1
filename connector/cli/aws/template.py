"""`aws template`: the AWS side as a file."""

import sys
from pathlib import Path
from typing import Any

import click

from connector.bootstrap.aws_side import AwsOptions, ConfigPlace, wishes_of
from connector.cli.aws import options
from connector.cli.aws.options import with_options
from connector.cli.invocation import Invocation, pass_invocation, telling
from connector.provisioning.design.arns import parse_pool_arn
from connector.provisioning.template.formats import FORMATS, render


@click.command()
@click.argument("pool_arn")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True, help="What the file is for.")
@with_options(*options.design)
@pass_invocation
def template(invocation: Invocation, /, form: str, **asked: Any) -> None:
    """Print what `aws apply` would make for the pool POOL_ARN as a file; it holds no secret.

    Nothing is asked of AWS. Once the file is used, `aws apply` finds what it made, makes the key, and configures.
    """
    wanted = AwsOptions(**asked)
    place = ConfigPlace(invocation.config or Path("config.yaml"), invocation.environment)
    text = render(form, wishes_of(wanted, parse_pool_arn(wanted.pool_arn), place))
    with telling():
        sys.stdout.write(text)
