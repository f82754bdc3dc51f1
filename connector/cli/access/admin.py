"""`admin`: what an administrator sets up for people's credentials; also `aws-cognito-admin`.

The caller is that of the environment or of `--profile`, never `aws.*`: who reads a pool is not who sets up an account.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError

from connector.cli.invocation import Command, Invocation, print_json, say, say_aside
from connector.config import Settings
from connector.errors import ConfigError, SetUpUnfit
from connector.logs import register_secret
from connector.provisioning.authoriser.administrator import Administrator
from connector.provisioning.authoriser.identity_pools import authenticated_role, region_of, set_up_identity_pool
from connector.provisioning.authoriser.isolation import Way, bucket_policy, table_policy
from connector.provisioning.authoriser.proxy_deployment import LONG_LIVED_ROLE, Key, ProxyPlan, deploy_proxy
from connector.provisioning.authoriser.roles import (
    exists,
    put_policy,
    read_policy_file,
    read_role,
    revoke_sessions,
)
from connector.provisioning.authoriser.templates import Document
from connector.provisioning.authoriser.web_identity import set_up_web_identity

WEB_IDENTITY_ROLE = "CognitoWebIdentityRole"


@dataclass(slots=True)
class Setup:
    """What the administrative commands share.

    Args:
        invocation: of the command.
        settings: which pools.
        profile: of the caller; empty takes the environment's.
    """

    invocation: Invocation
    settings: Settings
    profile: str

    def administrator(self, region: str = "") -> Administrator:
        """Return the caller, in a Region or in that of the pools.

        Raises:
            ConfigError: no Region is known, or there is no such profile.
        """
        login, pool = self.settings.login, self.settings.cognito.user_pool_id
        elsewhere = region_of(pool) if pool else login.identity_pool_id.partition(":")[0]
        region = region or login.lambda_region or elsewhere
        if not region:
            raise ConfigError("No Region is named.", remedy="Say --region, or run 'aws-cognito-auth configure'.")
        try:
            session = boto3.Session(profile_name=self.profile or None)
        except BotoCoreError:
            raise ConfigError(
                f"There is no AWS profile {self.profile!r}.", remedy="Name another with --profile."
            ) from None
        return Administrator(session, region, report=say_aside)

    def identity_pool(self, given: str) -> str:
        """Return the identity pool that is meant.

        Raises:
            ConfigError: none is named.
        """
        found = given or self.settings.login.identity_pool_id
        if not found:
            raise ConfigError(
                "No identity pool is named.", remedy="Say --identity-pool-id, or run 'aws-cognito-auth configure'."
            )
        return found

    def user_pool(self) -> tuple[str, str]:
        """Return the user pool and the app client.

        Raises:
            ConfigError: one of them is not named.
        """
        pool, client = self.settings.cognito.user_pool_id, self.settings.login.client_id
        if not (pool and client):
            raise ConfigError(
                "User pool and app client are not named.",
                remedy="Run 'aws-cognito-auth configure', or export COGNITO_USER_POOL_ID and COGNITO_CLIENT_ID.",
            )
        return pool, client


pass_setup = click.make_pass_decorator(Setup)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--profile", default="", help="AWS profile of whoever sets up; the environment's caller if left out.")
@click.pass_context
def admin(context: click.Context, profile: str) -> None:
    """Set up what people need for temporary credentials: pools, roles, policies, the Lambda proxy."""
    invocation = context.ensure_object(Invocation)
    invocation.start_logging()
    settings = invocation.login_settings(own_file=invocation.program == "cognito-scim")
    context.obj = Setup(invocation, settings, profile)


_identity_pool = click.option("--identity-pool-id", default="", help="Identity pool; the configured one if left out.")


def _json(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


@admin.group()
def role() -> None:
    """The role of people who are signed in."""


@role.command()
@_identity_pool
@_json
@pass_setup
def info(setup: Setup, /, identity_pool_id: str, *, as_json: bool) -> None:
    """Show the role of people who are signed in, and what it allows."""
    administrator = setup.administrator()
    found = read_role(administrator, authenticated_role(administrator, setup.identity_pool(identity_pool_id)))
    if as_json:
        print_json({"arn": found.arn, "name": found.name, "attached": found.attached, "inline": found.inline})
        return
    say(f"Role ARN   {found.arn}\nRole name  {found.name}")
    say(f"Managed    {', '.join(found.attached) or '-'}\nInline     {', '.join(found.inline) or '-'}")
    for name, document in found.inline.items():
        say(f"{name}:")
        print_json(document)


@role.command("apply-policy")
@click.option("--policy-file", required=True, type=click.Path(path_type=Path), help="JSON file with the policy.")
@click.option("--policy-name", required=True, help="Name of the policy.")
@_identity_pool
@pass_setup
def apply_policy(setup: Setup, /, policy_file: Path, policy_name: str, identity_pool_id: str) -> None:
    """Give the role of people who are signed in a policy of its own."""
    try:
        text = policy_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{policy_file} cannot be read: {reason}.", remedy="Name another file.") from None
    document = read_policy_file(text, str(policy_file))
    administrator = setup.administrator()
    arn = authenticated_role(administrator, setup.identity_pool(identity_pool_id))
    put_policy(administrator, arn.rpartition("/")[2], policy_name, document)
    say(f"Policy {policy_name} applied.")


@role.command("revoke-sessions")
@click.option("--role-name", default="", help="Another role than that of people who are signed in.")
@_identity_pool
@pass_setup
def revoke(setup: Setup, /, role_name: str, identity_pool_id: str) -> None:
    """Deny everything to every session of a role that was begun before now; sign-ins from now on are not touched.

    Disabling a user at the pool ends no session of AWS that was given out; this does.
    """
    administrator = setup.administrator()
    name = role_name or authenticated_role(administrator, setup.identity_pool(identity_pool_id)).rpartition("/")[2]
    before = datetime.now(UTC)
    revoke_sessions(administrator, name, before)
    say(f"Sessions of role {name} from before {before:%Y-%m-%d %H:%M:%S} UTC are denied everything.")


@admin.group()
def policy() -> None:
    """Policies that let people use a bucket or a table."""


_federation = click.option(
    "--federation",
    type=click.Choice([way.value for way in Way]),
    help="Only for people who come this way; for every way whose role is there if left out.",
)


@policy.command("create-s3-policy")
@click.option("--bucket-name", required=True, help="Name of the bucket.")
@click.option("--user-specific", is_flag=True, help="Each user has a folder, and sees nothing else.")
@_identity_pool
@_federation
@pass_setup
def create_s3_policy(setup: Setup, /, bucket_name: str, identity_pool_id: str, **asked: Any) -> None:
    """Let people use a bucket."""
    administrator, pool = setup.administrator(), setup.settings.cognito.user_pool_id
    for way, name in _roles(setup, administrator, identity_pool_id, asked["federation"]):
        try:
            made = bucket_policy(
                bucket_name, way, pool, region=administrator.region, user_specific=asked["user_specific"]
            )
        except ValueError as error:
            raise SetUpUnfit(f"{bucket_name!r} {error}.", remedy="Name another with --bucket-name.") from None
        _put(administrator, name, *made)


@policy.command("create-dynamodb-policy")
@click.option("--table-name", required=True, help="Name of the table.")
@click.option("--region", default="", help="Region of the table; the configured one if left out.")
@_identity_pool
@_federation
@pass_setup
def create_dynamodb_policy(setup: Setup, /, table_name: str, region: str, identity_pool_id: str, **asked: Any) -> None:
    """Let each user read and write the items of a table under its own key."""
    administrator, pool = setup.administrator(), setup.settings.cognito.user_pool_id
    for way, name in _roles(setup, administrator, identity_pool_id, asked["federation"]):
        try:
            made = table_policy(
                table_name, way, pool, region=region or administrator.region, account=administrator.account
            )
        except ValueError as error:
            raise SetUpUnfit(f"{table_name!r} {error}.", remedy="Name another with --table-name.") from None
        _put(administrator, name, *made)


def _roles(
    setup: Setup, administrator: Administrator, identity_pool_id: str, federation: str | None
) -> Iterator[tuple[Way, str]]:
    """Yield each way with the name of its role, so that nobody loses isolation by coming another way."""
    if federation in (None, Way.IDENTITY_POOL):
        arn = authenticated_role(administrator, setup.identity_pool(identity_pool_id))
        yield Way.IDENTITY_POOL, arn.rpartition("/")[2]
    if federation == Way.LAMBDA or (federation is None and exists(administrator, LONG_LIVED_ROLE)):
        yield Way.LAMBDA, LONG_LIVED_ROLE
    named = setup.settings.login.role_arn.rpartition("/")[2] or WEB_IDENTITY_ROLE
    if named == LONG_LIVED_ROLE:
        return
    knows_pool = bool(setup.settings.cognito.user_pool_id)
    if federation == Way.WEB_IDENTITY or (federation is None and knows_pool and exists(administrator, named)):
        setup.user_pool()
        yield Way.WEB_IDENTITY, named


def _put(administrator: Administrator, role_name: str, name: str, document: Document) -> None:
    put_policy(administrator, role_name, name, document)
    say(f"Policy {name} applied to role {role_name}.")


@admin.group("lambda")
def functions() -> None:
    """The Lambda proxy for twelve-hour credentials."""


@functions.command()
@click.option("--region", default="", help="Region of the function; the configured one if left out.")
@click.option("--access-key-id", default="", help="Key of an IAM user that is there, with which roles are assumed.")
@click.option(
    "--secret-access-key", default="", help="Its secret; - reads a line of stdin, which no process list shows."
)
@click.option("--create-user", is_flag=True, help="Make a user for the proxy, and keep its key in Secrets Manager.")
@click.option("--lambda-code", type=click.Path(path_type=Path), help="Zip to deploy instead of our own.")
@_identity_pool
@_json
@pass_setup
def deploy(setup: Setup, /, region: str, *, create_user: bool, as_json: bool, **asked: Any) -> None:
    """Deploy the proxy and all that it needs; run again, it updates.

    Web identity gives twelve hours too, without a key and without a function: see setup-web-identity.
    """
    pool, client = setup.user_pool()
    administrator = setup.administrator(region)
    pool_of_invokers = asked["identity_pool_id"] or setup.settings.login.identity_pool_id
    invokers = authenticated_role(administrator, pool_of_invokers) if pool_of_invokers else ""
    plan = ProxyPlan(
        pool_id=pool,
        client_id=client,
        create_user=create_user,
        key=_read_key(asked["access_key_id"], asked["secret_access_key"]),
        code=_read_code(asked["lambda_code"]),
        identity_pool_role=invokers,
    )
    done = deploy_proxy(administrator, plan)
    if as_json:
        print_json({"function": done.function, "role": done.role, "user": done.user, "secret": done.secret})
        return
    say(f"The proxy is deployed: {done.function}")
    if not invokers:
        say("  Nobody may invoke it yet; name the identity pool with --identity-pool-id.")
    say("  Next: aws-cognito-admin policy create-s3-policy --bucket-name …\n  Try: aws-cognito-auth login")


def _read_key(key_id: str, secret: str) -> Key | None:
    if not (key_id or secret):
        return None
    if secret == "-":  # noqa: S105 - where it is read from
        secret = sys.stdin.readline().strip()
    elif secret:
        say_aside("A secret in an argument list is seen by everybody on this machine; --secret-access-key - reads it.")
    elif sys.stdin.isatty():
        secret = click.prompt("Secret access key", hide_input=True, err=True)
    if not (key_id and secret):
        raise click.UsageError("--access-key-id and --secret-access-key belong together.")
    register_secret(secret)
    return Key(key_id, secret)


def _read_code(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", remedy="Name another zip.") from None


@admin.command("setup-identity-pool")
@click.option("--name", default="", help="Name of the identity pool.")
@click.option("--user-pool-id", default="", help="User pool; asked for when it is not configured.")
@click.option("--client-id", default="", help="App client; asked for when it is not configured.")
@click.option("--region", default="", help="Region of the identity pool; the user pool's if left out.")
@_json
@pass_setup
def setup_identity_pool(setup: Setup, /, name: str, region: str, *, as_json: bool, **asked: Any) -> None:
    """Make an identity pool that issues credentials to people of the user pool, with its role."""
    pool = _value("Cognito User Pool ID", asked["user_pool_id"], setup.settings.cognito.user_pool_id)
    client = _value("Cognito User Pool Client ID", asked["client_id"], setup.settings.login.client_id)
    region = region or setup.settings.login.lambda_region or region_of(pool)
    made = set_up_identity_pool(setup.administrator(region), name or f"{pool} people", pool, client)
    if as_json:
        print_json({"identity_pool_id": made.id, "role_arn": made.role_arn})
        return
    say(f"Identity pool {made.id} issues sessions of {made.role_arn}.\nNext:")
    say(f"  export COGNITO_IDENTITY_POOL_ID={made.id}   (or aws-cognito-auth configure)")
    say("  aws-cognito-admin policy create-s3-policy --bucket-name …   lets people do something")


@admin.command("setup-web-identity")
@click.option("--role-name", default=WEB_IDENTITY_ROLE, show_default=True, help="Name of the role.")
@click.option("--user-pool-id", default="", help="User pool; asked for when it is not configured.")
@click.option("--client-id", default="", help="App client; asked for when it is not configured.")
@_json
@pass_setup
def setup_web_identity(setup: Setup, /, role_name: str, *, as_json: bool, **asked: Any) -> None:
    """Let IAM trust the user pool itself: twelve hours without a long-lived key and without a function."""
    pool = _value("Cognito User Pool ID", asked["user_pool_id"], setup.settings.cognito.user_pool_id)
    client = _value("Cognito User Pool Client ID", asked["client_id"], setup.settings.login.client_id)
    arn = set_up_web_identity(setup.administrator(region_of(pool)), role_name, pool, client)
    if as_json:
        print_json({"role_arn": arn})
        return
    say(f"Role {arn} trusts the tokens of {pool}. Put into the configuration:")
    say(f"  login:\n    federation: web-identity\n    role_arn: {arn}")


def _value(question: str, given: str, configured: str) -> str:
    if given or not sys.stdin.isatty():
        if not (given or configured):
            raise click.UsageError(f"{question} is not given, and nobody is at a terminal to ask.")
        return given or configured
    return str(click.prompt(question, default=configured or None, err=True)).strip()
