"""Open the account that a secret is about: the secret says whose password it is, and which way it is set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from connector.errors import VaultUnfit
from connector.rotation.aws.clients import AwsDoor
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.model.allowed import EVERYONE
from connector.rotation.model.ports import Target
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.sign_in import AppClient, Flow, SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser
from connector.rotation.vaults.secret_document import Mode, SecretDocument, choose


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where the secret says nothing.

    Args:
        user_pool_id: the pool; where it is given, no secret may name another.
        mode: which way the password is set.
        auth_flow: how the app client lets users sign in.
    """

    user_pool_id: str | None
    mode: Mode
    auth_flow: Flow

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return what the function's environment says; its names are none of the command's, which takes COGNITO_SCIM_*.

        Raises:
            VaultUnfit: it names no way or flow that there is.
        """
        return cls(
            user_pool_id=environment.get("ROTATION_USER_POOL_ID") or None,
            mode=choose(Mode, "ROTATION_MODE", environment.get("ROTATION_MODE") or None) or Mode.SELF,
            auth_flow=choose(Flow, "ROTATION_AUTH_FLOW", environment.get("ROTATION_AUTH_FLOW") or None)
            or Flow.USER_PASSWORD_AUTH,
        )


def open_target(
    door: AwsDoor,
    document: SecretDocument,
    defaults: Defaults,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Target:
    """Return the Cognito user that a secret is about.

    Which users those may be is decided by who may write the secret, and by the rights of the function's role.

    Args:
        door: reaches Cognito, and the secret of the authenticator's seed.
        document: what the secret says.
        defaults: what holds where it says nothing.
        now: the time, with its zone.
        sleep: waits for so many seconds.

    Raises:
        VaultUnfit: the secret does not say enough, or names another pool than the function is for.
        TargetUnavailable, RotationDenied, TargetUnfit: the authenticator's seed could not be read.
    """
    pool_id, mode = _pool(document, defaults), document.mode or defaults.mode
    user = PoolUser(pool_id, document.username, EVERYONE)
    sign_in = None
    if document.client_id is not None:
        app = _app_client(document, document.client_id, pool_id, document.auth_flow or defaults.auth_flow)
        seed = read_seed(door, document.totp_secret_id) if document.totp_secret_id else None
        authenticator = Authenticator(seed, now=now, sleep=sleep) if seed else None
        sign_in = SignIn(door.cognito(), app, username=document.username, authenticator=authenticator, now=now)
    if mode is Mode.SELF:
        if sign_in is None:
            raise VaultUnfit("The secret names no app client to sign in at.", remedy="Add its id as clientid.")
        return SelfServedUser(door.cognito(), user, sign_in=sign_in)
    if not pool_id:
        raise VaultUnfit(
            "Neither the secret nor the function says which user pool the user is in.",
            remedy="Add it to the secret as user_pool_id, or set ROTATION_USER_POOL_ID.",
        )
    return AdministeredUser(door.cognito(), user, sign_in=sign_in)


def _pool(document: SecretDocument, defaults: Defaults) -> str:
    if defaults.user_pool_id and document.user_pool_id not in (None, defaults.user_pool_id):
        raise VaultUnfit(
            f"The secret names the pool {document.user_pool_id}, and the function is for {defaults.user_pool_id}.",
            remedy="Correct user_pool_id in the secret, or rotate it with another function.",
        )
    return defaults.user_pool_id or document.user_pool_id or ""


def _app_client(document: SecretDocument, client_id: str, pool_id: str, flow: Flow) -> AppClient:
    secrets = (document.client_secret,) if document.client_secret else ()
    app = AppClient(pool_id, client_id, secrets, flow)
    if not pool_id and app.flow is not Flow.USER_PASSWORD_AUTH:
        raise VaultUnfit(
            f"{app.flow} needs the id of the user pool.",
            remedy="Add it to the secret as user_pool_id, or set ROTATION_USER_POOL_ID.",
        )
    return app


def read_seed(door: AwsDoor, secret_id: str) -> Secret:
    """Return the seed of an authenticator that a secret holds as text.

    Raises:
        VaultUnfit, TargetUnavailable, RotationDenied, TargetUnfit: it could not be read.
    """
    with rotation_faults(AwsCall("secretsmanager:GetSecretValue", f"secret {secret_id}")):
        seed = door.secrets_manager().get_secret_value(SecretId=secret_id).get("SecretString", "").strip()
    if not seed:
        raise VaultUnfit(
            f"The secret {secret_id} holds no seed.", remedy="Store the authenticator's key in it, as text."
        )
    return Secret(seed)
