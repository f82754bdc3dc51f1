"""The Cognito plugin in a Gateway, over HTTP against the strict fake; at the end somebody signs in."""

import logging

import pytest

from deploy.keeper.flatten import ROOT
from tests.fakes.faults import Fault, RefusedAfter
from tests.fakes.kdnrm.gateway import ConfigRecord, Gateway, Outcome, UserRecord, load_plugin
from tests.fakes.kdnrm.log import Log
from tests.fakes.kdnrm.saas_type import AwsConfig
from tests.fakes.kdnrm.secret import Secret
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import POOL_ID, REGION, ROTATOR, Cloud
from tests.fakes.rotation.policies import PoolPolicy

OLD, NEW, WEAK = "0ld-Passw0rd!-canary", "N3w-Passw0rd!;<>?.,-canary", "weak-canary"
FIELDS = {
    "AWS Access Key ID": ROTATOR.key_id,
    "AWS Secret Access Key": ROTATOR.secret,
    "User Pool ID": POOL_ID,
    "Cloud Region": REGION,
    "App Client ID": "app",
}
SaasPlugin = load_plugin(ROOT / "deploy/keeper/aws_cognito/aws_cognito.py").SaasPlugin


@pytest.fixture
def cloud(monkeypatch):
    """An AWS with the user ann, whom the Gateway rotates."""
    Log.lines.clear()
    with Cloud() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        cloud.pool.add_user("ann", OLD)
        cloud.pool.add_client("app")
        yield cloud


def gateway(fields=FIELDS, **more):
    """Return a Gateway with ann's record."""
    return Gateway(ConfigRecord(dict(fields)), UserRecord("ann", OLD), **more)


def without(*labels, **added):
    """Return the configuration without some fields, and with others."""
    return {label: value for label, value in FIELDS.items() if label not in labels} | added


def test_password_is_changed_proved_and_kept(cloud):
    """P36: the widely read guide to its end; the vault keeps the password that signs in."""
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROTATED

    assert keeper.user.password == NEW
    assert cloud.pool.signs_in("ann", NEW)
    assert not cloud.pool.signs_in("ann", OLD)
    assert keeper.user.custom == {"cloud_region": REGION}
    assert cloud.calls["InitiateAuth"] > 0


@pytest.mark.parametrize(
    "fields",
    [
        without("Cloud Region", **{"AWS Region": REGION}),
        without("Cloud Region"),
        without("App Client ID"),
        {**FIELDS, "App Client Flow": "USER_PASSWORD_AUTH"},
        {**FIELDS, "App Client Flow": "ADMIN_USER_PASSWORD_AUTH"},
        {label: f"  {value} " for label, value in FIELDS.items()},
    ],
    ids=["later label", "region of the pool", "no app client", "password flow", "admin flow", "blanks"],
)
def test_records_of_both_generations_work(cloud, fields):
    """A drop-in: "Cloud Region" of the first plugin, "AWS Region" of the second, and what we add is optional."""
    assert gateway(fields).run(SaasPlugin, NEW) is Outcome.ROTATED
    assert cloud.pool.signs_in("ann", NEW)


@pytest.mark.parametrize("regions", [[REGION, "us-east-1"], REGION])
def test_credentials_come_from_the_pam_configuration_where_the_record_has_none(cloud, regions):
    """The second generation's way; `plugin_test --configuration-uid` gives the Regions as one text."""
    provider = AwsConfig(
        aws_access_key_id=Secret(ROTATOR.key_id),
        aws_secret_access_key=Secret(ROTATOR.secret),
        region_names=regions,
    )
    fields = without("AWS Access Key ID", "AWS Secret Access Key", "Cloud Region")

    assert gateway(fields, provider=provider).run(SaasPlugin, NEW) is Outcome.ROTATED
    assert cloud.pool.signs_in("ann", NEW)


def test_missing_pool_is_told_by_the_constructor():
    """Contract: `For {name}, the field {label} is required`."""
    keeper = gateway(without("User Pool ID"))

    with pytest.raises(Exception, match="the field User Pool ID is required"):
        keeper.run(SaasPlugin, NEW)


@pytest.mark.parametrize("prior", [OLD, (OLD,), [OLD], Secret(OLD), Secret((OLD,))], ids=repr)
def test_failing_vault_is_rolled_back_whatever_shape_the_prior_password_has(cloud, prior):
    """Fault table, Keeper: `plugin_test run --fail` gives a tuple; rolled back, and proved by signing in."""
    keeper = gateway(vault_fails=True)

    assert keeper.run(SaasPlugin, NEW, prior_password=prior) is Outcome.ROLLED_BACK

    assert cloud.pool.signs_in("ann", OLD)
    assert keeper.user.password == OLD
    assert keeper.user.custom == {}


@pytest.mark.parametrize("prior", [None, Secret(None), (), (None,), "", [OLD, "another-0ne!"]], ids=repr)
def test_without_one_prior_password_there_is_no_rollback(cloud, prior):
    """Fault table, Keeper: `--no-old-password`; can_rollback tells the truth, and nothing is guessed."""
    keeper = gateway(vault_fails=True)

    assert keeper.run(SaasPlugin, NEW, prior_password=prior) is Outcome.NOT_ROLLED_BACK

    assert cloud.pool.signs_in("ann", NEW)
    assert any("cannot be rolled back" in line for line in Log.lines)


def test_pool_that_remembers_passwords_allows_no_rollback(cloud):
    """Fault table, Keeper: PasswordHistorySize of 1 or more refuses the prior password, also to an administrator."""
    cloud.pool.policy = PoolPolicy(history=1)
    keeper = gateway(vault_fails=True)

    assert keeper.run(SaasPlugin, NEW) is Outcome.NOT_ROLLED_BACK
    assert cloud.pool.signs_in("ann", NEW)


def test_rollback_that_cannot_be_says_which_password_is_live(cloud):
    """Fault table, Keeper: a Gateway that asks all the same; the value itself is never shown."""
    cloud.pool.policy = PoolPolicy(history=1)
    keeper = gateway()
    keeper.run(SaasPlugin, NEW)

    with pytest.raises(Exception, match="the new one is live") as caught:
        keeper.plugin.rollback_password()

    assert type(caught.value).__name__ == "SaasException"
    assert cloud.pool.signs_in("ann", NEW)


def test_rollback_of_what_had_no_effect_sends_nothing(cloud):
    """Fault table, Keeper: do not set the prior password blindly."""
    cloud.pool.policy = PoolPolicy(minimum=50)
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROLLED_BACK

    assert cloud.calls["AdminSetUserPassword"] == 0
    assert cloud.pool.signs_in("ann", OLD)


def test_weak_password_is_refused_before_cognito_is_asked_to_set_it(cloud):
    """Fault table, Keeper: the Gateway's generator does not know the pool's policy; the error says what is wrong."""
    keeper = gateway()

    keeper.run(SaasPlugin, WEAK)

    assert "does not meet the policy" in str(keeper.error)
    assert "uppercase" in str(keeper.error)
    assert cloud.calls["AdminSetUserPassword"] == 0
    assert cloud.pool.users["ann"].changes == 0


@pytest.mark.parametrize("new", [None, Secret(None), "", ()], ids=repr)
def test_missing_new_password_changes_nothing(cloud, new):
    """Fault table, Keeper: an error of the plugin's own, no AttributeError."""
    keeper = gateway()

    keeper.run(SaasPlugin, new)

    assert type(keeper.error).__name__ == "SaasException"
    assert cloud.calls["AdminSetUserPassword"] == 0


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.FAILED_AFTER, Fault.UNHEARD, Fault.ERROR_500, Fault.THROTTLE])
@pytest.mark.parametrize("history", [0, 5])
def test_lost_reply_is_settled_by_signing_in(cloud, fault, history):
    """P26, P36: after any error of the call that sets it, a sign-in decides."""
    cloud.pool.policy = PoolPolicy(history=history)
    cloud.fail("AdminSetUserPassword", call=1, fault=fault)

    keeper = gateway()
    assert keeper.run(SaasPlugin, NEW) is Outcome.ROTATED
    assert cloud.pool.signs_in("ann", NEW)


def test_change_that_never_gets_an_answer_is_rolled_back_to_what_signs_in(cloud):
    """P26, P36: the vault's password lives, whether or not the change was applied in the end."""
    cloud.fail("AdminSetUserPassword", call=1, times=5, fault=Fault.UNHEARD)
    keeper = gateway()

    assert keeper.run(SaasPlugin, NEW) is Outcome.ROLLED_BACK
    assert cloud.pool.signs_in("ann", keeper.user.password)


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"status": "EXTERNAL_PROVIDER"}, "federated"),
        ({"enabled": False}, "disabled"),
        ({"status": "UNCONFIRMED"}, "UNCONFIRMED"),
    ],
)
def test_user_whose_password_is_not_to_be_set_is_left_alone(cloud, about, what):
    """Fault table, preflight: AdminSetUserPassword would turn a federated user into a local one."""
    for name, value in about.items():
        setattr(cloud.pool.users["ann"], name, value)
    keeper = gateway()

    keeper.run(SaasPlugin, NEW)

    assert what in str(keeper.error)
    assert cloud.calls["AdminSetUserPassword"] == 0


@pytest.mark.parametrize(
    ("denied", "what"),
    [("AdminSetUserPassword", "cognito-idp:AdminSetUserPassword"), ("AdminGetUser", "cognito-idp:AdminGetUser")],
)
def test_missing_permission_is_named(cloud, denied, what):
    """No "Could not change AWS Cognito password." for all and everything."""
    cloud.deny(denied)
    keeper = gateway()

    keeper.run(SaasPlugin, NEW)

    assert what in str(keeper.error)
    assert cloud.pool.signs_in("ann", OLD)


def test_half_a_credential_is_refused(cloud):
    """Never mix a key of the record with a secret of somewhere else."""
    keeper = gateway(without("AWS Secret Access Key"))

    keeper.run(SaasPlugin, NEW)

    assert "needed both" in str(keeper.error)
    assert cloud.calls == {}


@pytest.mark.parametrize(
    ("fields", "sign_ins"), [(without("App Client ID"), None), (FIELDS, Fault.THROTTLE)], ids=["no client", "throttled"]
)
@pytest.mark.parametrize("later", [Fault.THROTTLE, Fault.EXPIRED_TOKEN, Fault.ACCESS_DENIED], ids=str)
def test_no_later_refusal_makes_an_unanswered_change_one_without_effect(cloud, fields, sign_ins, later):
    """P26, P36: the first attempt took effect and its reply was lost; a rollback that did nothing would lose it."""
    cloud.fail("AdminSetUserPassword", call=1, fault=Fault.FAILED_AFTER)
    cloud.fail("AdminSetUserPassword", call=2, times=20, fault=later)
    if sign_ins:  # after the one that shows that a proof is possible
        cloud.fail("RespondToAuthChallenge", call=2, times=50, fault=sign_ins)
    keeper = gateway(fields)

    assert keeper.run(SaasPlugin, NEW) is Outcome.FAILED

    assert "Nothing has changed" not in str(keeper.error)
    assert "no sign-in shows which one is live" in str(keeper.rollback_error)


def test_change_that_may_not_be_proved_afterwards_is_undone(cloud):
    """P26, P36: the right to sign in is missing; what was set is not "without effect"."""
    cloud.deny("AdminInitiateAuth")
    keeper = gateway(FIELDS | {"App Client Flow": "ADMIN_USER_PASSWORD_AUTH"})

    keeper.run(SaasPlugin, NEW)

    assert cloud.pool.signs_in("ann", keeper.user.password)


def test_no_secret_in_any_output(cloud, caplog, capsys):
    """P27: whatever fails, at DEBUG: no password, key, token or session in logs, errors and return fields."""
    caplog.set_level(logging.DEBUG)
    said = []
    for spoil in (Fault.RESET, Fault.HTML, Fault.ACCESS_DENIED, None):
        cloud.calls.clear()
        if spoil:
            cloud.fail("AdminSetUserPassword", call=1, fault=spoil)
        keeper = gateway(vault_fails=spoil is None)
        keeper.run(SaasPlugin, NEW)
        said += [repr(keeper.error), str(keeper.error), repr(keeper.rollback_error), repr(keeper.plugin.return_fields)]
    printed = capsys.readouterr()
    text = "\n".join([*said, *Log.lines, caplog.text, printed.out, printed.err])

    canaries = [OLD, NEW, ROTATOR.secret, *cloud.pool.tokens]
    assert [canary for canary in canaries if canary in text] == []


@pytest.mark.parametrize("code", ["UserNotFoundException", "NotAuthorizedException", "InvalidPasswordException"])
@pytest.mark.parametrize("fields", [FIELDS, without("App Client ID")], ids=["app client", "no app client"])
def test_change_that_is_refused_after_its_effect_is_never_taken_for_none(cloud, fields, code):
    """P26, P36: a sign-in finds it; without one the prior password is set again, and nobody is told otherwise."""
    refusal = Refusal(code, "It is said to have failed.")
    cloud.fail("AdminSetUserPassword", call=1, fault=RefusedAfter(refusal))
    keeper = gateway(fields)

    outcome = keeper.run(SaasPlugin, NEW)

    assert cloud.pool.signs_in("ann", keeper.user.password)
    assert outcome is (Outcome.ROTATED if fields is FIELDS else Outcome.ROLLED_BACK)
    assert not [line for line in Log.lines if "Nothing to roll back" in str(line)]
