"""moto's Secrets Manager drives the handler: an implementation of the contract that is not ours.

What moto does not do, the strict fake does: SECRET_HASH, flows, lock-out, history, ResourceExistsException.
"""

import io
import json
import random
import zipfile
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from connector.errors import RotationError
from connector.rotation.secrets_manager_function import Step, handler

REGION = "eu-west-1"
SECRET = "CognitoUserPool/freddy-user-pool/AutoRotatedPasswordUsers/freddy-tester"
USER, OLD = "freddy-tester", "Temp-Password-123"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


class Hurried:
    """The context of a function with no time to wait."""

    def get_remaining_time_in_millis(self):
        """Return next to nothing."""
        return 100


@dataclass
class Account:
    """The guide's pool, client, user, secret and function."""

    cognito: Any
    secrets: Any
    function: str
    pool_id: str
    client_id: str

    def rotate(self):
        """Begin a rotation, which moto leaves to us; return its token."""
        return self.secrets.rotate_secret(
            SecretId=SECRET, RotationLambdaARN=self.function, RotationRules={"AutomaticallyAfterDays": 30}
        )["VersionId"]

    def step(self, step, token):
        """Invoke the function."""
        handler({"Step": step, "SecretId": SECRET, "ClientRequestToken": token}, Hurried())

    def tidy(self, token):
        """Do what AWS does behind a rotation, without which moto begins no other."""
        self.secrets.update_secret_version_stage(SecretId=SECRET, VersionStage="AWSPENDING", RemoveFromVersionId=token)

    def current(self):
        """Return what readers get."""
        return json.loads(self.secrets.get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")["SecretString"])

    def signs_in(self, password):
        """Tell whether a password is the user's."""
        parameters = {"USERNAME": USER, "PASSWORD": password}
        try:
            told = self.cognito.initiate_auth(
                AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters, ClientId=self.client_id
            )
        except self.cognito.exceptions.NotAuthorizedException:
            return False
        return "AuthenticationResult" in told


@pytest.fixture
def account(monkeypatch):
    """An AWS account of moto's, set up as the guide says."""
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        cognito = boto3.client("cognito-idp", REGION)
        pool_id = cognito.create_user_pool(PoolName="freddy-user-pool")["UserPool"]["Id"]
        flows = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
        client = cognito.create_user_pool_client(
            UserPoolId=pool_id, ClientName="freddy-client", ExplicitAuthFlows=flows
        )["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool_id, Username=USER, TemporaryPassword=OLD)
        yield Account(cognito, *_store_secret(client), pool_id, client)


def _store_secret(client_id):
    role = boto3.client("iam").create_role(RoleName="rotator", AssumeRolePolicyDocument=json.dumps(TRUST))
    archive = io.BytesIO()
    zipfile.ZipFile(archive, "w").close()
    function = boto3.client("lambda", REGION).create_function(
        FunctionName="SecretsManagerLambdaRotation-CognitoUser",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="connector.rotation.secrets_manager_function.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    secrets = boto3.client("secretsmanager", REGION)
    document = {"clientid": client_id, "username": USER, "password": OLD, "tier": "test"}
    secrets.create_secret(Name=SECRET, SecretString=json.dumps(document))
    return secrets, function["FunctionArn"]


def test_four_steps_in_order_and_the_next_rotation_too(account):
    """P35: the guide, word for word: clientid, username, password, a temporary password to begin with."""
    seen = [OLD]
    for _ in range(2):
        token = account.rotate()
        for step in Step:
            account.step(step, token)
        account.tidy(token)
        seen.append(account.current()["password"])

    assert [account.signs_in(password) for password in seen] == [False, False, True]
    assert account.current() == {
        "clientid": account.client_id,
        "username": USER,
        "password": seen[-1],
        "tier": "test",
    }


@pytest.mark.parametrize("seed", range(4))
def test_steps_in_any_order_and_number_lose_nothing(account, seed):
    """P26, P35: then all four in order, as Secrets Manager runs them again, and the current password signs in."""
    token, dice = account.rotate(), random.Random(seed)  # noqa: S311  no secret
    for step in dice.choices(list(Step), k=6):
        try:
            account.step(step, token)
        except RotationError:
            continue
    for step in Step:
        account.step(step, token)

    assert account.signs_in(account.current()["password"])
    assert not account.signs_in(OLD)


def test_log_is_json_with_the_keys_that_are_asked_for(account, capsys):
    """The guide's Logs Insights query: level, secret_id, rotation_step, version_id, message; P27: and no password."""
    token = account.rotate()
    for step in Step:
        account.step(step, token)

    text = capsys.readouterr().out
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["rotation_step"] for line in lines] == list(Step)
    assert {(line["level"], line["secret_id"], line["version_id"]) for line in lines} == {("INFO", SECRET, token)}
    assert all(line["message"] for line in lines)
    assert account.current()["password"] not in text
    assert OLD not in text


def test_failure_is_logged_with_its_remedy_and_raised(account, capsys):
    """Anything raised makes Secrets Manager try again; the log says what to do."""
    account.cognito.admin_set_user_password(
        UserPoolId=account.pool_id, Username=USER, Password="Changed-Elsewhere-1", Permanent=True
    )
    token = account.rotate()

    with pytest.raises(RotationError):  # before anything is staged
        account.step(Step.CREATE, token)

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["level"], line["rotation_step"]) == ("ERROR", "createSecret")
    assert line["message"].startswith("CurrentRefused: ")
