"""The four steps of Secrets Manager, over HTTP against the strict fake (facts: AWS's rotation templates)."""

import json
from dataclasses import replace

import pytest

from connector.errors import (
    CurrentRefused,
    NewSecretRejected,
    NotAllowed,
    NotProven,
    OutcomeUnknown,
    TargetUnavailable,
    VaultUnfit,
)
from connector.rotation.function.environment import read_environment
from connector.rotation.model.allowed import Allowed
from connector.rotation.secrets_manager_function import Step, StepRequest
from connector.rotation.sign_in.flows import Flow
from connector.rotation.targets.secret_target import Deployment
from connector.rotation.vaults.secret_document import Mode
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import POOL_ID, Cloud
from tests.fakes.rotation.policies import PoolPolicy
from tests.rotation.function.aws_rotates import BLOG, NAME, OLD, TOTP_SEED, USER, WAYS, AwsRotates

NOT_THERE_YET = Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value")
ROTATION_TOKEN = "11111111-2222-3333-4444-555555555555"
OTHER = "0therPassword-of-somebody-else"


@pytest.fixture
def cloud():
    """An AWS of its own."""
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def aws(cloud):
    """The secret of the guide, about a user of the guide."""
    return AwsRotates(cloud)


@pytest.mark.parametrize("keys", WAYS.values(), ids=WAYS)
def test_rotation_ends_in_a_password_that_signs_in_and_the_next_one_too(cloud, keys):
    """P26, P35: every way, twice."""
    aws = AwsRotates(cloud, keys)

    assert aws.rotate() == 1
    first = aws.kept()
    assert aws.rotate() == 1

    aws.assert_rotated()
    assert aws.kept("AWSPREVIOUS") == first


@pytest.mark.parametrize("name", ["clientid", "clientId", "client_id"])
def test_app_client_is_found_under_each_of_its_names(cloud, name):
    """The guide says clientid, the function of its author reads clientId."""
    aws = AwsRotates(cloud)
    document = json.loads(aws.secret.text("AWSCURRENT"))
    document[name] = document.pop("clientid")
    aws.secret.versions[aws.secret.labels["AWSCURRENT"]] = json.dumps(document)

    aws.rotate()

    assert aws.signs_in()
    assert {**document, "password": aws.kept()["password"]} == aws.kept()


def test_temporary_password_is_replaced_in_the_sign_in(aws, cloud):
    """The guide's user begins with one: NEW_PASSWORD_REQUIRED."""
    cloud.pool.users[USER].status = "FORCE_CHANGE_PASSWORD"

    aws.rotate()

    aws.assert_rotated()
    assert cloud.pool.users[USER].status == "CONFIRMED"


def test_seed_of_the_authenticator_is_read_from_a_secret_of_its_own(cloud):
    """The fuller shape: a user with a second factor, the user's own way."""
    aws = AwsRotates(cloud, {"totp_secret_id": "seeds/freddy"})
    cloud.pool.users[USER].totp = TOTP_SEED
    cloud.secrets.create("seeds/freddy", TOTP_SEED)

    aws.rotate()

    aws.assert_rotated()


def test_administrator_replaces_a_kept_password_that_is_dead(cloud):
    """Fault table, set: nothing signs in; the administrator's way sets what is pending."""
    aws = AwsRotates(cloud, WAYS["administrator"])
    cloud.pool.users[USER].password = OTHER

    aws.rotate()

    aws.assert_rotated()


def test_user_without_a_working_password_is_left_alone(aws, cloud):
    """Fault table, create: nothing signs in; the user's own way puts and changes nothing."""
    cloud.pool.users[USER].password = OTHER

    with pytest.raises(CurrentRefused):
        aws.step("createSecret", aws.begin())

    assert cloud.pool.signs_in(USER, OTHER)
    assert (cloud.calls["PutSecretValue"], cloud.calls["ChangePassword"]) == (0, 0)


def test_previous_password_helps_where_the_current_one_is_dead(aws, cloud):
    """Fault table, set: current dead, previous alive."""
    aws.rotate()
    cloud.pool.users[USER].password = OLD

    aws.rotate()

    assert aws.signs_in()


def test_rotation_that_is_switched_off_is_an_error(aws):
    """Fault table, preflight."""
    token = aws.begin()
    aws.secret.rotation_enabled = False

    with pytest.raises(ValueError, match="switched off"):
        aws.step("createSecret", token)


def test_rotation_that_was_never_said_to_be_on_is_run(aws):
    """RotationEnabled may be absent: a rotation that is only tested."""
    aws.secret.rotation_enabled = None

    aws.rotate()

    aws.assert_rotated()


@pytest.mark.parametrize("step", Step)
def test_version_without_stage_is_an_error(aws, cloud, step):
    """Fault table, preflight: a token that Secrets Manager did not give."""
    with pytest.raises(ValueError, match="no stage"):
        aws.step(step, "0" * 32)

    assert set(cloud.calls) == {"DescribeSecret"}


def test_version_with_another_stage_is_an_error(aws):
    """Fault table, preflight: neither current nor pending."""
    aws.rotate()

    with pytest.raises(ValueError, match="AWSPENDING"):
        aws.step("setSecret", aws.secret.labels["AWSPREVIOUS"])


@pytest.mark.parametrize("step", Step)
def test_version_that_is_current_already_is_done(aws, cloud, step):
    """Fault table, preflight and finish: the reply to the move was lost, and the whole rotation is run again."""
    aws.rotate()
    cloud.calls.clear()

    aws.step(step, aws.secret.labels["AWSCURRENT"])

    assert set(cloud.calls) == {"DescribeSecret"}


def test_pending_value_is_kept(aws, cloud):
    """Fault table, create: a version's content never changes."""
    token = aws.begin()
    aws.step("createSecret", token)
    staged = aws.kept("AWSPENDING")

    aws.step("createSecret", token)

    assert aws.kept("AWSPENDING") == staged
    assert cloud.calls["PutSecretValue"] == 1


def test_value_that_somebody_put_meanwhile_is_used(aws, cloud):
    """Fault table, create: ResourceExistsException; two deliveries of one step race."""
    token = aws.begin()
    twin = json.dumps({**aws.kept(), "password": "Put-by-the-0ther-delivery"})
    cloud.before("PutSecretValue", call=1, do=lambda: aws.secret.versions.update({token: twin}))

    aws.steps(token)

    aws.assert_rotated()
    assert aws.kept()["password"] == "Put-by-the-0ther-delivery"


def test_rotation_token_is_shown_to_put_secret_value(aws):
    """Contract: where the function assumes a role or works across accounts."""
    aws.step("createSecret", aws.begin(), RotationToken=ROTATION_TOKEN)

    assert aws.secret.rotation_tokens == [ROTATION_TOKEN]


def test_every_step_may_be_delivered_twice(aws):
    """Fault table, set: retry after success; the step is re-entrant."""
    token = aws.begin()

    for step in Step:
        aws.step(step, token)
        aws.step(step, token)

    aws.assert_rotated()


def test_value_that_cannot_be_read_yet_is_waited_for(aws, cloud):
    """AWSPENDING readable in createSecret, and not yet in setSecret (aws-sdk-js-v3#7701)."""
    token = aws.begin()
    aws.step("createSecret", token)
    seen = cloud.calls["GetSecretValue"]
    cloud.fail("GetSecretValue", call=seen + 2, fault=NOT_THERE_YET)

    for step in list(Step)[1:]:
        aws.step(step, token)

    aws.assert_rotated()


@pytest.mark.parametrize("step", list(Step)[1:])
def test_version_that_never_gets_a_value_is_an_error(aws, cloud, step):
    """Steps out of order: nothing is generated, set or promoted but by createSecret and what follows it."""
    token = aws.begin()

    with pytest.raises(VaultUnfit, match="no value"):
        aws.step(step, token)

    assert cloud.calls["PutSecretValue"] == cloud.calls["ChangePassword"] == 0
    assert aws.secret.labels["AWSCURRENT"] != token


@pytest.mark.parametrize("step", ["testSecret", "finishSecret"])
def test_password_that_was_not_set_is_neither_passed_nor_promoted(aws, step):
    """Steps out of order: test and finish before set."""
    token = aws.begin()
    aws.step("createSecret", token)

    with pytest.raises(NotProven, match="current one still signs in"):
        aws.step(step, token)

    assert aws.secret.labels["AWSCURRENT"] != token
    assert aws.signs_in()


@pytest.mark.parametrize(
    "change", [{"username": "somebody-else"}, {"clientid": "another"}, {"user_pool_id": "eu-west-1_0ther"}]
)
def test_pending_value_of_another_account_is_refused(aws, cloud, change):
    """Fault table, set: username, client or pool differ between current and pending (a confused deputy)."""
    token = aws.begin()
    aws.secret.versions[token] = json.dumps({**aws.kept(), "password": OTHER, **change})

    with pytest.raises(VaultUnfit, match="another account"):
        aws.step("setSecret", token)

    assert cloud.calls["InitiateAuth"] == 0


def test_secret_that_names_another_pool_than_the_function_is_refused(cloud):
    """Who writes a secret cannot send the function's role to another pool."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID})
    aws.deployment = replace(BLOG, pool_id="eu-west-1_0ther")

    with pytest.raises(VaultUnfit, match="this deployment is for eu-west-1_0ther"):
        aws.step("createSecret", aws.begin())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("not json", "not JSON"),
        ("[]", "no object"),
        ('{"username": "freddy-tester", "clientid": "x"}', "no password"),
        ('{"password": "x", "clientid": "x"}', "no username"),
        ('{"username": 7, "password": "x"}', "no text"),
        ('{"username": "freddy-tester", "password": "x", "clientid": "a", "clientId": "b"}', "contradict"),
        ('{"username": "freddy-tester", "password": "x"}', "No app client"),
        ('{"username": "freddy-tester", "password": "x", "clientid": "a", "mode": "root"}', "mode is none of"),
        ('{"username": "freddy-tester", "password": "x", "clientid": "a", "mode": "admin"}', "does not allow"),
        (
            '{"username": "freddy-tester", "password": "x", "clientid": "a", "auth_flow": "USER_SRP_AUTH"}',
            "needs the id",
        ),
    ],
)
def test_secret_that_cannot_be_used_fails_before_anything_is_put(aws, cloud, text, what):
    """Fault table, create: not JSON, keys missing or contradicting each other."""
    aws.secret.versions[aws.secret.labels["AWSCURRENT"]] = text

    with pytest.raises(VaultUnfit, match=what):
        aws.step("createSecret", aws.begin())

    assert cloud.calls["PutSecretValue"] == 0


def test_password_meets_the_policy_of_the_pool(cloud):
    """Forty characters: where the guide's function fails at every retry."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID})
    cloud.pool.policy = PoolPolicy(minimum=40)

    aws.rotate()

    aws.assert_rotated()
    assert len(aws.kept()["password"]) >= 40


def test_pending_password_against_a_stricter_policy_is_reported_before_cognito_is_asked(cloud):
    """Fault table, create: a poison pending value; it is proved not to be live, and stays."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID})
    token = aws.begin()
    aws.step("createSecret", token)
    cloud.pool.policy = PoolPolicy(minimum=99)

    for step in ("createSecret", "setSecret"):
        with pytest.raises(NewSecretRejected, match="Remove the pending value"):
            aws.step(step, token)

    assert cloud.calls["ChangePassword"] == 0
    assert aws.kept("AWSPENDING") is not None
    assert aws.signs_in()


def test_pending_password_that_is_live_is_finished_whatever_the_policy_says_now(cloud):
    """Fault table, create: never discarded without the proof that it is not live."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID})
    token = aws.begin()
    aws.step("createSecret", token)
    aws.step("setSecret", token)
    cloud.pool.policy = PoolPolicy(minimum=99)

    aws.rotate(token)

    aws.assert_rotated()


def test_lost_reply_on_a_pool_with_a_history_is_no_failure(cloud):
    """Fault table, set: PasswordHistoryPolicyViolation on the second send means that the first one was applied."""
    aws = AwsRotates(cloud, WAYS["administrator"])
    cloud.pool.policy = PoolPolicy(history=5)
    cloud.fail("AdminSetUserPassword", call=1, fault=Fault.RESET)

    assert aws.rotate() == 1

    aws.assert_rotated()


def test_locked_out_user_is_not_taken_for_a_wrong_password(aws, cloud):
    """Fault table, set: "Password attempts exceeded" changes nothing."""
    token = aws.begin()
    aws.step("createSecret", token)
    cloud.pool.users[USER].failures, cloud.pool.users[USER].locked_until = 9, 600

    with pytest.raises(OutcomeUnknown):
        aws.step("setSecret", token, seconds_left=2)

    assert cloud.calls["ChangePassword"] == 0
    assert aws.signs_in()


def test_only_testing_a_rotation_changes_nothing(aws):
    """RotateImmediately=False: testSecret alone, on a pending copy of the current value."""
    token = aws.begin()
    aws.secret.versions[token] = aws.secret.text("AWSCURRENT")
    before = dict(aws.secret.versions), dict(aws.secret.labels)

    aws.step("testSecret", token)

    assert (aws.secret.versions, aws.secret.labels) == before
    assert aws.signs_in()


def test_test_fails_while_the_pending_password_is_not_the_one(aws, cloud):
    """Fault table, test: somebody reset it; the rotation that is run again sets it once more."""
    token = aws.begin()
    aws.step("createSecret", token)
    aws.step("setSecret", token)
    cloud.pool.users[USER].password = OLD

    with pytest.raises(NotProven, match="current one still signs in"):
        aws.step("testSecret", token)

    assert aws.rotate(token) == 1
    aws.assert_rotated()


def test_outstanding_factor_passes_the_test(cloud):
    """Fault table, test: a code is asked for only behind the right password."""
    aws = AwsRotates(cloud, WAYS["administrator"])
    cloud.pool.users[USER].challenge = "SMS_MFA"

    aws.rotate()

    assert cloud.pool.users[USER].password == aws.kept()["password"] != OLD


def test_version_becomes_current_where_none_was(aws):
    """Fault table, finish: no holder of AWSCURRENT; RemoveFromVersionId is left out."""
    token = aws.begin()
    aws.step("createSecret", token)
    del aws.secret.labels["AWSCURRENT"]

    aws.step("finishSecret", token)

    assert aws.secret.labels["AWSCURRENT"] == token


def test_pending_label_is_left_to_aws(aws):
    """Fault table, finish: harmless on the current version, and AWS tidies it up."""
    token = aws.begin()

    aws.steps(token)

    assert aws.secret.labels["AWSPENDING"] == aws.secret.labels["AWSCURRENT"] == token


def test_waiting_ends_before_the_time_of_the_function(aws, cloud):
    """Fault table, set: backoff within the function's time, then an error that may be repeated."""
    token = aws.begin()
    aws.step("createSecret", token)
    cloud.fail("ChangePassword", call=1, times=99, fault=Fault.THROTTLE)
    cloud.clock.slept.clear()

    with pytest.raises(TargetUnavailable):
        aws.step("setSecret", token, seconds_left=20)

    assert 0 < sum(cloud.clock.slept) < 20
    assert aws.signs_in()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Step": "createSecret", "SecretId": NAME},
        {"Step": "createSecret", "ClientRequestToken": "t" * 32},
        {"Step": "dropSecret", "SecretId": NAME, "ClientRequestToken": "t" * 32},
        {"Step": "createSecret", "SecretId": f'{NAME}\n{{"level": "INFO"}}', "ClientRequestToken": "t" * 32},
        {"Step": "createSecret", "SecretId": NAME, "ClientRequestToken": "t\r\n"},
        {"Step": ["createSecret"], "SecretId": NAME, "ClientRequestToken": "t" * 32},
        {"Step": "createSecret", "SecretId": 7, "ClientRequestToken": "t" * 32},
    ],
)
def test_event_that_is_none_of_a_rotation_is_refused(event):
    """Fault table, any: fields of an event forge no line of the log (CWE-117), and reach no request."""
    with pytest.raises(ValueError, match="The event names no"):
        StepRequest.read(event)


@pytest.mark.parametrize(("text", "step"), [("create_secret", Step.CREATE), ("finishSecret", Step.FINISH)])
def test_step_is_known_by_both_of_its_names(text, step):
    """The user guide writes create_secret, events say createSecret."""
    read = StepRequest.read({"Step": text, "SecretId": NAME, "ClientRequestToken": "t" * 32})

    assert read == StepRequest(step, NAME, "t" * 32, None)


def test_environment_of_the_function_is_none_of_the_commands():
    """P35: exported for both, it neither disturbs the command's configuration nor is overlooked."""
    environment = {
        "ROTATION_USER_POOL_ID": POOL_ID,
        "ROTATION_MODE": "admin",
        "ROTATION_AUTH_FLOW": "USER_SRP_AUTH",
        "ROTATION_ALLOWED_USERS": "svc-*, robot",
        "ROTATION_ALLOWED_GROUPS": "rotated",
    }

    read = read_environment(environment)

    assert (read.pool_id, read.mode, read.flows) == (POOL_ID, Mode.ADMIN, (Flow.USER_SRP_AUTH,))
    assert (read.administered.patterns, read.administered.groups) == (("svc-*", "robot"), {"rotated"})
    assert (read.client, read.unproved, read.self_served.everyone) == (None, False, True)
    assert not [name for name in environment if name.startswith("COGNITO_SCIM_")]
    with pytest.raises(VaultUnfit, match="ROTATION_MODE is none of"):
        read_environment({"ROTATION_MODE": "banana"})


@pytest.mark.parametrize(
    ("administered", "rotated"),
    [
        (Allowed(), False),
        (Allowed(patterns=("robot-*",)), False),
        (Allowed(patterns=("ceo*",)), False),
        (Allowed(groups=frozenset({"admins"})), False),
        (Allowed(patterns=("freddy-*",)), True),
        (Allowed(groups=frozenset({"admins", "rotated"})), True),
    ],
)
def test_administrators_way_touches_only_users_that_the_deployment_names(cloud, administered, rotated):
    """P26: who can write one secret must not become any user of the pool; an alias, which users choose, fits none."""
    aws = AwsRotates(cloud, WAYS["administrator"], Deployment(POOL_ID, Mode.ADMIN, administered=administered))
    cloud.pool.users[USER].aliases, cloud.pool.users[USER].groups = {"ceo"}, ["rotated"]
    called = "ceo" if administered.patterns == ("ceo*",) else USER
    text = aws.secret.text("AWSCURRENT").replace(f'"{USER}"', f'"{called}"')
    aws.secret.versions[aws.secret.labels["AWSCURRENT"]] = text

    if rotated:
        assert aws.rotate() == 1
        return
    with pytest.raises(NotAllowed, match="not on the list"):
        aws.step("createSecret", aws.begin())
    assert cloud.pool.signs_in(USER, OLD)
    assert cloud.calls["PutSecretValue"] == 0


def test_a_secret_cannot_raise_its_own_mode(cloud):
    """P26: whoever may write a secret would make a function of the user's own way set passwords as administrator."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID, "mode": "admin"}, BLOG)

    with pytest.raises(VaultUnfit, match="administrator's way, which this deployment does not allow"):
        aws.step("createSecret", aws.begin())
    assert not cloud.calls["AdminGetUser"]


def test_a_secret_may_choose_the_own_way_where_the_function_is_an_administrator(cloud):
    """P26: lowering the mode needs nobody's leave, and no user needs to be named for it."""
    aws = AwsRotates(cloud, {"user_pool_id": POOL_ID, "mode": "self"}, Deployment(POOL_ID, Mode.ADMIN))

    assert aws.rotate() == 1

    assert (cloud.calls["AdminSetUserPassword"], aws.signs_in()) == (0, True)
