"""`aws teardown` removes exactly what was made and tagged, and finishes what was interrupted."""

import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from connector.config import load_settings
from connector.errors import ProvisioningError
from tests.fakes.aws_account.account import Account
from tests.fakes.faults import Fault
from tests.fakes.terminal import Interrupted
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


@pytest.mark.parametrize("mishap", [Mishap.KILLED_BEFORE, Mishap.KILLED_AFTER, Mishap.REPLY_LOST])
def test_one_mishap_at_any_call_is_finished_by_a_repeat(mishap: Mishap, account: Account, folder: Path) -> None:
    """Killed before or after any call, or its reply lost: another tear-down ends in an empty account."""
    workplace = Workplace(account, folder)
    workplace.apply()
    made = account.snapshot()
    number = 0
    while True:
        account.restore(made)
        with failing(mishap, number, writes) as called, suppress(Crash, ProvisioningError):
            workplace.tear_down()
        workplace.tear_down()

        assert account.state() == NOTHING, (mishap, called)
        if len(called) <= number:
            break
        number += 1
    assert number >= 8


def test_no_secret_is_in_what_verify_and_teardown_say(account: Account, run: Run, folder: Path, caplog) -> None:
    """P27: a canary sweep at DEBUG, of what goes well, is refused, denied, and cut off in the middle."""
    asked = ("aws", "apply", account.pool_arn, "--yes", "--rotate", "ann", "--json")
    run(*asked)
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)
    canaries = [secret.get_secret_value() for secret in (settings.aws.secret_access_key, settings.aws.external_id)]
    canaries += [settings.rotation.external_id.get_secret_value(), account.key.secret_access_key]
    role = account.backend.get_role("cognitoApiAccessRole")
    role.assume_role_policy_document = role.assume_role_policy_document.replace("StringEquals", "StringLike")
    loudly = ("--log-level", "debug", "aws")
    with caplog.at_level(logging.DEBUG):
        said = [run(*loudly, "verify"), run(*loudly, "verify", "--json"), run(*loudly, "plan", account.pool_arn)]
        account.deny("iam:DeleteRole")
        said.append(run(*loudly, "teardown", account.pool_arn, "--yes"))
        account.denied.clear()
        account.script.fail("DeleteRole", call=1, fault=Fault.RESET, times=9)
        said.append(run(*loudly, "teardown", account.pool_arn, "--yes"))
        account.script.forget_faults()
        said.append(run(*loudly, "teardown", account.pool_arn, "--yes"))
    text = caplog.text + "".join(done.out + done.err for done in said)

    assert [done.code for done in said] == [4, 4, 0, 77, 0, 0], text
    assert [canary for canary in canaries if canary in text] == []
    assert account.state() == NOTHING


@pytest.mark.parametrize("command", ["apply", "teardown"])
def test_ctrl_c_at_the_question_changes_nothing(command: str, account: Account, run: Run, folder: Path, monkeypatch):
    """It ends with 130; neither AWS nor a file is touched, and the next command does it all."""
    if command == "teardown":
        run("aws", "apply", account.pool_arn, "--yes")
    before, files = account.state(), sorted(folder.rglob("*"))
    monkeypatch.setattr(sys, "stdin", Interrupted())
    ended = run("aws", command, account.pool_arn)

    assert (ended.code, ended.err.splitlines()[-1]) == (130, "cognito-scim: interrupted")
    assert (account.state(), sorted(folder.rglob("*"))) == (before, files)
    assert run("aws", command, account.pool_arn, "--yes").code == 0
