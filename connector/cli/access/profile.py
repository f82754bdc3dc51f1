"""`profile install`: put a login into the AWS files."""

from typing import Any

import click

from connector.access.aws_profiles import Installed, check_profile_name, install_keys, install_process
from connector.bootstrap.logins import describe_command, process_command, register_credentials
from connector.cli.access.login import profile_option, session_of
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, say
from connector.config import find_config


@click.group()
def profile() -> None:
    """Profiles of the AWS configuration files."""


@profile.command()
@click.argument("name")
@profile_option
@click.option("--keys", is_flag=True, help="Write the credentials themselves, which end, instead of the command.")
@click.option("--region", default="", help="Region that the profile names; login.lambda_region if left out.")
@click.option("--overwrite", is_flag=True, help="Replace what somebody else has set; it stays as a comment.")
@json_option
@pass_invocation
def install(invocation: Invocation, /, name: str, profile: str, *, overwrite: bool, **asked: Any) -> None:
    """Let every AWS tool find the login under the profile NAME.

    The profile gets a credential_process, so that credentials are renewed as long as the session lives.
    """
    try:
        check_profile_name(name)
    except ValueError as error:
        raise click.BadParameter(f"{name!r} {error}", param_hint="NAME") from None
    _, session = session_of(invocation, profile)
    region, environment = asked["region"] or session.plan.region, invocation.environment
    if asked["keys"]:
        found = session.credentials()
        register_credentials(found)
        done = install_keys(name, found, region, environment, overwrite=overwrite)
        how = "keys"
    else:
        command = process_command(find_config(invocation.config, environment), profile)
        done = install_process(name, command, region, environment, overwrite=overwrite)
        how = describe_command(command)
    _report(invocation, done, how)


def _report(invocation: Invocation, done: Installed, how: str) -> None:
    if invocation.json:
        print_json({"profile": done.profile, "file": done.file, "how": how, "replaced": list(done.replaced)})
        return
    say(f"Profile {done.profile} is in {done.file}. Try: aws --profile {done.profile} sts get-caller-identity")
    if done.replaced:
        say(f"  Kept as a comment: {', '.join(done.replaced)}")
