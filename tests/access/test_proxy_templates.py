"""The credential proxy by CloudFormation and by Terraform is the one that `lambda deploy` makes."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hcl2
import pytest

from connector.provisioning.function_zip import PROXY, make_zip
from tests.access.conftest import Machine
from tests.cloudformation import read_template, remarks_of_cfn_lint
from tests.fakes.people_cloud import PeopleCloud

FOLDER = Path(__file__).parents[2] / "deploy/credential-proxy"
TEMPLATE = (FOLDER / "template.yaml").read_text()
RIGHT = re.compile(r"\b((?:sts|logs|secretsmanager|lambda):[A-Z]\w+)")


@pytest.fixture
def stack(pools: PeopleCloud) -> dict[str, str]:
    """What the stack says of itself, made as the how-to says: a zip in a bucket, a secret, then the user's key."""
    secrets, s3, iam = (pools.client(service) for service in ("secretsmanager", "s3", "iam"))
    secret = secrets.create_secret(Name="proxy-key", SecretString="{}")["ARN"]
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="code", Key="credential-proxy.zip", Body=make_zip(PROXY))
    given = {
        "UserPoolId": pools.pool_id,
        "ClientIds": pools.client_id,
        "SecretArn": secret,
        "InvokerRoleName": pools.role_name,
        "CodeBucket": "code",
    }
    formation = pools.client("cloudformation")
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    formation.create_stack(
        StackName="proxy", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"], Parameters=parameters
    )
    made = formation.describe_stacks(StackName="proxy")["Stacks"][0]
    told = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
    assert made["StackStatus"] == "CREATE_COMPLETE"
    key = iam.create_access_key(UserName=told["UserName"])["AccessKey"]
    held = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(held))
    return told


def test_the_stack_gives_twelve_hours(stack: dict[str, str], machine: Machine) -> None:
    """On an emulator: the function runs out of the zip, with the rights and the environment of the template."""
    done = machine.log_in()
    until = re.search(r"aws_credential_expiration = (\S+)", (machine.home / ".aws/credentials").read_text())

    assert "Successfully upgraded to longer-lived credentials" in done.out, done.err
    assert until is not None
    assert timedelta(hours=11, minutes=59) < datetime.fromisoformat(until[1]) - datetime.now(UTC) <= timedelta(hours=12)
    assert f"assumed-role/{stack['LongLivedRoleName']}/" in done.out


def test_the_template_allows_what_lambda_deploy_allows(
    stack: dict[str, str], machine: Machine, pools: PeopleCloud
) -> None:
    """The same trust, and no right more."""
    iam, functions = pools.client("iam"), pools.client("lambda")

    def rights_of(kind: str, name: str) -> set[str]:
        named = {f"{kind.capitalize()}Name": name}
        documents = [
            getattr(iam, f"get_{kind}_policy")(**named, PolicyName=policy)["PolicyDocument"]
            for policy in getattr(iam, f"list_{kind}_policies")(**named)["PolicyNames"]
        ]
        return set(RIGHT.findall(str(documents)))  # moto hands a role's own policies of a stack out as text

    def seen(user: str, long_lived: str) -> dict[str, Any]:
        function = functions.get_function_configuration(FunctionName="cognito-credential-proxy")
        trust = iam.get_role(RoleName=long_lived)["Role"]
        return {
            "actions": trust["AssumeRolePolicyDocument"]["Statement"][0]["Action"],
            "condition": trust["AssumeRolePolicyDocument"]["Statement"][0]["Condition"],
            "seconds": trust["MaxSessionDuration"],
            "user": rights_of("user", user),
            "people": rights_of("role", long_lived),
            "function": rights_of("role", function["Role"].rpartition("/")[2]) - {"logs:CreateLogGroup"},
            "invokers": rights_of("role", pools.role_name),
            "runtime": (function["Runtime"], function["Handler"], function["Timeout"]),
            "names": set(function["Environment"]["Variables"]) - {"MAX_DURATION_SECONDS"},
        }

    by_stack = seen(stack["UserName"], stack["LongLivedRoleName"])
    functions.delete_function(FunctionName="cognito-credential-proxy")
    iam.delete_role_policy(RoleName=pools.role_name, PolicyName="CognitoCredentialProxyInvoke")
    machine.set(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    assert machine.run("aws-cognito-admin", "lambda", "deploy", "--create-user").code == 0

    assert seen("CognitoCredentialProxyUser", "CognitoLongLivedRole") == by_stack


def test_cfn_lint_has_nothing_to_say() -> None:
    """No error, no warning, no remark."""
    assert remarks_of_cfn_lint(TEMPLATE) == []


def test_terraform_declares_what_the_template_declares() -> None:
    """By its structure: the same rights, conditions, environment and limits; no access key."""
    text = (FOLDER / "terraform/main.tf").read_text()
    template = read_template(TEMPLATE)
    function = template["Resources"]["Function"]["Properties"]
    variables = {
        unquoted(name)
        for variable in hcl2.loads((FOLDER / "terraform/variables.tf").read_text())["variable"]
        for name in variable
    }
    declared = sorted(unquoted(kind) for resource in hcl2.loads(text)["resource"] for kind in resource)

    assert sorted(RIGHT.findall(text)) == sorted(RIGHT.findall(TEMPLATE))
    assert declared == sorted(
        [
            *("aws_iam_user", "aws_iam_role", "aws_iam_user_policy", "aws_iam_role", "aws_iam_role_policy"),
            *("aws_cloudwatch_log_group", "aws_lambda_function", "aws_iam_role_policy"),
        ]
    )
    for words in (*function["Environment"]["Variables"], function["Handler"], function["Runtime"], "43200"):
        assert words in text
    for words in ("CognitoSubject", "CognitoUsername", "ForAllValues:StringEquals", "aws:TagKeys"):
        assert text.count(words) == TEMPLATE.count(words)
    assert {"user_pool_id", "client_ids", "secret_arn", "invoker_role_name", "max_duration_seconds"} <= variables
    assert "access_key" not in text.replace("aws_access_key_id", "")


def unquoted(text: str) -> str:
    """Return a name as it is; newer parsers keep the quotes."""
    return text.strip('"')
