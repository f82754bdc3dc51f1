"""People's logins, made from Settings; and the source credentials of a run that a person makes."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from connector.access.aws_doors import AwsDoors
from connector.access.keyring_store import choose_store
from connector.access.login_session import LoginSession
from connector.access.model import AwsCredentials, Federation, LoginPlan
from connector.access.store import FileStore, Locks
from connector.cognito.role_credentials import SessionGrant
from connector.config import Settings
from connector.directory.pool_names import pool_region
from connector.errors import ConfigError, LoginError, LoginUnavailable, SourceDenied, SourceUnavailable
from connector.logs import register_secret
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import Flow

DEFAULT_PROFILE = "default"
_SECONDS_AN_HOUR = 3600
_SHORTEST = 900


def plan_of(settings: Settings, *, federation: Federation | None = None, hours: float | None = None) -> LoginPlan:
    """Return how people come to credentials.

    Args:
        settings: the configuration.
        federation: another way than the configured one.
        hours: another duration than the configured one.

    Raises:
        ConfigError: the pool, the client, or what the way needs is not named.
    """
    login, pool = settings.login, settings.cognito.user_pool_id
    way = federation or Federation(login.federation)
    needs = {"cognito.user_pool_id": pool, "login.client_id": login.client_id}
    if way is Federation.WEB_IDENTITY:
        needs["login.role_arn"] = login.role_arn
    else:
        needs["login.identity_pool_id"] = login.identity_pool_id
    missing = [key for key, value in needs.items() if not value]
    if missing:
        raise ConfigError(f"Missing configuration: {', '.join(missing)}.", remedy=_NAME_THEM)
    seconds = max(_SHORTEST, round((hours or login.duration_hours) * _SECONDS_AN_HOUR))
    region = login.lambda_region or pool_region(pool)
    return LoginPlan(
        pool_id=pool,
        client_id=login.client_id,
        client_secrets=tuple(map(Secret, login.client_secret.get_secret_value().split())),
        flows=_FLOWS if login.auth_flow == "auto" else (Flow(login.auth_flow),),
        federation=way,
        identity_pool_id=login.identity_pool_id,
        role_arn=login.role_arn,
        seconds=seconds,
        function=login.lambda_function,
        region=region,
    )


_FLOWS = (Flow.USER_SRP_AUTH, Flow.USER_PASSWORD_AUTH)
_NAME_THEM = (
    "Set them in config.yaml; or `aws-cognito-auth configure`, or export COGNITO_USER_POOL_ID, COGNITO_CLIENT_ID and "
    "COGNITO_IDENTITY_POOL_ID."
)


def open_login(plan: LoginPlan, settings: Settings, profile: str, environment: Mapping[str, str]) -> LoginSession:
    """Return the login of a profile.

    Raises:
        LoginStoreFault: there is no place to keep it.
    """
    folder = state_folder(settings, environment)
    return LoginSession(
        profile=profile,
        plan=plan,
        store=choose_store(settings.login.store, FileStore(folder)),
        locks=Locks(folder),
        doors=AwsDoors(pool_region(plan.pool_id)),
    )


def state_folder(settings: Settings, environment: Mapping[str, str]) -> Path:
    """Return the folder of logins and locks (XDG base directory specification)."""
    if settings.login.folder:
        return Path(settings.login.folder).expanduser()
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "cognito-scim" / "login"


def register_credentials(credentials: AwsCredentials) -> None:
    """Keep credentials out of the logs."""
    register_secret(credentials.secret_access_key.reveal())
    register_secret(credentials.session_token.reveal())


def process_command(config: Path | None, profile: str) -> list[str]:
    """Return the command that prints a profile's credentials, from anywhere and with any PATH.

    Args:
        config: the configuration file that was named or found.
        profile: the profile.
    """
    beside = Path(sys.executable).with_name("cognito-scim")
    program = [str(beside)] if os.access(beside, os.X_OK) else [sys.executable, "-m", "connector"]
    named = ["--config", str(config.absolute())] if config else []
    return [*program, *named, "credentials", "--format", "process", "--profile", profile]


def describe_command(command: list[str]) -> str:
    """Return a command as a shell would be given it."""
    return shlex.join(command)


def grants_of(settings: Settings, environment: Mapping[str, str]) -> Callable[[], SessionGrant]:
    """Return what gives a run the credentials of the person who is signed in; nobody is asked anything.

    Its errors are those of a source that denies or is unavailable, which every run knows how to end with.
    """

    def grant() -> SessionGrant:
        try:
            login = open_login(plan_of(settings), settings, DEFAULT_PROFILE, environment)
            credentials = login.credentials()
        except LoginUnavailable as error:
            raise SourceUnavailable(error.message, remedy=error.remedy) from None
        except LoginError as error:
            raise SourceDenied(error.message, remedy=error.remedy) from None
        register_credentials(credentials)
        return SessionGrant(
            credentials.access_key_id,
            credentials.secret_access_key.reveal(),
            credentials.session_token.reveal(),
            credentials.expires,
        )

    return grant
