"""Open the Cognito user that a secret is about, for the command line and the rotation function alike.

The secret says whose password it is; the place where the rotation runs says which users it may be about, and the most
that may be done to them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.errors import VaultUnfit
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.aws.errors import AwsCall, rotation_faults
from connector.rotation.model.allowed import EVERYONE, NOBODY, Allowed
from connector.rotation.model.ports import Target
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.flows import SAFEST_FIRST, AppClient, Flow
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser
from connector.rotation.vaults.secret_document import Mode, SecretDocument

_NAME_A_CLIENT = (
    "Name one: clientid in the secret, or rotation.client_id in the configuration of the commands, which rotate without"
    " proof when told --no-verify."
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What holds for every secret where a rotation runs.

    Args:
        pool_id: the pool; where it is given, no secret may name another.
        mode: the way passwords are set; a secret may choose the user's own way instead, never the administrator's.
        flows: how the app client lets users sign in, where the secret does not say it.
        client: the app client at which passwords are proved; without one, that of the secret.
        administered: the users whose password may be set the administrator's way.
        self_served: those who may change it their own way, which takes their current password.
        unproved: whether passwords may be set the administrator's way without an app client to prove them at.
    """

    pool_id: str = ""
    mode: Mode = Mode.SELF
    flows: tuple[Flow, ...] = SAFEST_FIRST
    client: AppClient | None = None
    administered: Allowed = NOBODY
    self_served: Allowed = EVERYONE
    unproved: bool = False


def open_user(  # noqa: PLR0913 - the clock is for the tests
    door: AwsDoor,
    username: str,
    document: SecretDocument | None,
    deployment: Deployment,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Target:
    """Return the Cognito user that a secret is about.

    Args:
        door: reaches Cognito, and the secret of the authenticator's seed.
        username: whose password is rotated.
        document: what the secret says, if there is one.
        deployment: what holds for every secret.
        now: the time, with its zone.
        sleep: waits for so many seconds.

    Raises:
        VaultUnfit: the secret does not say enough, names another pool, or asks for more than the deployment allows.
        TargetUnavailable, RotationDenied, TargetUnfit: the authenticator's seed could not be read.
    """
    pool_id, mode = _choose_pool(document, deployment), choose_mode(document, deployment)
    if mode is Mode.ADMIN and not pool_id:
        raise VaultUnfit(
            "Neither the secret nor the deployment says which user pool the user is in.",
            remedy="Add it to the secret as user_pool_id, or set ROTATION_USER_POOL_ID.",
        )
    app = _choose_client(document, deployment, pool_id)
    if app is None and not (mode is Mode.ADMIN and deployment.unproved):
        what = "sign in" if mode is Mode.SELF else "prove the new password"
        raise VaultUnfit(f"No app client is named, at which to {what}.", remedy=_NAME_A_CLIENT)
    cognito = door.cognito()
    sign_in = None
    if app is not None:
        seed = read_seed(door, document.totp_secret_id) if document and document.totp_secret_id else None
        authenticator = Authenticator(seed, now=now, sleep=sleep) if seed else None
        sign_in = SignIn(cognito, app, username=username, authenticator=authenticator, now=now)
    if mode is Mode.SELF and sign_in is not None:
        return SelfServedUser(cognito, PoolUser(pool_id, username, deployment.self_served), sign_in=sign_in)
    return AdministeredUser(cognito, PoolUser(pool_id, username, deployment.administered), sign_in=sign_in)


def choose_mode(document: SecretDocument | None, deployment: Deployment) -> Mode:
    """Return which way the password is set.

    Raises:
        VaultUnfit: the secret asks for the administrator's way, which the deployment does not allow.
    """
    mode = (document.mode if document else None) or deployment.mode
    if mode is Mode.ADMIN and deployment.mode is not Mode.ADMIN:
        raise VaultUnfit(
            "The secret asks for the administrator's way, which this deployment does not allow.",
            remedy="Take mode out of the secret, or set ROTATION_MODE to admin and name the users it may touch.",
        )
    return mode


def _choose_pool(document: SecretDocument | None, deployment: Deployment) -> str:
    named = document.user_pool_id if document else None
    if deployment.pool_id and named not in (None, deployment.pool_id):
        raise VaultUnfit(
            f"The secret names the pool {named}, and this deployment is for {deployment.pool_id}.",
            remedy="Correct user_pool_id in the secret, or rotate it with another deployment.",
        )
    return deployment.pool_id or named or ""


def _choose_client(document: SecretDocument | None, deployment: Deployment, pool_id: str) -> AppClient | None:
    if deployment.client is not None:
        return deployment.client
    if document is None or document.client_id is None:
        return None
    secrets = (document.client_secret,) if document.client_secret else ()
    app = AppClient(pool_id, document.client_id, secrets, document.flows or deployment.flows)
    if not app.usable_flows:
        raise VaultUnfit(
            f"{', '.join(app.flows)} needs the id of the user pool.",
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
