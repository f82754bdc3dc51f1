"""Rotating a Cognito user as the user would: with the password, without rights."""

import boto3
import pytest

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    NotAllowed,
    OutcomeUnknown,
    TargetUnavailable,
    TargetUnfit,
)
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.policy import ASSUMED
from connector.rotation.model.ports import Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import AppClient, Flow
from connector.rotation.sign_in.sign_in import SignIn
from connector.rotation.targets.cognito_user import PoolUser, SelfServedUser
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import REGION, Cloud
from tests.fakes.rotation.policies import PoolPolicy
from tests.rotation.people import CLIENT_SECRETS, NEW, OLD, SEED, WRONG, app_client, pool_user, self_served, sign_in


@pytest.fixture(autouse=True)
def _app(cloud: Cloud) -> None:
    cloud.pool.add_client("app")


def change(cloud: Cloud, door: AwsDoor, **about) -> None:
    """Let Ann change the old password to the new one."""
    self_served(cloud, door, **about).set_password(NEW, current=OLD)


def test_the_new_password_signs_in_and_no_session_stays(cloud: Cloud, door: AwsDoor) -> None:
    """P26: sign in with the current password, ChangePassword, sign out."""
    cloud.pool.add_user("ann", OLD.reveal())
    target = self_served(cloud, door)

    target.examine()
    target.set_password(NEW, current=OLD)

    assert (target.prove(NEW).verdict, target.prove(OLD).verdict) == (Verdict.ACCEPTED, Verdict.REFUSED)
    assert (target.needs_current, cloud.pool.refresh_tokens) == (True, {})


@pytest.mark.parametrize("flow", Flow)
@pytest.mark.parametrize("status", ["CONFIRMED", "FORCE_CHANGE_PASSWORD"])
def test_every_flow_changes_a_password_by_an_alias(cloud: Cloud, door: AwsDoor, flow: Flow, status: str) -> None:
    """P26: with client secret, SECRET_HASH names the internal user in answers to challenges."""
    cloud.pool.add_client("app", secrets=list(CLIENT_SECRETS), flows={f"ALLOW_{flow}"})
    cloud.pool.add_user("7d6f-internal", OLD.reveal(), aliases={"ann"}, status=status)
    signing = sign_in(cloud, door, app=app_client(CLIENT_SECRETS[1], flow=flow))

    SelfServedUser(door.cognito(), pool_user(), sign_in=signing).set_password(NEW, current=OLD)

    assert cloud.pool.signs_in("ann", NEW.reveal())


def test_no_rights_are_needed(cloud: Cloud) -> None:
    """P26: without any credentials the policy is assumed, and the rest works."""
    cloud.pool.add_user("ann", OLD.reveal())
    target = self_served(cloud, AwsDoor(boto3.Session(), REGION, cloud.endpoint_url))

    account = target.examine()
    target.set_password(NEW, current=OLD)

    assert account.policy == ASSUMED
    assert "assumed" in account.notes[0]
    assert cloud.pool.signs_in("ann", NEW.reveal())


def test_a_pool_need_not_be_named_for_a_password_that_is_sent(cloud: Cloud, door: AwsDoor) -> None:
    """P26: an app client is enough to find the user."""
    cloud.pool.add_user("ann", OLD.reveal())
    signing = SignIn(door.cognito(), AppClient("", "app", flows=(Flow.USER_PASSWORD_AUTH,)), username="ann")
    target = SelfServedUser(door.cognito(), PoolUser("", "ann", Allowed.only(["ann"])), sign_in=signing)

    account = target.examine()
    target.set_password(NEW, current=OLD)

    assert not account.policy.known
    assert target.prove(NEW).accepted


@pytest.mark.parametrize("denied", [(), ("AdminListGroupsForUser",)])
def test_the_list_holds_for_the_own_way_too(cloud: Cloud, door: AwsDoor, denied) -> None:
    """P26: a group that may not be read lets nobody in."""
    cloud.pool.add_user("ann", OLD.reveal(), groups=["staff"])
    cloud.deny(*denied)

    with pytest.raises(NotAllowed):
        self_served(cloud, door, allowed=Allowed.only(["robots"])).examine()
    assert not cloud.calls["InitiateAuth"]


@pytest.mark.parametrize("about", [{"enabled": False}, {"status": "UNCONFIRMED"}, {"status": "RESET_REQUIRED"}])
def test_a_user_who_cannot_sign_in_is_refused(cloud: Cloud, door: AwsDoor, about) -> None:
    """P26: known before anything is written."""
    cloud.pool.add_user("ann", OLD.reveal(), **about)

    with pytest.raises(TargetUnfit):
        self_served(cloud, door).rehearse(OLD)


@pytest.mark.parametrize("current", [WRONG, None])
def test_without_the_current_password_nothing_changes(cloud: Cloud, door: AwsDoor, current: Secret | None) -> None:
    """P26: the current password is wrong, or nobody knows it."""
    ann = cloud.pool.add_user("ann", OLD.reveal())

    with pytest.raises(CurrentRefused):
        self_served(cloud, door).set_password(NEW, current=current)

    assert ann.changes == 0


def test_a_lock_out_is_not_a_wrong_password(cloud: Cloud, door: AwsDoor) -> None:
    """P26: "Password attempts exceeded": wait, and change nothing."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    for _ in range(5):
        ann.fail(cloud.clock.monotonic())

    with pytest.raises(TargetUnavailable, match="locked"):
        change(cloud, door)

    assert ann.changes == 0


def test_a_first_password_is_answered_with_the_required_attributes(cloud: Cloud, door: AwsDoor) -> None:
    """P26: NEW_PASSWORD_REQUIRED may ask for attributes besides."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status="FORCE_CHANGE_PASSWORD", required=["name", "custom:unit"])

    change(cloud, door, attributes={"name": "Ann", "custom:unit": "7", "locale": "unused"})

    assert (ann.password, ann.status) == (NEW.reveal(), "CONFIRMED")
    assert ann.attributes == {"name": "Ann", "custom:unit": "7"}


def test_required_attributes_that_nobody_knows_are_named_before_the_answer(cloud: Cloud, door: AwsDoor) -> None:
    """P26: an answer without them would be refused."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status="FORCE_CHANGE_PASSWORD", required=["name", "birthdate"])

    with pytest.raises(TargetUnfit, match=r"\['birthdate'\]"):
        change(cloud, door, attributes={"name": "Ann"})

    assert ann.changes == 0


def test_a_factor_behind_the_first_password_does_not_undo_the_change(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the next challenge comes after the change."""
    cloud.pool.add_user("ann", OLD.reveal(), status="FORCE_CHANGE_PASSWORD", challenge="SMS_MFA")

    change(cloud, door)

    assert cloud.pool.signs_in("ann", NEW.reveal())


def test_an_authenticator_is_answered(cloud: Cloud, door: AwsDoor) -> None:
    """P26: change and proof in a row need two codes, of two time steps."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), totp=SEED)
    target = self_served(cloud, door, seed=SEED)

    target.set_password(NEW, current=OLD)

    assert target.prove(NEW).verdict is Verdict.ACCEPTED
    assert len(ann.used_steps) == 2


def test_a_refused_code_changes_nothing_and_may_be_tried_again(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the code may have been used by somebody else in the same half minute."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), totp=SEED)
    ann.used_steps.add(int(cloud.clock.now().timestamp()) // 30)
    target = self_served(cloud, door, seed=SEED)

    with pytest.raises(TargetUnavailable, match="code"):
        target.set_password(NEW, current=OLD)
    target.set_password(NEW, current=OLD)

    assert ann.changes == 1


@pytest.mark.parametrize("challenge", ["SMS_MFA", "EMAIL_OTP", "MFA_SETUP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE"])
def test_a_factor_that_nobody_here_has_is_a_clear_error(cloud: Cloud, door: AwsDoor, challenge: str) -> None:
    """P26: without the token of a finished sign-in no password is changed this way."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), challenge=challenge)

    with pytest.raises(TargetUnfit, match=challenge):
        change(cloud, door)

    assert ann.changes == 0


@pytest.mark.parametrize("status", ["CONFIRMED", "FORCE_CHANGE_PASSWORD"])
@pytest.mark.parametrize("fault", [Fault.UNHEARD, Fault.RESET, Fault.FAILED_AFTER, Fault.ERROR_500])
def test_no_clear_answer_is_an_unknown_outcome_and_one_request(
    cloud: Cloud, door: AwsDoor, fault: Fault, status: str
) -> None:
    """P26: a lost reply of ChangePassword, or of the answer to NEW_PASSWORD_REQUIRED, may have been yes."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status=status)
    operation, call = ("ChangePassword", 1) if status == "CONFIRMED" else ("RespondToAuthChallenge", 2)
    cloud.fail(operation, call=call, fault=fault)

    with pytest.raises(OutcomeUnknown):
        change(cloud, door)

    assert cloud.calls[operation] == call
    assert (ann.changes == 1) is (fault in (Fault.RESET, Fault.FAILED_AFTER))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.THROTTLE, TargetUnavailable),
        (Refusal("LimitExceededException", "Attempt limit exceeded, please try after some time."), TargetUnavailable),
        (Refusal("NotAuthorizedException", "Access Token does not have required scopes"), TargetUnfit),
        (Refusal("PasswordResetRequiredException", "Password reset required"), TargetUnfit),
        (Refusal("InvalidParameterException", "Value at 'proposedPassword'"), NewSecretRejected),
    ],
)
def test_a_clear_no_has_changed_nothing_and_leaves_no_session(
    cloud: Cloud, door: AwsDoor, fault, kind: type[Exception]
) -> None:
    """P26: each refusal of ChangePassword is told apart."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("ChangePassword", call=1, fault=fault)

    with pytest.raises(kind):
        change(cloud, door)

    assert (ann.changes, cloud.pool.refresh_tokens) == (0, {})


def test_history_and_policy_hold_for_users_too(cloud: Cloud, door: AwsDoor) -> None:
    """P26: the way does not matter to the pool."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.policy = PoolPolicy(history=2)
    target = self_served(cloud, door)

    for refused in (OLD, Secret("Sh0rt!")):
        with pytest.raises(NewSecretRejected):
            target.set_password(refused, current=OLD)

    assert cloud.pool.users["ann"].changes == 0


@pytest.mark.parametrize("asked", ["[", '"name"', "null"])
def test_a_damaged_list_of_attributes_is_no_list(cloud: Cloud, door: AwsDoor, asked: str) -> None:
    """P32: whatever stands there is text; Cognito refuses the answer if it lacks something."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status="FORCE_CHANGE_PASSWORD")
    ann.required_text = asked

    change(cloud, door)

    assert cloud.pool.signs_in("ann", NEW.reveal())
