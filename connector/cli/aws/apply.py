"""`aws plan`, `aws apply` and `aws teardown`: the AWS side is shown, made and taken away."""

import sys
from typing import Any

import click

from connector.bootstrap.aws_side import AwsOptions, ConfigPlace, set_up_of, settings_after, tear_down_of
from connector.bootstrap.runs import run_checks
from connector.checks.check_run import describe_checks, is_passed
from connector.cli.aws import options
from connector.cli.aws.display import form_of, show_form, show_plan
from connector.cli.aws.options import with_options
from connector.cli.check import FAILED_EXIT, sum_up, tell_check
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say, say_aside
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.changes.carry_out import refuse
from connector.provisioning.changes.plan import Plan
from connector.provisioning.changes.set_up import SetUp
from connector.provisioning.changes.tear_down import TearDown
from connector.provisioning.design.principals import ServiceUser


@click.command()
@with_options(options.pool, options.profile, *options.design, options.vault, options.adopt, json_option)
@pass_invocation
def plan(invocation: Invocation, /, **asked: Any) -> None:
    """Show what would be made for the pool POOL_ARN, and which rights are lacking; writes nothing."""
    found = _set_up(invocation, asked).plan()
    if invocation.json:
        print_json(found.as_json())
    else:
        show_plan(found)


@click.command()
@with_options(options.pool, options.profile, *options.design, options.vault, options.adopt, options.yes, json_option)
@click.option("--show-secret", is_flag=True, help="Print the secret access key and the ExternalId too.")
@pass_invocation
def apply(invocation: Invocation, /, *, yes: bool, show_secret: bool, **asked: Any) -> int:
    """Make for the pool POOL_ARN what `aws plan` shows, write the configuration, and check it.

    Interrupted at any point, the same command goes on from there.
    """
    return apply_and_check(invocation, AwsOptions(**asked), yes=yes, show_secret=show_secret)


@click.command()
@with_options(options.pool, options.profile, *options.names, options.vault, options.yes, json_option)
@pass_invocation
def teardown(invocation: Invocation, /, *, yes: bool, **asked: Any) -> None:
    """Show and remove exactly what was made and tagged for the pool POOL_ARN, access first."""
    place = ConfigPlace(invocation.config, invocation.environment)
    tear_down = tear_down_of(AwsOptions(**asked), place, Consistency(say_aside))
    agreed = _agree_and_carry_out(invocation, tear_down, "Remove all of this?", yes=yes)
    if invocation.json:
        print_json(agreed.as_json())


def apply_and_check(invocation: Invocation, asked: AwsOptions, *, yes: bool, show_secret: bool = False) -> int:
    """Set up what is asked for, check it, and return the exit code."""
    place = ConfigPlace(invocation.config, invocation.environment)
    set_up = set_up_of(asked, place, Consistency(say_aside))
    agreed = _agree_and_carry_out(invocation, set_up, "Make these changes?", yes=yes)
    pool, form = set_up.wishes.pool, form_of(set_up, show_secret=show_secret)
    checks = []
    checkable = _is_caller_of_the_role(set_up)
    if checkable:
        for done in run_checks(settings_after(set_up, place)):
            checks.append(done)
            if not invocation.json:
                tell_check(done)
    if invocation.json:
        told = {"role_arn": set_up.wishes.role_arn, "user_pool_id": pool.pool_id, "region": pool.region}
        print_json({**agreed.as_json(), **told, "form": form, **describe_checks(checks)})
    else:
        say(sum_up(checks) if checkable else f"Run `cognito-scim check` as {set_up.wishes.principal_arn}.")
        show_form(form)
    return 0 if is_passed(checks) else FAILED_EXIT


def _agree_and_carry_out(invocation: Invocation, change: SetUp | TearDown, question: str, *, yes: bool) -> Plan:
    """Show what a change would do, ask about it where anything is pending, do it, and return what was agreed."""
    agreed = change.plan()
    if not invocation.json:
        show_plan(agreed)
    refuse(agreed)
    if agreed.pending:
        confirm(question, yes=yes)
        change.carry_out(agreed)
    return agreed


def confirm(question: str, *, yes: bool) -> None:
    """Ask a question, and end the command unless it is answered with yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here; say --yes.")
    click.confirm(question, abort=True, err=True)


def _set_up(invocation: Invocation, asked: dict[str, Any]) -> SetUp:
    place = ConfigPlace(invocation.config, invocation.environment)
    return set_up_of(AwsOptions(**asked), place, Consistency(say_aside))


def _is_caller_of_the_role(set_up: SetUp) -> bool:
    """Tell whether a check can assume the role from here: with the service user's key, or as the principal itself."""
    principal = set_up.wishes.principal_arn
    return isinstance(set_up.wishes.principal, ServiceUser) or set_up.caller.identity.arn == principal
