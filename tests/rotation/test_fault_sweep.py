"""Every fault at every call of every target: one error of the tree or an honest verdict, and never a secret in it."""

import pytest

from connector.errors import RotationError
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.ports import Proof, Target, Verdict
from connector.rotation.sign_in.flows import Flow
from connector.rotation.targets.cognito_user import AdministeredUser, SelfServedUser
from connector.rotation.targets.iam_user import IamUser
from tests.fakes.faults import Fault
from tests.fakes.rotation.cloud import Cloud
from tests.rotation.people import NEW, OLD, SEED, app_client, pool_user, sign_in

CHANGES = {"AdminSetUserPassword", "ChangePassword", "UpdateLoginProfile"}
FAULTS = [fault for fault in Fault if fault is not Fault.TIMEOUT]  # which is a reset that takes longer


def iam_user(_: Cloud, door: AwsDoor) -> Target:
    """Rotate Bo."""
    return IamUser(door.iam(), door.sts(), username="bo", allowed=Allowed.only(["bo"]))


def by_group(cloud: Cloud, door: AwsDoor) -> Target:
    """Rotate Ann as administrator, because of her group."""
    signing = sign_in(cloud, door, app=app_client(flow=Flow.ADMIN_USER_PASSWORD_AUTH), seed=SEED)
    return AdministeredUser(door.cognito(), pool_user(allowed=Allowed.only(["robots"])), sign_in=signing)


def with_seed(cloud: Cloud, door: AwsDoor) -> Target:
    """Rotate Ann as she would herself, with her authenticator."""
    signing = sign_in(cloud, door, app=app_client(flow=Flow.USER_PASSWORD_AUTH), seed=SEED)
    return SelfServedUser(door.cognito(), pool_user(), sign_in=signing)


def rotate(cloud: Cloud, target: Target) -> Proof | RotationError:
    """Do all that a rotation asks of a target from the old password on; return the last proof, or the error."""
    cloud.pool.add_client("app")
    cloud.pool.add_user("ann", OLD.reveal(), groups=["staff", "robots"], totp=SEED)
    cloud.account.add_user("bo", OLD.reveal())
    try:
        target.examine()
        target.prove(OLD)
        target.set_password(NEW, current=OLD)
        return target.prove(NEW)
    except RotationError as error:
        return error


@pytest.mark.parametrize("make", [by_group, with_seed, iam_user])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.value)
def test_a_fault_at_any_call_is_told_in_the_tree(cloud: Cloud, door: AwsDoor, make, fault: Fault) -> None:
    """P26, P27: nothing else crosses the edge, nothing secret is in it, and no change is sent twice."""
    target = make(cloud, door)
    rotate(cloud, target)
    for operation, count in dict(cloud.calls).items():
        for call in range(1, count + 1):
            before = cloud.calls.copy()
            cloud.fail(operation, call=before[operation] + call, fault=fault)

            told = rotate(cloud, target)

            assert isinstance(told, Proof) or told.remedy
            assert not [word for word in (OLD, NEW) if word.reveal() in f"{told} {told!r}"]
            assert all(cloud.calls[change] - before[change] <= 1 for change in CHANGES)
            assert_true(cloud, told)
            cloud.script.forget_faults()


def assert_true(cloud: Cloud, told: Proof | RotationError) -> None:
    """Who is told that a password signs in can sign in with it, and who is told that it does not cannot."""
    lives = cloud.pool.signs_in("ann", NEW.reveal())
    verdict = told.verdict if isinstance(told, Proof) else None

    assert lives or verdict not in (Verdict.ACCEPTED, Verdict.FACTOR_OUTSTANDING)
    assert not lives or verdict is not Verdict.REFUSED
