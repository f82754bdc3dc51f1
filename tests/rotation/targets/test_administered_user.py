"""Rotating a Cognito user as administrator: who may be, what the pool asks, and what an answer is worth."""

import pytest

from connector.errors import (
    NewSecretRejected,
    NotAllowed,
    OutcomeUnknown,
    RotationDenied,
    TargetUnavailable,
    TargetUnfit,
)
from connector.rotation.aws.aws_clients import AwsDoor
from connector.rotation.model.allowed import Allowed
from connector.rotation.model.policy import ASSUMED, EVERY_CLASS, CharacterClass
from connector.rotation.model.ports import Proof, SignsOut, Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.targets.cognito_user import AdministeredUser
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import POOL_ID, Cloud
from tests.fakes.rotation.policies import PoolPolicy
from tests.rotation.people import NEW, OLD, administered, pool_user, self_served


@pytest.fixture(autouse=True)
def _app(cloud: Cloud) -> None:
    cloud.pool.add_client("app")


def test_the_new_password_signs_in_and_the_old_one_does_not(cloud: Cloud, door: AwsDoor) -> None:
    """P26: AdminSetUserPassword, for good, proved by signing in."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    target = administered(cloud, door)

    account = target.examine()
    target.set_password(NEW, current=None)

    assert (account.identity, account.state) == (f"cognito-user {POOL_ID}/ann", "CONFIRMED")
    assert (target.prove(NEW).verdict, target.prove(OLD).verdict) == (Verdict.ACCEPTED, Verdict.REFUSED)
    assert (ann.status, target.needs_current) == ("CONFIRMED", False)


@pytest.mark.parametrize("state", ["FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"])
def test_states_that_setting_a_password_ends_are_fit(cloud: Cloud, door: AwsDoor, state: str) -> None:
    """P26: a password for good ends both the first one and a reset."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status=state)
    target = administered(cloud, door)

    assert target.examine().state == state
    target.set_password(NEW, current=None)

    assert ann.status == "CONFIRMED"
    assert target.prove(NEW).accepted


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"status": "EXTERNAL_PROVIDER"}, "federated"),
        ({"enabled": False}, "disabled"),
        ({"status": "UNCONFIRMED"}, "UNCONFIRMED"),
        ({"status": "ARCHIVED"}, "ARCHIVED"),
        ({"status": "COMPROMISED"}, "COMPROMISED"),
        ({"status": "UNKNOWN"}, "UNKNOWN"),
    ],
)
def test_a_user_whom_it_would_change_is_refused(cloud: Cloud, door: AwsDoor, about, words: str) -> None:
    """P26: a federated user would become a local one, an unconfirmed one confirmed; nothing is written before that."""
    cloud.pool.add_user("ann", OLD.reveal(), **about)

    with pytest.raises(TargetUnfit, match=words):
        administered(cloud, door).examine()


def test_an_unusual_state_may_be_allowed_but_never_a_federated_user(cloud: Cloud, door: AwsDoor) -> None:
    """P26: who provisions users may mean to confirm them."""
    ann = cloud.pool.add_user("ann", OLD.reveal(), status="UNCONFIRMED")
    target = administered(cloud, door, unusual_states=frozenset({"UNCONFIRMED", "EXTERNAL_PROVIDER"}))

    assert target.examine().state == "UNCONFIRMED"

    ann.status = "EXTERNAL_PROVIDER"
    with pytest.raises(TargetUnfit, match="federated"):
        target.examine()


def test_a_missing_user_is_refused(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a wrong name is told before anything is written."""
    with pytest.raises(TargetUnfit, match="'ann'"):
        administered(cloud, door).examine()


def test_a_missing_pool_is_refused(cloud: Cloud, door: AwsDoor) -> None:
    """P26: likewise a wrong pool."""
    cloud.pool.pool_id = "eu-west-1_Another00"

    with pytest.raises(TargetUnfit, match=POOL_ID):
        administered(cloud, door).examine()


@pytest.mark.parametrize("make", [administered, self_served])
def test_all_names_of_a_user_are_one_identity(cloud: Cloud, door: AwsDoor, make) -> None:
    """P26: lock and journal go by the name that the pool keeps; both ways learn it, before and after a look."""
    cloud.pool.add_client("app")
    cloud.pool.add_user("7d6f-internal", OLD.reveal(), aliases={"ann", "ann@example.com"})
    targets = [make(cloud, door), make(cloud, door)]
    targets[1].examine()

    assert {target.identity for target in targets} == {f"cognito-user {POOL_ID}/7d6f-internal"}


@pytest.mark.parametrize("names", [["ann"], ["7d6f-internal"], ["g5"], ["x", "g1"]])
def test_the_list_may_name_the_user_or_a_group_on_any_page(cloud: Cloud, door: AwsDoor, names) -> None:
    """P26: by the name that was given, by the internal one, or by a group."""
    groups = [f"g{number}" for number in range(6)]
    cloud.pool.add_user("7d6f-internal", OLD.reveal(), aliases={"ann"}, groups=groups)

    assert administered(cloud, door, allowed=Allowed.only(names)).examine().state == "CONFIRMED"


@pytest.mark.parametrize("make", [administered, self_served])
def test_a_user_called_like_an_allowed_group_is_left_alone(cloud: Cloud, door: AwsDoor, make) -> None:
    """P26: a name that is a group's stands for its members; without the right to ask, for a user."""
    cloud.pool.add_client("app")
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.add_user("bo", OLD.reveal(), groups=["ann"])

    with pytest.raises(NotAllowed):
        make(cloud, door).examine()
    cloud.deny("ListUsersInGroup")
    assert make(cloud, door).examine().identity.endswith("/ann")


def test_who_is_not_on_the_list_is_left_alone(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a wrong name must not lock a person out."""
    cloud.pool.add_user("ann", OLD.reveal(), groups=["staff"])

    with pytest.raises(NotAllowed):
        administered(cloud, door, allowed=Allowed.only(["robots"])).examine()


def test_the_policy_is_the_pools(cloud: Cloud, door: AwsDoor) -> None:
    """P26: length, classes and history, as DescribeUserPool tells them."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.policy = PoolPolicy(minimum=20, symbols=False, history=3)

    policy = administered(cloud, door).examine().policy

    assert (policy.minimum_length, policy.maximum_length, policy.history) == (20, 256, 3)
    assert (policy.required, policy.known) == (EVERY_CLASS - {CharacterClass.SYMBOL}, True)


def test_a_policy_that_may_not_be_read_is_assumed_strict_and_told(cloud: Cloud, door: AwsDoor) -> None:
    """P26: DescribeUserPool may be denied; a generator then has to please a stricter pool than most."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.deny("DescribeUserPool")

    account = administered(cloud, door).examine()

    assert account.policy == ASSUMED
    assert "DescribeUserPool" in account.notes[0]


def test_what_is_wrong_with_the_app_client_is_known_before_anything_is_written(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a proof that cannot work is no surprise behind the change."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.clients.clear()

    with pytest.raises(TargetUnfit, match="app"):
        administered(cloud, door).rehearse(OLD)


@pytest.mark.parametrize("operation", ["AdminGetUser", "AdminSetUserPassword", "AdminListGroupsForUser"])
def test_a_missing_right_is_named(cloud: Cloud, door: AwsDoor, operation: str) -> None:
    """P26: the remedy is the action to allow."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.deny(operation)
    target = administered(cloud, door, allowed=Allowed.only(["robots"]))

    with pytest.raises(RotationDenied, match=f"Allow cognito-idp:{operation}"):
        target.set_password(NEW, current=None) if operation.endswith("Password") else target.examine()


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        (Fault.UNHEARD, False),
        (Fault.RESET, True),
        (Fault.FAILED_AFTER, True),
        (Fault.ERROR_500, False),
        (Fault.ERROR_503, False),
        (Fault.HTML, False),
    ],
)
def test_no_clear_answer_is_an_unknown_outcome_and_one_request(
    cloud: Cloud, door: AwsDoor, fault: Fault, *, applied: bool
) -> None:
    """P26: it may have been done; botocore's own second request would hide what the first one did."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=fault)

    with pytest.raises(OutcomeUnknown):
        administered(cloud, door).set_password(NEW, current=None)

    assert (cloud.calls["AdminSetUserPassword"], ann.changes) == (1, int(applied))


def test_a_read_time_out_is_an_unknown_outcome(cloud: Cloud) -> None:
    """P26: the answer that never came may have been yes."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=Fault.TIMEOUT)
    door = AwsDoor(cloud.session(), "eu-west-1", cloud.endpoint_url, read_timeout=0.3)

    with pytest.raises(OutcomeUnknown):
        administered(cloud, door).set_password(NEW, current=None)

    assert (cloud.calls["AdminSetUserPassword"], ann.changes) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.THROTTLE, TargetUnavailable),
        (Refusal("LimitExceededException", "Attempt limit exceeded"), TargetUnavailable),
        (Refusal("ForbiddenException", "Request not allowed due to WAF block.", 403), TargetUnavailable),
        (Fault.EXPIRED_TOKEN, RotationDenied),
        (Refusal("UserNotFoundException", "User does not exist."), TargetUnfit),
        (Fault.INVALID_PARAMETER, NewSecretRejected),
    ],
)
def test_a_clear_no_has_changed_nothing(cloud: Cloud, door: AwsDoor, fault, kind: type[Exception]) -> None:
    """P26: each refusal is told apart, and nothing is repeated."""
    ann = cloud.pool.add_user("ann", OLD.reveal())
    cloud.fail("AdminSetUserPassword", call=1, fault=fault)

    with pytest.raises(kind) as caught:
        administered(cloud, door).set_password(NEW, current=None)

    assert (ann.changes, cloud.calls["AdminSetUserPassword"]) == (0, 1)
    assert NEW.reveal() not in str(caught.value)


@pytest.mark.parametrize("candidate", ["Sh0rt!", "no-upper-case-1", "White Sp4ce!!", "Xx1!" * 65])
def test_a_password_against_the_policy_is_rejected(cloud: Cloud, door: AwsDoor, candidate: str) -> None:
    """P26: what the pool refuses, for its form or for its length, is not live."""
    ann = cloud.pool.add_user("ann", OLD.reveal())

    with pytest.raises(NewSecretRejected):
        administered(cloud, door).set_password(Secret(candidate), current=None)

    assert ann.changes == 0


def test_a_password_of_the_history_is_rejected_also_the_live_one(cloud: Cloud, door: AwsDoor) -> None:
    """P26: a second sending of the same password meets the history; the sign-in tells that it is live."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.policy = PoolPolicy(history=1)
    target = administered(cloud, door)
    target.set_password(NEW, current=None)

    for used in (NEW, OLD):
        with pytest.raises(NewSecretRejected, match="before"):
            target.set_password(used, current=None)

    assert target.prove(NEW).accepted


def test_without_app_client_nothing_can_be_proved_and_that_is_said(cloud: Cloud, door: AwsDoor) -> None:
    """P26: not verifiable is not accepted."""
    cloud.pool.add_user("ann", OLD.reveal())
    target = AdministeredUser(door.cognito(), pool_user())

    target.examine()

    assert target.prove(OLD) == Proof(Verdict.UNVERIFIABLE, "no app client is configured at which to sign in")
    assert not cloud.calls["InitiateAuth"]


def test_sign_out_ends_every_session(cloud: Cloud, door: AwsDoor) -> None:
    """P26: tokens outlive a change of password unless they are revoked."""
    cloud.pool.add_user("ann", OLD.reveal())
    cloud.pool.tokens["access"] = cloud.pool.refresh_tokens["refresh"] = "ann"
    target = administered(cloud, door)

    target.sign_out()

    assert isinstance(target, SignsOut)
    assert (cloud.pool.tokens, cloud.pool.refresh_tokens) == ({}, {})


@pytest.mark.parametrize("challenge", ["SMS_MFA", "EMAIL_OTP"])
def test_proofs_that_send_messages_are_told(cloud: Cloud, door: AwsDoor, challenge: str) -> None:
    """P26: a person with a telephone should know why it rings."""
    cloud.pool.add_user("ann", OLD.reveal(), challenge=challenge)

    notes = administered(cloud, door).examine().notes

    assert any("message" in note for note in notes)
