"""`aws teardown` removes exactly what was made and tagged, and finishes what was interrupted."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from connector.errors import ProvisioningError
from tests.fakes.aws_account.account import Account
from tests.provisioning.conftest import Run
from tests.provisioning.setting_up import Crash, Mishap, Workplace, failing, writes

NOTHING: dict[str, dict[str, object]] = {"policies": {}, "roles": {}, "users": {}, "profiles": {}}


def test_everything_that_was_made_is_removed(account: Account, run: Run, folder: Path) -> None:
    """Key, user, both roles, instance profile, policies; and the file of the key that is gone."""
    run("aws", "apply", account.pool_arn, "--yes", "--rotate", "ann", "--queue", "arn:aws:sqs:eu-west-1:123456789012:q")
    run("aws", "apply", account.pool_arn, "--yes", "--principal", "instance")
    removed = run("aws", "teardown", account.pool_arn, "--yes")
    again = run("aws", "teardown", account.pool_arn, "--yes", "--json")

    assert (removed.code, account.state()) == (0, NOTHING)
    assert (again.code, again.document["changes"]) == (0, [])
    assert [path.name for path in (folder / "secrets").glob("secret_access_key.*")] == []


def test_what_others_made_stays(account: Account, run: Run) -> None:
    """Objects of the same names without the tag, and those of another pool."""
    iam = account.client("iam")
    iam.create_user(UserName="serviceAccountUser")
    tags = [{"Key": "managed-by", "Value": "cognito-scim"}, {"Key": "cognito-scim-pool", "Value": "another"}]
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="cognitoApiAccessRole", AssumeRolePolicyDocument=json.dumps(trust), Tags=tags)
    before = account.state()

    assert run("aws", "teardown", account.pool_arn, "--yes").code == 0
    assert account.state() == before


def test_a_policy_that_somebody_else_holds_stops_it(account: Account, run: Run) -> None:
    """Nobody loses rights unasked, and nothing is half-done."""
    run("aws", "apply", account.pool_arn, "--yes")
    iam = account.client("iam")
    iam.create_user(UserName="bo")
    iam.attach_user_policy(UserName="bo", PolicyArn="arn:aws:iam::123456789012:policy/cognitoAPIAccessPolicy")
    before = account.state()
    refused = run("aws", "teardown", account.pool_arn, "--yes")

    assert (refused.code, account.state()) == (78, before)
    assert "also attached to arn:aws:iam::123456789012:user/bo" in refused.err


def test_what_was_added_by_hand_is_said_and_goes_with_it(account: Account, run: Run) -> None:
    """An inline policy and a further version would else stop IAM."""
    run("aws", "apply", account.pool_arn, "--yes")
    iam = account.client("iam")
    statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="cognitoApiAccessRole", PolicyName="mine", PolicyDocument=document)
    policy = "arn:aws:iam::123456789012:policy/cognitoAPIAccessPolicy"
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document, SetAsDefault=True)
    removed = run("aws", "teardown", account.pool_arn, "--yes")

    assert "with inline policy mine" in removed.out
    assert (removed.code, account.state()) == (0, NOTHING)


@pytest.mark.parametrize("mishap", [Mishap.KILLED_AFTER, Mishap.REPLY_LOST])
def test_one_mishap_at_any_call_is_finished_by_a_repeat(mishap: Mishap, account: Account, folder: Path) -> None:
    """Killed after any call, or its reply lost: another tear-down ends in an empty account."""
    number = 0
    while True:
        workplace = Workplace(account, folder / f"{number}")
        workplace.apply()
        with failing(mishap, number, writes) as called, suppress(Crash, ProvisioningError):
            workplace.tear_down()
        workplace.tear_down()

        assert account.state() == NOTHING, (mishap, called)
        if len(called) <= number:
            break
        number += 1
    assert number >= 8
