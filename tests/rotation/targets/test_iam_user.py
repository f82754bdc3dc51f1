"""Rotating the console password of an IAM user, of which nothing can be proved."""

from urllib.parse import urlsplit

import boto3
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
from connector.rotation.model.policy import IAM_DEFAULT, CharacterClass
from connector.rotation.model.ports import Verdict
from connector.rotation.model.secret import Secret
from connector.rotation.targets.iam_user import AwsAccount, IamUser
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import ACCOUNT, ROTATOR, Cloud
from tests.fakes.rotation.policies import AccountPolicy
from tests.rotation.people import NEW, OLD


@pytest.fixture
def target(door: AwsDoor) -> IamUser:
    """Bo, who may be rotated."""
    return IamUser(door.iam(), door.sts(), username="bo", allowed=Allowed.only(["bo"]))


def test_the_password_is_set_for_good(cloud: Cloud, target: IamUser) -> None:
    """P26: UpdateLoginProfile, with no change asked of the user."""
    bo = cloud.account.add_user("bo", OLD.reveal())
    bo.must_change = True

    state = target.examine().state
    target.set_password(NEW, current=None)

    assert (bo.password, bo.must_change) == (NEW.reveal(), False)
    assert (state, target.examine().state) == ("to be changed at the next sign-in", "permanent")
    assert (target.identity, target.needs_current) == (f"iam-user {ACCOUNT}/bo", False)


@pytest.mark.parametrize(("must_change", "words"), [(False, "no change is asked"), (True, "must change it")])
def test_nothing_is_claimed_that_cannot_be_seen(
    cloud: Cloud, target: IamUser, words: str, *, must_change: bool
) -> None:
    """P26: IAM offers no sign-in; the right and a wrong password look the same."""
    cloud.account.add_user("bo", OLD.reveal()).must_change = must_change

    proofs = {target.prove(OLD), target.prove(NEW)}

    assert len(proofs) == 1
    assert proofs.copy().pop().verdict is Verdict.UNVERIFIABLE
    assert words in proofs.copy().pop().detail
    assert "no sign-in that proves" in proofs.pop().detail
    assert target.examine().notes == ()


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.ERROR_500, Fault.RESET])
def test_what_cannot_even_be_looked_at_is_not_verifiable_either(cloud: Cloud, target: IamUser, fault: Fault) -> None:
    """P26: a look that fails is no failed proof."""
    cloud.account.add_user("bo", OLD.reveal())
    cloud.fail("GetLoginProfile", call=1, fault=fault)

    proof = target.prove(OLD)

    assert proof.verdict is Verdict.UNVERIFIABLE
    assert "exists" not in proof.detail


def test_only_who_is_on_the_list_is_rotated(cloud: Cloud, door: AwsDoor) -> None:
    """P26: known before IAM is asked anything."""
    cloud.account.add_user("bo", OLD.reveal())

    with pytest.raises(NotAllowed):
        IamUser(door.iam(), door.sts(), username="bo", allowed=Allowed.only(["ann"])).examine()
    assert not cloud.calls


@pytest.mark.parametrize(
    ("exists", "readable", "words"),
    [(False, True, "no IAM user"), (True, True, "has no console password"), (True, False, "does not exist or has no")],
)
def test_no_user_and_no_console_password_are_told_apart(
    cloud: Cloud, target: IamUser, words: str, *, exists: bool, readable: bool
) -> None:
    """P26: GetLoginProfile says NoSuchEntity to both; GetUser knows, where it may be asked."""
    if exists:
        cloud.account.add_user("bo")
    if not readable:
        cloud.deny("GetUser")

    with pytest.raises(TargetUnfit, match=words):
        target.examine()


def test_the_policy_is_the_accounts(cloud: Cloud, target: IamUser) -> None:
    """P26: length, classes, IAM's own symbols, and how many passwords are remembered."""
    cloud.account.add_user("bo", OLD.reveal())
    cloud.account.policy = AccountPolicy(minimum=14, upper=True, symbols=True, reuse=5)

    policy = target.examine().policy

    assert (policy.minimum_length, policy.maximum_length, policy.history) == (14, 128, 5)
    assert policy.required == {CharacterClass.UPPERCASE, CharacterClass.SYMBOL}
    assert (policy.symbols, policy.known) == (IAM_DEFAULT.symbols, True)


def test_an_account_without_policy_has_that_of_aws(cloud: Cloud, target: IamUser) -> None:
    """P26: NoSuchEntity of GetAccountPasswordPolicy means eight characters of three classes."""
    cloud.account.add_user("bo", OLD.reveal())

    assert target.examine().policy == IAM_DEFAULT


def test_a_policy_that_may_not_be_read_is_assumed_strict_and_told(cloud: Cloud, target: IamUser) -> None:
    """P26: the user guides of rotators ask for two rights only, and this is not one of them."""
    cloud.account.add_user("bo", OLD.reveal())
    cloud.deny("GetAccountPasswordPolicy")

    account = target.examine()

    assert (account.policy.minimum_length, account.policy.maximum_length, account.policy.known) == (16, 128, False)
    assert "GetAccountPasswordPolicy" in account.notes[0]


@pytest.mark.parametrize("operation", ["GetLoginProfile", "UpdateLoginProfile"])
def test_a_missing_right_is_named(cloud: Cloud, target: IamUser, operation: str) -> None:
    """P26: the remedy is the action to allow."""
    cloud.account.add_user("bo", OLD.reveal())
    cloud.deny(operation)

    with pytest.raises(RotationDenied, match=f"Allow iam:{operation}"):
        target.set_password(NEW, current=None) if operation.startswith("Update") else target.prove(OLD)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Refusal("EntityTemporarilyUnmodifiable", "being created", 409), TargetUnavailable),
        (Refusal("Throttling", "Rate exceeded"), TargetUnavailable),
        (Refusal("LimitExceeded", "Too many", 409), TargetUnavailable),
        (Refusal("NoSuchEntity", "gone", 404), TargetUnfit),
        (Refusal("ExpiredToken", "expired", 403), RotationDenied),
        (Refusal("InvalidClientTokenId", "unknown", 403), RotationDenied),
        (Refusal("ValidationError", "password is not Latin-1"), NewSecretRejected),
    ],
)
def test_a_clear_no_has_changed_nothing(cloud: Cloud, target: IamUser, fault, kind: type[Exception]) -> None:
    """P26: each refusal is told apart, and nothing is repeated."""
    bo = cloud.account.add_user("bo", OLD.reveal())
    cloud.fail("UpdateLoginProfile", call=1, fault=fault)

    with pytest.raises(kind):
        target.set_password(NEW, current=None)

    assert (bo.password, cloud.calls["UpdateLoginProfile"]) == (OLD.reveal(), 1)


@pytest.mark.parametrize("fault", [Fault.UNHEARD, Fault.RESET, Fault.FAILED_AFTER, Fault.ERROR_500, Fault.HTML])
def test_no_clear_answer_is_an_unknown_outcome_and_one_request(cloud: Cloud, target: IamUser, fault: Fault) -> None:
    """P26: no sign-in will tell what became of it, so it is all the more important to say so."""
    bo = cloud.account.add_user("bo", OLD.reveal())
    cloud.fail("UpdateLoginProfile", call=1, fault=fault)

    with pytest.raises(OutcomeUnknown):
        target.set_password(NEW, current=None)

    assert cloud.calls["UpdateLoginProfile"] == 1
    assert (bo.password == NEW.reveal()) is (fault in (Fault.RESET, Fault.FAILED_AFTER))


@pytest.mark.parametrize("refused", ["Sh0rt!", "alllowercase", "X1!" * 43])
def test_a_password_against_the_policy_is_rejected(cloud: Cloud, target: IamUser, refused: str) -> None:
    """P26: AWS's default and its longest password."""
    bo = cloud.account.add_user("bo", OLD.reveal())

    with pytest.raises(NewSecretRejected):
        target.set_password(Secret(refused), current=None)

    assert bo.password == OLD.reveal()


def test_a_password_that_was_used_before_is_rejected(cloud: Cloud, target: IamUser) -> None:
    """P26: PasswordReusePrevention leaves no way back."""
    cloud.account.add_user("bo", OLD.reveal())
    cloud.account.policy = AccountPolicy(reuse=2)
    target.set_password(NEW, current=None)

    for used in (NEW, OLD):
        with pytest.raises(NewSecretRejected):
            target.set_password(used, current=None)


@pytest.mark.parametrize("denied", [(), ("ListAccountAliases",)])
def test_the_account_is_that_of_the_same_credentials(cloud: Cloud, target: IamUser, denied) -> None:
    """P26: STS is asked once, with the credentials that rotate; the alias is told where it may be read."""
    cloud.account.alias = "example-company"
    cloud.deny(*denied)

    account = target.account()

    assert account == AwsAccount(ACCOUNT, "aws", "" if denied else "example-company")
    assert (target.identity, cloud.calls["GetCallerIdentity"]) == (f"iam-user {ACCOUNT}/bo", 1)


def test_an_account_without_alias_has_none(target: IamUser) -> None:
    """P26: most accounts have none."""
    assert target.account().alias == ""


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "iam.amazonaws.com"),
        ("us-gov-west-1", "iam.us-gov.amazonaws.com"),
        ("cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_region_leads_to_the_partition(region: str, host: str) -> None:
    """P26: GovCloud and China have an IAM and an STS of their own."""
    door = AwsDoor(boto3.Session(ROTATOR.key_id, ROTATOR.secret), region)

    assert urlsplit(door.iam().meta.endpoint_url).hostname == host
    assert region in door.sts().meta.endpoint_url
