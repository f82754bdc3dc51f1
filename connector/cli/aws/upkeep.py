"""`aws verify` and `aws rotate-key`: whether the AWS side still is as it was made, and a new key for it."""

import logging
from typing import Any

import click

from connector.bootstrap.aws_side import AwsOptions, ConfigPlace, record_findings, rotate_key_of, verification_of
from connector.cli.aws import options
from connector.cli.aws.display import show_findings, show_key_rotation
from connector.cli.aws.options import with_options
from connector.cli.check import FAILED_EXIT
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say_aside
from connector.errors import ConfigError, StoreError
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.verify.findings import as_json, is_ok

_log = logging.getLogger(__name__)


@click.command()
@with_options(options.pool, options.profile, *options.names, options.principal, options.queue, json_option)
@pass_invocation
def verify(invocation: Invocation, /, **asked: Any) -> int:
    """Look whether the AWS side of the pool POOL_ARN still is as it should be; changes nothing.

    Ends with 4 where a finding is an error. The last result stands in metrics and console.
    """
    place = ConfigPlace(invocation.config, invocation.environment)
    verification = verification_of(AwsOptions(**asked), place)
    findings = verification.findings()
    try:
        record_findings(place, verification, findings)
    except (ConfigError, StoreError) as fault:
        _log.warning("this look at the AWS side is not on record: %s", fault)
    if invocation.json:
        print_json(as_json(findings))
    else:
        show_findings(findings)
    return 0 if is_ok(findings) else FAILED_EXIT


@click.command("rotate-key")
@with_options(options.profile, options.vault, options.adopt, json_option)
@click.option("--finish", is_flag=True, help="Only end what an earlier rotation began, and delete the key it replaced.")
@pass_invocation
def rotate_key(invocation: Invocation, /, *, finish: bool, **asked: Any) -> None:
    """Give the service user a new access key, proved before it takes the place of the old one.

    The old one is deactivated, and deleted by the next rotation or by --finish. A key that something else used within a
    day is not removed.
    """
    place = ConfigPlace(invocation.config, invocation.environment)
    rotation = rotate_key_of(AwsOptions(**asked), place, Consistency(say_aside))
    done = rotation.finish() if finish else rotation.rotate()
    if invocation.json:
        print_json(done.as_json())
    else:
        show_key_rotation(done)
