"""`lambda deploy` interrupted at any call: the next one finishes, with one key that is where it belongs."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.access.conftest import Machine
from tests.fakes.people_cloud import PeopleCloud
from tests.provisioning.setting_up import Crash, Mishap, failing, writes

DEPLOY = ("aws-cognito-admin", "lambda", "deploy", "--create-user")
USER = "CognitoCredentialProxyUser"


def about_the_key(operation: str) -> bool:
    """Tell whether an operation makes or keeps the key: only there is a lost reply answered by another call."""
    return operation in {"CreateAccessKey", "CreateSecret", "PutSecretValue"}


@pytest.mark.parametrize(
    ("mishap", "counts", "least"), [(Mishap.KILLED_AFTER, writes, 9), (Mishap.REPLY_LOST, about_the_key, 2)]
)
def test_one_mishap_at_any_call_is_finished_by_a_repeat(
    mishap: Mishap, counts: Callable[[str], bool], least: int, administrator: Machine, cloud: PeopleCloud
) -> None:
    """No key is left over, none is in two places, and the user carries no mark of what was under way."""
    administrator.set(COGNITO_USER_POOL_ID=cloud.pool_id, COGNITO_CLIENT_ID=cloud.client_id)
    iam, secrets, functions = (cloud.client(service) for service in ("iam", "secretsmanager", "lambda"))
    number = 0
    while True:
        cloud.forget_deployments()
        with failing(mishap, number, counts) as called, suppress(Crash):
            interrupted = administrator.run(*DEPLOY)
            assert interrupted.code in {0, 75}, interrupted.err
        repeated = administrator.run(*DEPLOY)
        held = json.loads(secrets.get_secret_value(SecretId="CognitoCredentialProxyKey")["SecretString"])
        keys = [key["AccessKeyId"] for key in iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]]

        assert repeated.code == 0, (called, repeated.err)
        assert keys == [held["aws_access_key_id"]], called
        assert [tag["Key"] for tag in iam.list_user_tags(UserName=USER)["Tags"]] == ["managed-by"], called
        assert functions.get_function(FunctionName="cognito-credential-proxy"), called
        if len(called) <= number:
            break
        number += 1
    assert number >= least
