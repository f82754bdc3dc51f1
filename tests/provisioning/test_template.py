"""`aws template`: each format makes what `aws apply` makes, and holds no secret."""

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from tests.cloudformation import remarks_of_cfn_lint
from tests.fakes.aws_account.account import Account
from tests.provisioning.conftest import Run

POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123"
EXTERNAL_ID = "k7Qm2cXw9d-exampleExampleExample"
WISHES: dict[str, tuple[str, ...]] = {
    "the guide": (),
    "other names": ("--prefix", "acme-", "--path", "/scim/"),
    "an instance": ("--principal", "instance"),
    "rotation and feed": ("--rotate", "ann", "--queue", "arn:aws:sqs:eu-west-1:123456789012:feed"),
}


def made_of(state: dict[str, Any]) -> dict[str, Any]:
    """Return what was made, whatever the order, the ExternalIds, the keys and the tags.

    CloudFormation tags no managed policy, and moto's tags no user.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "…" if key == "sts:ExternalId" else plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            listed = [plain(part) for part in value]
            return listed[0] if len(listed) == 1 else sorted(listed, key=str)
        return value

    users = {name: {**user, "keys": [], "tags": {}} for name, user in state["users"].items()}
    policies = {name: (path, document) for name, (path, document, _) in state["policies"].items()}
    made: dict[str, Any] = plain({**state, "users": users, "policies": policies})
    return made


def applied(account: Account, run: Run, options: tuple[str, ...]) -> dict[str, Any]:
    """Return what `aws apply` makes, and leave the account empty."""
    assert run("aws", "apply", account.pool_arn, "--yes", *options).code == 0
    made = made_of(account.state())
    account.empty()
    return made


@pytest.mark.parametrize("wish", WISHES)
def test_cloudformation_makes_what_apply_makes(wish: str, account: Account, run: Run) -> None:
    """On an emulator; and apply then finds it, and makes the key with the ExternalId that the role asks for."""
    expected = applied(account, run, WISHES[wish])
    template = run("aws", "template", account.pool_arn, "--format", "cloudformation", *WISHES[wish]).out
    given = {"ExternalId": EXTERNAL_ID} | (
        {"RotationExternalId": f"{EXTERNAL_ID}-2"} if "--rotate" in WISHES[wish] else {}
    )
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(
        StackName="scim",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    stack = cloudformation.describe_stacks(StackName="scim")["Stacks"][0]

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert made_of(account.state()) == expected
    assert stack["Outputs"][0]["OutputValue"].endswith("cognitoApiAccessRole")


def test_apply_goes_on_from_a_template(account: Account, run: Run) -> None:
    """It takes the ExternalId from the role, makes the key, and writes the configuration."""
    template = run("aws", "template", account.pool_arn, "--format", "cloudformation").out
    account.client("cloudformation").create_stack(
        StackName="scim",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID}],
    )
    tags = [{"Key": "managed-by", "Value": "cognito-scim"}, {"Key": "cognito-scim-pool", "Value": account.pool_arn}]
    account.client("iam").tag_user(UserName="serviceAccountUser", Tags=tags)  # moto's CloudFormation forgets them
    done = run("aws", "apply", account.pool_arn, "--yes", "--json", "--show-secret")

    assert done.code == 0, done.err
    assert yaml.safe_load(template)["Resources"]["ServiceAccountUser"]["Properties"]["Tags"][0] == tags[0]
    assert done.document["form"]["External ID"] == EXTERNAL_ID
    assert {change["kind"] for change in done.document["changes"] if change["action"] != "none"} == {
        *("access-key", "configuration")
    }


def test_the_script_makes_what_apply_makes(account: Account, run: Run, folder: Path, monkeypatch) -> None:
    """Run as it is by a shell, whose calls the AWS CLI then makes; the wish is the one that holds all others."""
    wish = WISHES["rotation and feed"]
    expected = applied(account, run, wish)
    (folder / "script").write_text(run("aws", "template", account.pool_arn, "--format", "aws-cli", *wish).out)
    (folder / "aws").write_text('#!/bin/sh\nprintf "%s\\036" "$@" >> calls\nprintf "\\035" >> calls\n')
    (folder / "aws").chmod(0o755)
    ids = {"EXTERNAL_ID": EXTERNAL_ID, "ROTATION_EXTERNAL_ID": f"{EXTERNAL_ID}-2"}
    subprocess.run(["/bin/sh", "script"], cwd=folder, env={"PATH": f"{folder}:/bin:/usr/bin", **ids}, check=True)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DATA_PATH", "")  # the AWS CLI sets it when it is imported
    create_clidriver = import_module("awscli.clidriver").create_clidriver
    calls = (folder / "calls").read_text().split("\035")[:-1]
    codes = [create_clidriver().main(call.split("\036")[:-1]) for call in calls]  # a start of each would cost a second

    assert codes == [0] * len(calls)
    assert made_of(account.state()) == expected


def test_the_script_wants_the_external_id(folder: Path, run: Run) -> None:
    """Without one it stops before it makes anything."""
    (folder / "script").write_text(run("aws", "template", POOL, "--format", "aws-cli").out)
    done = subprocess.run(["/bin/sh", "script"], cwd=folder, env={"PATH": ""}, capture_output=True, check=False)

    assert done.returncode != 0
    assert b"EXTERNAL_ID" in done.stderr


def test_cfn_lint_has_nothing_to_say(run: Run) -> None:
    """No error, no warning, no remark, whatever is wished for."""
    remarks = {
        wish: remarks_of_cfn_lint(run("aws", "template", POOL, "--format", "cloudformation", *options).out)
        for wish, options in WISHES.items()
    }

    assert remarks == {wish: [] for wish in WISHES}


@pytest.mark.parametrize("wish", WISHES)
def test_terraform_declares_what_apply_makes(wish: str, run: Run) -> None:
    """By its structure: the same objects with the same settings, each policy attached to whoever holds it."""
    tree = hcl2.loads(run("aws", "template", POOL, "--format", "terraform", *WISHES[wish]).out)
    objects = json.loads(run("aws", "template", POOL, "--format", "json", *WISHES[wish]).out)["objects"]
    kinds = {"policy": "aws_iam_policy", "role": "aws_iam_role", "user": "aws_iam_user"}
    kinds |= {"instance-profile": "aws_iam_instance_profile"}
    resources = [
        (unquoted(kind), unquoted(settings["name"]))
        for resource in tree["resource"]
        for kind, named in resource.items()
        for settings in named.values()
        if "name" in settings
    ]
    attached = [
        kind for resource in tree["resource"] for kind in map(unquoted, resource) if kind.endswith("_attachment")
    ]

    assert sorted(resources) == sorted((kinds[one["kind"]], one["name"]) for one in objects)
    assert len(attached) == sum(len(one.get("policies", [])) for one in objects)
    names = {unquoted(name) for variable in tree["variable"] for name in variable}
    assert "external_id" in names


def unquoted(text: str) -> str:
    """Return a name as it is; newer parsers keep the quotes."""
    return text.strip('"')


@pytest.mark.parametrize("form", ["cloudformation", "terraform", "aws-cli", "json"])
def test_no_template_holds_a_key_or_an_external_id(form: str, account: Account, run: Run) -> None:
    """Nor is AWS asked anything."""
    account.script.calls.clear()
    text = run("aws", "template", account.pool_arn, "--format", form).out

    assert account.script.calls.total() == 0
    assert "AccessKey" not in text
    assert "access-key" not in text
    assert not re.search(r"A[KS]IA[A-Z0-9]{16}", text)


def test_a_partition_is_not_written_down(run: Run) -> None:
    """The same template works in every partition."""
    cloudformation = run("aws", "template", POOL, "--format", "cloudformation", "--rotate-iam-user", "bo").out
    terraform = run("aws", "template", POOL, "--format", "terraform", "--rotate-iam-user", "bo").out

    assert "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/bo" in cloudformation
    assert (
        "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:user/bo"
        in terraform
    )
    assert "arn:aws:iam" not in cloudformation + terraform
