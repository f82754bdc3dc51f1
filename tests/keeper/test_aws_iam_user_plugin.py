"""The IAM plugin in a Gateway, over HTTP against the strict fake, which knows whose password is which."""

import logging

import pytest

from deploy.keeper.flatten import ROOT
from tests.fakes.faults import Fault
from tests.fakes.kdnrm.gateway import ConfigRecord, Gateway, Outcome, UserRecord, load_plugin
from tests.fakes.kdnrm.log import Log
from tests.fakes.kdnrm.secret import Secret
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import ACCOUNT, REGION, ROTATOR, Cloud
from tests.fakes.rotation.policies import AccountPolicy

OLD, NEW = "0ld-Passw0rd!-canary", "N3w-Passw0rd!-canary"
FIELDS = {"AWS Access Key ID": ROTATOR.key_id, "AWS Secret Access Key": ROTATOR.secret, "Cloud Region": REGION}
BUSY = Refusal("EntityTemporarilyUnmodifiable", "Login Profile for User bo cannot be modified", 409)
SaasPlugin = load_plugin(ROOT / "deploy/keeper/aws_iam_user/aws_iam_user.py").SaasPlugin


@pytest.fixture
def cloud(monkeypatch):
    """An AWS with the IAM user bo, whom the Gateway rotates."""
    Log.lines.clear()
    with Cloud() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        cloud.account.add_user("bo", OLD)
        yield cloud


def gateway(**more):
    """Return a Gateway with bo's record."""
    return Gateway(ConfigRecord(dict(FIELDS)), UserRecord("bo", OLD), **more)


def password(cloud):
    """Return what signs in to the console."""
    return cloud.account.users["bo"].password


@pytest.mark.parametrize(("alias", "shown"), [("", ACCOUNT), ("my-company", "my-company")])
def test_password_is_changed_and_the_account_is_returned(cloud, alias, shown):
    """P36: the widely read guide to its end: the user's password is rotated and the account id added."""
    cloud.account.alias = alias
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROTATED

    assert keeper.user.password == password(cloud) == NEW
    assert keeper.user.custom == {"account_id_or_alias": shown}
    assert not cloud.account.users["bo"].must_change
    assert [field.type for field in keeper.plugin.return_fields] == ["secret"]


def test_two_permissions_of_the_guide_are_enough(cloud):
    """iam:UpdateLoginProfile and iam:GetLoginProfile; GetCallerIdentity needs none. Without the policy, no rollback."""
    cloud.deny("GetAccountPasswordPolicy", "ListAccountAliases", "GetUser")
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROTATED
    assert not keeper.plugin.can_rollback
    assert password(cloud) == NEW


def test_that_nothing_is_proved_is_said(cloud):
    """IAM has no sign-in for programs."""
    gateway().run(SaasPlugin, NEW)

    assert any("not verifiable" in line for line in Log.lines)
    assert password(cloud) == NEW


@pytest.mark.parametrize("prior", [OLD, (OLD,), Secret((OLD,))], ids=repr)
def test_failing_vault_is_rolled_back(cloud, prior):
    """Fault table, Keeper: the whole password, not its last character."""
    keeper = gateway(vault_fails=True)

    assert keeper.run(SaasPlugin, NEW, prior_password=prior) is Outcome.ROLLED_BACK
    assert password(cloud) == keeper.user.password == OLD


@pytest.mark.parametrize("prior", [None, Secret(None)], ids=repr)
def test_without_a_prior_password_there_is_no_rollback(cloud, prior):
    """Fault table, Keeper: can_rollback tells the truth."""
    assert gateway(vault_fails=True).run(SaasPlugin, NEW, prior_password=prior) is Outcome.NOT_ROLLED_BACK
    assert password(cloud) == NEW


def test_account_that_prevents_reuse_allows_no_rollback(cloud):
    """Fault table, Keeper: PasswordReusePrevention of 1 or more."""
    cloud.account.policy = AccountPolicy(reuse=1)

    assert gateway(vault_fails=True).run(SaasPlugin, NEW) is Outcome.NOT_ROLLED_BACK
    assert password(cloud) == NEW


def test_password_against_the_account_policy_is_refused_before_iam_is_asked(cloud):
    """The Gateway's generator does not know the account's policy; nothing is set, nothing is rolled back."""
    cloud.account.policy = AccountPolicy(minimum=64)
    keeper = gateway()

    keeper.run(SaasPlugin, NEW)

    assert "fewer than 64" in str(keeper.error)
    assert cloud.calls["UpdateLoginProfile"] == 0
    assert password(cloud) == OLD


def test_login_profile_that_is_still_being_made_is_waited_for(cloud):
    """EntityTemporarilyUnmodifiable (terraform-provider-aws#4143)."""
    cloud.fail("UpdateLoginProfile", call=1, times=2, fault=BUSY)

    assert gateway().run(SaasPlugin, NEW) is Outcome.ROTATED
    assert password(cloud) == NEW


@pytest.mark.parametrize(("name", "what"), [("bo", "no console password"), ("cy", "no IAM user 'cy'")])
def test_missing_user_and_missing_console_password_are_told_apart(cloud, name, what):
    """NoSuchEntity is the answer to both."""
    cloud.account.users["bo"].password = None
    keeper = gateway()
    keeper.user.login = name

    keeper.run(SaasPlugin, NEW)

    assert what in str(keeper.error)


def test_account_is_that_of_the_record_not_of_the_host(cloud, monkeypatch):
    """The former plugin asked STS with whatever credentials the host had."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-somebody-else")
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROTATED
    assert keeper.user.custom == {"account_id_or_alias": ACCOUNT}
    assert password(cloud) == NEW


@pytest.mark.parametrize("label", FIELDS)
def test_missing_required_field_is_told_by_the_constructor(label):
    """Contract: all three are required, as in the guide."""
    keeper = gateway()
    del keeper.config.fields[label]

    with pytest.raises(Exception, match=f"the field {label} is required"):
        keeper.run(SaasPlugin, NEW)


def test_unanswered_change_ends_in_the_password_that_the_vault_has(cloud):
    """P26, P36: set again, since nobody can sign in to see; the rollback sets the one before."""
    cloud.fail("UpdateLoginProfile", call=1, times=5, fault=Fault.RESET)
    keeper = gateway()

    keeper.run(SaasPlugin, NEW)

    assert password(cloud) == keeper.user.password


@pytest.mark.parametrize("later", [Fault.THROTTLE, Fault.EXPIRED_TOKEN, Fault.ACCESS_DENIED, BUSY], ids=str)
def test_no_later_refusal_makes_an_unanswered_change_one_without_effect(cloud, later):
    """P26, P36: the first attempt took effect and its reply was lost; a rollback that did nothing would lose it."""
    cloud.fail("UpdateLoginProfile", call=1, fault=Fault.RESET)
    cloud.fail("UpdateLoginProfile", call=2, times=20, fault=later)
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.FAILED

    assert "nobody can know" in str(keeper.error)
    assert "Nothing has changed" not in str(keeper.error)
    assert "no sign-in shows which one is live" in str(keeper.rollback_error)


def test_unanswered_change_is_undone_once_aws_answers_again(cloud):
    """P26, P36: the rollback sets the password that the vault has."""
    cloud.fail("UpdateLoginProfile", call=1, fault=Fault.RESET)
    cloud.fail("UpdateLoginProfile", call=2, times=4, fault=Fault.THROTTLE)
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROLLED_BACK
    assert password(cloud) == keeper.user.password == OLD


def test_change_that_cannot_be_looked_at_afterwards_is_undone(cloud):
    """P26, P36: the credentials end between the change and the look at it; what was set is not "without effect"."""
    cloud.fail("GetLoginProfile", call=2, fault=Fault.EXPIRED_TOKEN)
    keeper = gateway()

    keeper.run(SaasPlugin, NEW)

    assert password(cloud) == keeper.user.password


def test_no_secret_in_any_output(cloud, caplog):
    """P27: whatever fails, at DEBUG."""
    caplog.set_level(logging.DEBUG)
    keeper = gateway(vault_fails=True)
    cloud.fail("UpdateLoginProfile", call=1, fault=Fault.RESET)
    keeper.run(SaasPlugin, NEW)
    text = "\n".join([repr(keeper.error), repr(keeper.plugin.return_fields), *Log.lines, caplog.text])

    assert [canary for canary in (OLD, NEW, ROTATOR.secret) if canary in text] == []
