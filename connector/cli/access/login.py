"""`login`, `logout` and `status`: a person's temporary AWS credentials."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from connector.access.aws_doors import AwsDoors
from connector.access.aws_profiles import check_profile_name
from connector.access.credential_formats import iso_time
from connector.access.login_session import LoginSession, SignsIn
from connector.access.model import AwsCredentials, Federation, LoginPlan, SignedInPerson, Tokens
from connector.access.person import sign_in_person
from connector.bootstrap.logins import DEFAULT_PROFILE, open_login, plan_of, register_credentials
from connector.cli.access.prompts import Terminal, read_password
from connector.cli.invocation import (
    Command,
    Invocation,
    json_option,
    pass_invocation,
    print_json,
    say,
    say_aside,
)
from connector.config import Settings
from connector.errors import LoginError, NotSignedIn
from connector.rotation.sign_in.dialogue import Dialogue
from connector.rotation.sign_in.flows import AppClient

_log = logging.getLogger(__name__)
_NOT_SIGNED_IN = 4


def _read_profile(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    try:
        return check_profile_name(name)
    except ValueError as error:
        raise click.BadParameter(f"{name!r} {error}") from None


def profile_option(command: Command) -> Command:
    """Give a command the option `--profile`."""
    return click.option(
        "--profile", default=DEFAULT_PROFILE, show_default=True, callback=_read_profile, help="Name of the login."
    )(command)


def password_option(command: Command) -> Command:
    """Give a command the option `--password-file`."""
    return click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="File with the password; - reads stdin.",
    )(command)


def session_of(
    invocation: Invocation, profile: str, *, federation: str | None = None, hours: float | None = None
) -> tuple[Settings, LoginSession]:
    """Return the configuration and the login of a profile.

    Raises:
        ConfigError, LoginStoreFault: it does not say how, or there is no place for it.
    """
    settings = invocation.login_settings()
    plan = plan_of(settings, federation=Federation(federation) if federation else None, hours=hours)
    return settings, open_login(plan, settings, profile, invocation.environment)


def signer_in(plan: LoginPlan, username: str, password_file: Path | None) -> SignsIn:
    """Return what signs a person in at the terminal.

    Args:
        plan: where.
        username: who; asked for when empty.
        password_file: the password; asked for when left out.
    """

    def sign_in(doors: AwsDoors) -> tuple[str, Tokens]:
        terminal = Terminal()
        name = username or terminal.ask("Username")
        password = read_password(password_file) if password_file else terminal.ask_secret("Password")
        cognito = doors.user_pool()
        app = AppClient(plan.pool_id, plan.client_id, plan.client_secrets, plan.flows)
        dialogue = Dialogue(cognito, app, username=name)
        return name, sign_in_person(cognito, dialogue, terminal, password=password, label=f"{plan.pool_id}:{name}")

    return sign_in


@click.command()
@click.argument("username", required=False)
@click.option("-u", "--username", "named", help="The same as the argument.")
@profile_option
@click.option("--federation", type=click.Choice([way.value for way in Federation]), help="Another way than configured.")
@click.option("--duration", type=click.FloatRange(0.25, 12), metavar="HOURS", help="Hours that are asked for.")
@password_option
@click.option("--force", is_flag=True, help="Sign in anew, also where a login counts still.")
@json_option
@pass_invocation
def login(invocation: Invocation, /, username: str | None, profile: str, *, force: bool, **asked: Any) -> None:
    """Sign USERNAME in at the user pool, and get temporary AWS credentials.

    They are renewed silently for as long as the pool lets the session live. Hand them over with `exec`, `credentials`
    or `profile install`.
    """
    settings, session = session_of(invocation, profile, federation=asked["federation"], hours=asked["duration"])
    name = username or asked["named"]
    credentials = None if force else _still_counts(session, name)
    if credentials is None:
        signer = signer_in(session.plan, name or settings.login.username, asked["password_file"])
        credentials = session.login(signer)
    elif not invocation.json:
        say_aside("You are signed in already; --force signs in anew.")
    register_credentials(credentials)
    kept = session.kept()
    if invocation.json:
        print_json(describe(session, kept, credentials))
        return
    say(f"Signed in as {credentials.arn or (kept.person if kept else '')}, until {local_time(credentials.expires)}.")
    if session.plan.federation is Federation.IDENTITY_POOL and (asked["duration"] or 0) > 1:
        say("  An identity pool gives an hour, whatever --duration says; other ways: --federation.")
    say(f"  Try: cognito-scim exec{_option(profile)} -- aws sts get-caller-identity")


def _still_counts(session: LoginSession, username: str | None) -> AwsCredentials | None:
    kept = session.kept()
    way = session.plan.federation, session.plan.seconds
    if kept is None or (username and kept.person != username) or (kept.federation, kept.seconds) != way:
        return None
    try:
        return session.credentials()
    except NotSignedIn:
        return None
    except LoginError as error:
        _log.info("The login before does not count any more: %s", error)
        return None


@click.command()
@profile_option
@json_option
@pass_invocation
def logout(invocation: Invocation, /, profile: str) -> None:
    """End the session at the user pool, and forget the credentials that are kept here.

    Credentials of AWS that were handed over count until they end; `admin role revoke-sessions` ends them at once.
    """
    _, session = session_of(invocation, profile)
    was_there = session.logout()
    if invocation.json:
        print_json({"profile": profile, "signed_out": was_there})
    else:
        say("Signed out." if was_there else f"Nobody was signed in for profile {profile}.")


@click.command()
@profile_option
@json_option
@pass_invocation
def status(invocation: Invocation, /, profile: str) -> int:
    """Say who is signed in, as which role and until when; asks nobody.

    Ends with 4 when nobody is.
    """
    _, session = session_of(invocation, profile)
    kept = session.kept()
    document = describe(session, kept, kept.credentials if kept else None)
    if invocation.json:
        print_json(document)
    elif kept is None:
        say(f"Nobody is signed in for profile {profile}. Sign in: cognito-scim login{_option(profile)}")
    else:
        say("\n".join(f"{name.replace('_', ' '):<14} {value}" for name, value in document.items() if value is not None))
    return 0 if kept else _NOT_SIGNED_IN


def describe(session: LoginSession, kept: SignedInPerson | None, credentials: AwsCredentials | None) -> dict[str, Any]:
    """Return what may be shown of a login: nothing that lets anybody in."""
    claims = kept.tokens.claims if kept else {}
    fresh = credentials is not None and credentials.expires > datetime.now(UTC)
    return {
        "profile": session.profile,
        "signed_in": kept is not None,
        "person": kept.person if kept else None,
        "subject": claims.get("sub") if isinstance(claims.get("sub"), str) else None,
        "user_pool": session.plan.pool_id,
        "federation": (kept.federation if kept else session.plan.federation).value,
        "role": credentials.arn or None if credentials else None,
        "account": credentials.account or None if credentials else None,
        "until": iso_time(credentials.expires) if credentials else None,
        "credentials": "valid" if fresh else "to be renewed" if kept else None,
        "renewable": kept.tokens.refresh_token is not None if kept else None,
        "kept_in": session.store.place(session.profile),
    }


def local_time(moment: datetime) -> str:
    """Return a time as clocks on the wall show it, with its zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _option(profile: str) -> str:
    return "" if profile == DEFAULT_PROFILE else f" --profile {profile}"
