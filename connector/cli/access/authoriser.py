"""The entry points `aws-cognito-auth` and `aws-cognito-admin`: the commands of the Cognito Authoriser as they were.

Their options, prompts, variables, files and profile names are kept; docs/reference/cognito-authoriser.md says where
they do more. Our own configuration file is not read here.
"""

import json
import os
from typing import Any

import click

from connector.access.aws_files import AwsFile, credentials_file
from connector.access.aws_profiles import check_keys_may_go, install_keys
from connector.access.federation import by_identity_pool, by_proxy
from connector.access.login_session import LoginSession
from connector.access.model import AwsCredentials, Federation, Tokens
from connector.access.store import write_private
from connector.bootstrap.logins import open_login, plan_of, register_credentials
from connector.cli.access.admin import admin
from connector.cli.access.login import local_time, password_option, profile_option, signer_in
from connector.cli.invocation import Invocation, pass_invocation, say, say_aside
from connector.cli.main import run_program
from connector.config.authoriser import FIELDS, file_of, read_file
from connector.errors import ConfigError, LoginError

_QUESTIONS = {
    "user_pool_id": "Cognito User Pool ID",
    "client_id": "Cognito User Pool Client ID",
    "identity_pool_id": "Cognito Identity Pool ID",
    "region": "AWS Region (optional, the user pool's if left empty)",
}
_EXPORTS = {
    "user_pool_id": "COGNITO_USER_POOL_ID",
    "client_id": "COGNITO_CLIENT_ID",
    "identity_pool_id": "COGNITO_IDENTITY_POOL_ID",
    "region": "AWS_REGION",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cognito-scim", message="%(prog)s %(version)s")
@click.pass_obj
def auth(invocation: Invocation) -> None:
    """Get temporary AWS credentials through a Cognito user pool and identity pool."""
    invocation.log_level = "debug" if os.environ.get("BOTO_DEBUG") else None
    invocation.start_logging()


@auth.command()
@pass_invocation
def configure(invocation: Invocation) -> None:
    """Ask for the pools, and keep them in ~/.cognito-cli-config.json."""
    path = file_of(invocation.environment)
    try:
        before = read_file(invocation.environment)
    except ConfigError:
        before = {}  # what is broken is what this command replaces
    found = {}
    for name, question in _QUESTIONS.items():
        optional = name == "region"
        answer = click.prompt(question, default=before.get(name, "" if optional else None), show_default=name in before)
        if answer.strip():
            found[name] = answer.strip()
    plan_of(
        invocation.login_settings(own_file=False, said=found), federation=Federation.LAMBDA
    )  # finds a slip of the pen
    try:
        write_private(path, json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", remedy="Set the COGNITO_* variables."
        ) from None
    say(f"Configuration saved to {path}")


@auth.command()
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show the configuration, where each value comes from, and what the AWS credentials file has."""
    environment = invocation.environment
    said, path = read_file(environment), file_of(environment)
    for name in FIELDS:
        value = environment.get(_EXPORTS[name]) or said.get(name)
        origin = _EXPORTS[name] if environment.get(_EXPORTS[name]) else path if value else "not set"
        say(f"{name:<17} {value or '-'} ({origin})")
    keys = AwsFile.read(credentials_file(environment))
    until = keys.settings("default").get("aws_credential_expiration")
    say(f"{'credentials file':<17} {keys.path} ({'there' if keys.lines else 'not there'})")
    if until:
        say(f"{'profile default':<17} until {until}")
    _settings_of(invocation)


@auth.command()
@click.option("-u", "--username", help="Username for authentication; asked for when left out.")
@profile_option
@click.option("--no-lambda-proxy", is_flag=True, help="Use the identity pool's one-hour credentials only.")
@click.option(
    "--duration", type=click.FloatRange(0.25, 12), default=12, show_default=True, help="Hours, by the Lambda proxy."
)
@click.option("--overwrite", is_flag=True, help="Replace keys of somebody else; they stay in the file as comments.")
@password_option
@pass_invocation
def login(invocation: Invocation, /, username: str | None, profile: str, *, overwrite: bool, **asked: Any) -> None:
    """Sign in, and write temporary credentials into an AWS profile.

    The credentials last as long as --duration where the Lambda proxy gives them; where it does not, an hour.
    """
    settings = _settings_of(invocation)
    check_keys_may_go(profile, invocation.environment, overwrite=overwrite)
    way = Federation.IDENTITY_POOL if asked["no_lambda_proxy"] else Federation.LAMBDA
    plan = plan_of(settings, federation=way, hours=asked["duration"])
    session = open_login(plan, settings, profile, invocation.environment)
    sign_in = signer_in(plan, username or settings.login.username, asked["password_file"])
    found = session.login(sign_in, exchange_by=lambda tokens: _exchange(session, tokens))
    install_keys(profile, found, plan.region, invocation.environment, overwrite=overwrite)
    say(f"AWS profile '{profile}' has been updated; its credentials expire at {local_time(found.expires)}")
    if found.arn:
        say(f"You are {found.arn}")


def _exchange(session: LoginSession, tokens: Tokens) -> AwsCredentials:
    """Get an hour's credentials, then longer ones if the proxy gives them."""
    say("Getting temporary credentials from Cognito Identity Pool...")
    first = by_identity_pool(session.doors, session.plan, tokens, now=session.now)
    register_credentials(first)
    say(f"Successfully obtained Identity Pool credentials (expires at {local_time(first.expires)})")
    if session.plan.federation is not Federation.LAMBDA:
        return session.complete(first)
    say("Attempting to upgrade to longer-lived credentials via Lambda proxy...")
    try:
        longer = by_proxy(session.doors, session.plan, tokens, first, now=session.now)
    except LoginError as error:
        say_aside(f"Lambda proxy failed: {error.message}")
        say_aside(f"  {error.remedy}")
        say_aside("  You keep the Identity Pool's credentials; --no-lambda-proxy does not try the proxy.")
        return session.complete(first)
    register_credentials(longer)
    say(f"Successfully upgraded to longer-lived credentials (expires at {local_time(longer.expires)})")
    return session.complete(longer)


def _settings_of(invocation: Invocation) -> Any:
    """Return the configuration.

    Raises:
        ConfigError: something is missing, or wrong.
    """
    settings = invocation.login_settings(own_file=False)
    given = {
        "user_pool_id": settings.cognito.user_pool_id,
        "client_id": settings.login.client_id,
        "identity_pool_id": settings.login.identity_pool_id,
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        exports = "".join(f"\n  export {_EXPORTS[name]}=..." for name in missing)
        raise ConfigError(
            f"Missing configuration: {', '.join(missing)}.", remedy=f"Run 'aws-cognito-auth configure', or:{exports}"
        )
    return settings


def run_auth() -> None:
    """Run `aws-cognito-auth` of this process."""
    run_program(auth, "aws-cognito-auth")


def run_admin() -> None:
    """Run `aws-cognito-admin` of this process."""
    run_program(admin, "aws-cognito-admin")
