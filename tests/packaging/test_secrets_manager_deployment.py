"""What CloudFormation and Terraform allow the rotation function is what its code calls, and no more."""

import re
from pathlib import Path

import pytest

from connector.rotation.model.allowed import Allowed
from connector.rotation.targets.secret_target import Deployment
from connector.rotation.vaults.secret_document import Mode
from tests.cloudformation import read_template
from tests.fakes.rotation.cloud import POOL_ID, Cloud
from tests.rotation.function.aws_rotates import USER, WAYS, AwsRotates

FOLDER = Path(__file__).parents[2] / "deploy/secrets-manager"
TERRAFORM = (FOLDER / "terraform/main.tf").read_text()
NO_RIGHT_NEEDED = {"InitiateAuth", "RespondToAuthChallenge", "ChangePassword", "RevokeToken", "GlobalSignOut"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
KEY = {"kms:Decrypt", "kms:GenerateDataKey"}


@pytest.fixture
def template():
    """The CloudFormation template."""
    return read_template((FOLDER / "template.yaml").read_text())


def actions(part):
    """Yield every action in a part of the template."""
    if isinstance(part, dict):
        allowed = part.get("Action", []) if part.get("Effect") == "Allow" else []
        yield from ([allowed] if isinstance(allowed, str) else allowed)
        for value in part.values():
            yield from actions(value)
    elif isinstance(part, list):
        for value in part:
            yield from actions(value)


def called(keys, deployment=None):
    """Return the actions that a rotation calls, as IAM names them."""
    with Cloud() as cloud:
        rotates = AwsRotates(cloud, keys, deployment)
        cloud.pool.users[USER].groups = ["rotated"]
        rotates.rotate()
        of_service = dict.fromkeys(cloud.calls, "cognito-idp")
        of_service |= dict.fromkeys(cloud.secrets.signed, "secretsmanager")
        return {f"{of_service[call]}:{call}" for call in cloud.calls if call not in NO_RIGHT_NEEDED}


@pytest.fixture(scope="module")
def calls():
    """What either way calls, the user's own and the administrator's with every flow."""
    admin_flow = {"user_pool_id": POOL_ID, "mode": "admin", "auth_flow": "ADMIN_USER_PASSWORD_AUTH"}
    groups = Deployment(POOL_ID, Mode.ADMIN, administered=Allowed(groups=frozenset({"rotated"})))
    by_groups = {"groups": called(WAYS["administrator"], groups)}
    return by_groups | {
        "self": called({"user_pool_id": POOL_ID}),
        "admin": called(WAYS["administrator"]) | called(admin_flow),
    }


def test_template_allows_what_the_code_calls(template, calls):
    """Least rights; the answer to a challenge is needed where the user has a second factor."""
    resources = template["Resources"]
    unconditional = {name: part for name, part in resources.items() if "Condition" not in part}
    administrator = set(actions(resources["AdministratorPolicy"]))

    assert set(actions(unconditional)) - {"sts:AssumeRole"} - LOG == calls["self"]
    assert administrator == calls["admin"] - calls["self"] | {"cognito-idp:AdminRespondToAuthChallenge"}
    assert set(actions(resources["KeyPolicy"])) == KEY
    assert set(actions(resources["GroupPolicy"])) == calls["groups"] - calls["admin"]


def test_terraform_allows_what_the_template_allows(template):
    """Two ways to the same deployment."""
    named = set(re.findall(r'"([a-z-]+:[A-Z][A-Za-z]+)"', TERRAFORM))

    assert named - {"kms:ViaService", "lambda:InvokeFunction"} == set(actions(template["Resources"]))


def test_no_resource_is_everything(template):
    """Each right is for one secret, one pool, one key or one log."""
    text = (FOLDER / "template.yaml").read_text()

    assert re.findall(r"Resource: [\"']?\*", text) == []
    assert 'resources = ["*"]' not in TERRAFORM
    assert "GetRandomPassword" not in text + TERRAFORM
    assert template["Resources"]["Function"]["Properties"]["Handler"] in TERRAFORM


def test_only_this_secret_of_this_account_may_call_the_function(template):
    """Another secret, or another account's Secrets Manager, cannot have it rotate (a confused deputy)."""
    permission = template["Resources"]["Permission"]["Properties"]

    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "Function",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "AWS::AccountId",
        "SourceArn": "SecretArn",
    }
    assert "source_account = data.aws_caller_identity.current.account_id" in TERRAFORM
    assert "source_arn     = var.secret_arn" in TERRAFORM


def test_both_deployments_say_whom_the_administrators_way_may_touch(template):
    """P26: what the function reads from its environment is a parameter of each; none named, none rotated."""
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    given = {name: template["Parameters"][parameter].get("Default") for name, parameter in variables.items()}

    assert {name for name in variables if name in TERRAFORM} == set(variables)
    assert (given["ROTATION_ALLOWED_USERS"], given["ROTATION_ALLOWED_GROUPS"]) == ("", "")
