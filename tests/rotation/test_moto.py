"""The ordinary course at moto, an emulator that others wrote; what it does not check is left to the strict pool."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from connector.errors import NewSecretRejected
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import EVERYONE
from connector.rotation.model.policy import IAM_DEFAULT
from connector.rotation.model.ports import Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.authenticator import Authenticator
from connector.rotation.sign_in.flows import AppClient, Flow
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import AdministeredUser, PoolUser, SelfServedUser
from connector.rotation.targets.iam_user import IamUser
from tests.rotation.people import NEW, OLD, SEED, WRONG

TEMPORARY = Secret("T3mporary-Word!")


@pytest.fixture
def door() -> Iterator[AwsDoor]:
    """The way to moto."""
    with mock_aws():
        yield AwsDoor(boto3.Session("AKIAMOTO", "secret"), "eu-west-1")


@pytest.fixture
def app(door: AwsDoor) -> AppClient:
    """A pool with Ann, who has her first password, and a client that takes passwords as they are."""
    cognito = door.cognito()
    pool_id = cognito.create_user_pool(PoolName="moto")["UserPool"]["Id"]
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="app")["UserPoolClient"]
    cognito.admin_create_user(UserPoolId=pool_id, Username="ann", TemporaryPassword=TEMPORARY.reveal())
    return AppClient(pool_id, made["ClientId"], flows=(Flow.USER_PASSWORD_AUTH,))


def test_an_administrator_rotates(door: AwsDoor, app: AppClient) -> None:
    """P26: the new password signs in, the one before does not."""
    signing = SignIn(door.cognito(), app, username="ann")
    target = AdministeredUser(door.cognito(), PoolUser(app.pool_id, "ann", EVERYONE), sign_in=signing)

    account = target.examine()
    target.set_password(NEW, current=None)

    assert (account.state, account.policy.minimum_length) == ("FORCE_CHANGE_PASSWORD", 8)
    assert [target.prove(each).verdict for each in (NEW, WRONG)] == [Verdict.ACCEPTED, Verdict.REFUSED]
    with pytest.raises(NewSecretRejected):
        target.set_password(Secret("weak"), current=None)


def test_a_user_rotates_from_the_first_password_on(door: AwsDoor, app: AppClient) -> None:
    """P26: NEW_PASSWORD_REQUIRED, then ChangePassword."""
    signing = SignIn(door.cognito(), app, username="ann")
    target = SelfServedUser(door.cognito(), PoolUser(app.pool_id, "ann", EVERYONE), sign_in=signing)

    target.set_password(OLD, current=TEMPORARY)
    target.set_password(NEW, current=OLD)

    assert [target.prove(each).verdict for each in (NEW, OLD)] == [Verdict.ACCEPTED, Verdict.REFUSED]


@pytest.mark.parametrize("seed", ["", SEED])
def test_an_authenticator_is_met(door: AwsDoor, app: AppClient, seed: str) -> None:
    """P26: SOFTWARE_TOKEN_MFA proves the password, and is answered with the seed."""
    cognito = door.cognito()
    cognito.admin_set_user_password(UserPoolId=app.pool_id, Username="ann", Password=OLD.reveal(), Permanent=True)
    signed_in = SignIn(cognito, app, username="ann").enter(OLD)
    assert signed_in.access_token is not None
    token = signed_in.access_token.reveal()
    cognito.associate_software_token(AccessToken=token)
    cognito.verify_software_token(AccessToken=token, UserCode="123456")
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})

    authenticator = Authenticator(Secret(seed)) if seed else None
    proof = SignIn(cognito, app, username="ann", authenticator=authenticator).prove(OLD)

    assert proof.verdict is (Verdict.ACCEPTED if seed else Verdict.FACTOR_OUTSTANDING)


def test_an_iam_user_rotates(door: AwsDoor) -> None:
    """P26: the login profile is updated, and no change is asked of the user."""
    iam = door.iam()
    iam.create_user(UserName="bo")
    iam.create_login_profile(UserName="bo", Password=OLD.reveal(), PasswordResetRequired=True)
    target = IamUser(iam, door.sts(), username="bo", allowed=EVERYONE)

    account = target.examine()
    target.set_password(NEW, current=None)

    assert (account.policy, account.identity) == (IAM_DEFAULT, "iam-user 123456789012/bo")
    assert target.examine().state == "permanent"
