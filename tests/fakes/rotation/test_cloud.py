"""The strict cloud refuses what AWS refuses: a test that passes against it says something."""

import json

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.fakes.rotation.cloud import POOL_ID, Cloud
from tests.fakes.rotation.policies import PoolPolicy
from tests.fakes.rotation.pool_users import totp_code
from tests.fakes.rotation.secrets_manager import CURRENT, PENDING, PREVIOUS

OLD, NEW = "0ld-Passw0rd!", "N3w-Passw0rd!"


@pytest.fixture
def cloud():
    """A cloud with Ann, an app client and a secret."""
    with Cloud() as running:
        running.pool.add_user("ann", OLD)
        running.pool.add_client("app")
        running.secrets.create("ann", "one")
        yield running


def code_of(call, **parameters) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def set_password(cloud: Cloud, password: str):
    """Set Ann's password as administrator."""
    return cloud.client("cognito-idp").admin_set_user_password(
        UserPoolId=POOL_ID, Username="ann", Password=password, Permanent=True
    )


def try_password(cloud: Cloud, password: str):
    """Sign Ann in by USER_PASSWORD_AUTH."""
    return cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH", ClientId="app", AuthParameters={"USERNAME": "ann", "PASSWORD": password}
    )


@pytest.mark.parametrize(
    "password", ["Sh0rt!", "NO-LOWER-CASE-1", "no-upper-case-1", "No-Digits-Here", "NoSymbolsHere1"]
)
def test_pool_enforces_its_policy(cloud: Cloud, password: str):
    """PasswordPolicyType."""
    assert code_of(set_password, cloud=cloud, password=password) == "InvalidPasswordException"


def test_pool_enforces_its_history(cloud: Cloud):
    """PasswordHistorySize: the present one, and as many before it."""
    cloud.pool.policy = PoolPolicy(history=1)
    set_password(cloud, NEW)

    for used in (NEW, OLD):
        assert code_of(set_password, cloud=cloud, password=used) == "PasswordHistoryPolicyViolationException"
    set_password(cloud, "Th1rd-Passw0rd!")
    set_password(cloud, OLD)


def test_pool_locks_out_after_five_failures_for_a_doubling_time(cloud: Cloud):
    """Developer guide, "Lockout behavior": even the right password is refused for 1, 2, 4 … seconds."""
    for _ in range(5):
        assert code_of(try_password, cloud=cloud, password=NEW) == "NotAuthorizedException"
    with pytest.raises(ClientError, match="attempts exceeded"):
        try_password(cloud, OLD)
    cloud.clock.sleep(1)
    with pytest.raises(ClientError, match="Incorrect"):
        try_password(cloud, NEW)
    cloud.clock.sleep(1)
    with pytest.raises(ClientError, match="attempts exceeded"):
        try_password(cloud, OLD)
    cloud.clock.sleep(1)

    assert "AuthenticationResult" in try_password(cloud, OLD)
    assert cloud.pool.users["ann"].failures == 0


def test_pool_takes_each_code_of_an_authenticator_once(cloud: Cloud):
    """RFC 6238, section 5.2."""
    ann, client = cloud.pool.users["ann"], cloud.client("cognito-idp")
    ann.totp = "JBSWY3DPEHPK3PXP"
    good = totp_code(ann.totp, int(cloud.clock.now().timestamp()) // 30)

    def answer(code: str):
        session = try_password(cloud, OLD)["Session"]
        responses = {"USERNAME": "ann", "SOFTWARE_TOKEN_MFA_CODE": code}
        return client.respond_to_auth_challenge(
            ClientId="app", ChallengeName="SOFTWARE_TOKEN_MFA", Session=session, ChallengeResponses=responses
        )

    assert "AuthenticationResult" in answer(good)
    assert code_of(answer, code=good) == "ExpiredCodeException"
    assert code_of(answer, code="000000") == "CodeMismatchException"


def test_pool_takes_a_session_once(cloud: Cloud):
    """A challenge's session is spent with its answer."""
    cloud.pool.users["ann"].status = "FORCE_CHANGE_PASSWORD"
    session = try_password(cloud, OLD)["Session"]

    def answer():
        return cloud.client("cognito-idp").respond_to_auth_challenge(
            ClientId="app",
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=session,
            ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": NEW},
        )

    assert "AuthenticationResult" in answer()
    assert code_of(answer) == "NotAuthorizedException"


def test_pool_asks_for_required_attributes(cloud: Cloud):
    """NEW_PASSWORD_REQUIRED names them, and refuses an answer without."""
    ann = cloud.pool.users["ann"]
    ann.status, ann.required = "FORCE_CHANGE_PASSWORD", ["name"]
    asked = try_password(cloud, OLD)

    assert json.loads(asked["ChallengeParameters"]["requiredAttributes"]) == ["userAttributes.name"]
    assert (
        code_of(
            cloud.client("cognito-idp").respond_to_auth_challenge,
            ClientId="app",
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": NEW},
        )
        == "InvalidParameterException"
    )


def test_signed_operations_need_a_signature_and_the_right(cloud: Cloud):
    """Administration is for principals; signing in is for anybody."""
    cloud.deny("AdminSetUserPassword")

    assert code_of(set_password, cloud=cloud, password=NEW) == "AccessDeniedException"
    assert "AuthenticationResult" in try_password(cloud, OLD)


def test_secret_refuses_another_text_under_one_token(cloud: Cloud):
    """PutSecretValue: same token and text are one version; another text is ResourceExistsException."""
    manager, token = cloud.client("secretsmanager"), "a" * 32
    put = {"SecretId": "ann", "ClientRequestToken": token, "VersionStages": [PENDING]}

    manager.put_secret_value(**put, SecretString="two")
    manager.put_secret_value(**put, SecretString="two")

    assert code_of(manager.put_secret_value, **put, SecretString="three") == "ResourceExistsException"
    assert (cloud.secrets.secret("ann").text(PENDING), cloud.secrets.secret("ann").text(CURRENT)) == ("two", "one")


def test_secret_moves_previous_by_itself_and_leaves_pending(cloud: Cloud):
    """UpdateSecretVersionStage: AWSPREVIOUS follows AWSCURRENT; AWSPENDING goes when AWS ends the rotation."""
    manager, secret = cloud.client("secretsmanager"), cloud.secrets.secret("ann")
    first, token = secret.labels[CURRENT], cloud.secrets.begin_rotation("ann")
    manager.put_secret_value(SecretId="ann", ClientRequestToken=token, SecretString="two", VersionStages=[PENDING])
    move = {"SecretId": "ann", "VersionStage": CURRENT, "MoveToVersionId": token}

    assert code_of(manager.update_secret_version_stage, **move) == "InvalidParameterException"
    assert (
        code_of(manager.update_secret_version_stage, **move, RemoveFromVersionId=token) == "InvalidParameterException"
    )
    manager.update_secret_version_stage(**move, RemoveFromVersionId=first)

    assert secret.labels == {CURRENT: token, PREVIOUS: first, PENDING: token}
    cloud.secrets.end_rotation("ann")
    assert secret.labels == {CURRENT: token, PREVIOUS: first}


def test_secret_deletes_a_version_without_label(cloud: Cloud):
    """A deprecated version may go at any time: taking AWSPENDING away may destroy the only copy."""
    manager, secret = cloud.client("secretsmanager"), cloud.secrets.secret("ann")
    token = cloud.secrets.begin_rotation("ann")
    manager.put_secret_value(SecretId="ann", ClientRequestToken=token, SecretString="two", VersionStages=[PENDING])

    manager.update_secret_version_stage(SecretId="ann", VersionStage=PENDING, RemoveFromVersionId=token)

    assert code_of(manager.get_secret_value, SecretId="ann", VersionId=token) == "ResourceNotFoundException"
    assert list(secret.versions.values()) == ["one"]


def test_secret_shows_an_announced_version_but_has_no_value_for_it(cloud: Cloud):
    """RotateSecret leaves AWSPENDING on an empty version; a second one is refused until it is complete."""
    manager, token = cloud.client("secretsmanager"), cloud.secrets.begin_rotation("ann")

    assert manager.describe_secret(SecretId="ann")["VersionIdsToStages"][token] == [PENDING]
    assert code_of(manager.get_secret_value, SecretId="ann", VersionStage=PENDING) == "ResourceNotFoundException"
    assert code_of(manager.get_secret_value, SecretId="ann", VersionId=token) == "ResourceNotFoundException"
    assert manager.get_secret_value(SecretId="ann")["SecretString"] == "one"
    with pytest.raises(RuntimeError, match="previous rotation"):
        cloud.secrets.begin_rotation("ann")


def test_secret_refuses_a_label_that_is_elsewhere(cloud: Cloud):
    """GetSecretValue with both: they must agree."""
    manager, token = cloud.client("secretsmanager"), cloud.secrets.begin_rotation("ann")

    refused = code_of(manager.get_secret_value, SecretId="ann", VersionId=token, VersionStage=CURRENT)

    assert refused == "InvalidRequestException"


@pytest.mark.parametrize(
    ("fault", "applied"), [(Fault.UNHEARD, False), (Fault.RESET, True), (Fault.FAILED_AFTER, True)]
)
def test_a_fault_comes_before_or_after_the_effect(cloud: Cloud, fault: Fault, *, applied: bool):
    """A lost reply and a lost request look the same to the client, and are not."""
    cloud.fail("AdminSetUserPassword", call=2, fault=fault)
    set_password(cloud, "F1rst-Passw0rd!")

    with pytest.raises((ClientError, HTTPClientError)):
        set_password(cloud, NEW)

    assert cloud.pool.signs_in("ann", NEW) is applied


def test_a_refusal_of_ones_own_is_sent_in_the_service_s_protocol(cloud: Cloud):
    """JSON for Cognito, XML for IAM."""
    cloud.account.add_user("bo", OLD)
    for operation in ("AdminSetUserPassword", "GetUser"):
        cloud.fail(operation, call=1, fault=Refusal("SomethingElse", "words", 409))

    assert code_of(set_password, cloud=cloud, password=NEW) == "SomethingElse"
    assert code_of(cloud.client("iam").get_user, UserName="bo") == "SomethingElse"


def test_every_answer_can_be_observed(cloud: Cloud):
    """What was true at every instant is known afterwards."""
    cloud.observe(lambda: cloud.pool.signs_in("ann", NEW))

    try_password(cloud, OLD)
    set_password(cloud, NEW)

    assert cloud.observations == [("InitiateAuth", False), ("AdminSetUserPassword", True)]


def test_something_may_happen_between_two_calls(cloud: Cloud):
    """An operator, for example, is faster."""
    cloud.before("AdminSetUserPassword", call=1, do=cloud.pool.users.clear)

    assert code_of(set_password, cloud=cloud, password=NEW) == "UserNotFoundException"
