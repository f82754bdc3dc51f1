"""Ann, who signs in at an app client of the strict pool, and who rotates her."""

from typing import Any

from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.flows import SAFEST_FIRST, AppClient, Flow
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser
from tests.fakes.rotation.cloud import POOL_ID, Cloud

OLD, NEW, WRONG = Secret("0ld-Passw0rd!"), Secret("N3w-Passw0rd!"), Secret("Wr0ng-Passw0rd!")
SEED = "JBSWY3DPEHPK3PXP"
CLIENT_SECRETS = ("first-client-secret-000000", "second-client-secret-00000")


def app_client(*secrets: str, flow: Flow | None = None) -> AppClient:
    """Return what is known here of the app client; without a flow, the first that it allows is found."""
    return AppClient(POOL_ID, "app", tuple(map(Secret, secrets)), (flow,) if flow else SAFEST_FIRST)


def sign_in(
    cloud: Cloud, door: AwsDoor, *, username: str = "ann", app: AppClient | None = None, seed: str = ""
) -> SignIn:
    """Sign Ann in, with the cloud's clock."""
    authenticator = Authenticator(Secret(seed), now=cloud.clock.now, sleep=cloud.clock.sleep) if seed else None
    return SignIn(door.cognito(), app or app_client(), username=username, authenticator=authenticator)


def pool_user(username: str = "ann", **about: Any) -> PoolUser:
    """Say who is to be rotated."""
    return PoolUser(POOL_ID, username, **{"allowed": Allowed.only(["ann"]), **about})


def administered(cloud: Cloud, door: AwsDoor, **about: Any) -> AdministeredUser:
    """Rotate Ann as administrator, with proof at the app client."""
    return AdministeredUser(door.cognito(), pool_user(**about), sign_in=sign_in(cloud, door))


def self_served(cloud: Cloud, door: AwsDoor, *, seed: str = "", **about: Any) -> SelfServedUser:
    """Rotate Ann as she would herself."""
    return SelfServedUser(door.cognito(), pool_user(**about), sign_in=sign_in(cloud, door, seed=seed))
