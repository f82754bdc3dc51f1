"""The AWS side as `aws apply` makes it, before an emulator that others wrote: its documents, its trust, its key."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from connector.config import load_settings
from tests.cli.conftest import Run
from tests.ministack.scene import EXTERNAL_ID, Scene
from tests.ministack.server import ROOT_KEY


@pytest.fixture
def pool_arn(scene: Scene, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pool that nothing is set up for, before the shell of the account's root."""
    (folder / "config.yaml").unlink()
    for name in scene.environment():
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", scene.stack.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ROOT_KEY)
    scene.add_user("ann")
    arn: str = scene.cognito.describe_user_pool(UserPoolId=scene.pool_id)["UserPool"]["Arn"]
    return arn


def denied(call, **parameters) -> bool:
    """Say whether the emulator refuses a call for want of a right."""
    try:
        call(**parameters)
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def test_what_apply_makes_lets_the_connector_read_and_nobody_else(
    scene: Scene, pool_arn: str, run: Run, folder: Path
) -> None:
    """The documents as another implementation judges them, from an empty account to an empty account."""
    prefix = ("--prefix", f"{scene.mark}-")
    applied = run("aws", "apply", pool_arn, "--yes", "--rotate", "ann", *prefix, "--json")
    synced, verified = run("sync", "--json"), run("aws", "verify", "--json")
    aws = load_settings(folder / "config.yaml", {}, reads_pool=True).aws
    user = aws.access_key_id, aws.secret_access_key.get_secret_value(), ""
    sts = scene.stack.client("sts", user)
    assume = {"RoleArn": aws.role_arn, "RoleSessionName": "anybody"}
    session = sts.assume_role(**assume, ExternalId=aws.external_id.get_secret_value())["Credentials"]
    role = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    here = {"UserPoolId": scene.pool_id}
    other = {"UserPoolId": scene.cognito.create_user_pool(PoolName=f"other-{scene.mark}")["UserPool"]["Id"]}
    reads = scene.stack.client("cognito-idp", role)

    assert applied.code == 0, applied.err
    assert {check["status"] for check in applied.document["checks"]} <= {"passed", "skipped"}, applied.out
    assert (synced.code, synced.document["users"]) == (0, 1)
    assert (verified.code, verified.document["findings"]) == (0, [])
    assert denied(sts.assume_role, **assume)
    assert denied(sts.assume_role, **assume, ExternalId=EXTERNAL_ID)
    assert denied(scene.stack.client("cognito-idp", user).list_users, **here)
    assert not denied(reads.admin_get_user, **here, Username="ann")
    assert denied(reads.admin_delete_user, **here, Username="ann")
    assert denied(reads.list_users, **other)


def test_a_key_is_rotated_and_everything_is_taken_away(scene: Scene, pool_arn: str, run: Run) -> None:
    """The old key signs nothing any more; a trust policy that was loosened is found; nothing of ours is left."""
    prefix = ("--prefix", f"{scene.mark}-")
    run("aws", "apply", pool_arn, "--yes", *prefix)
    rotated = run("aws", "rotate-key", "--json")
    checked = run("check")
    role = f"{scene.mark}-cognitoApiAccessRole"
    trust = scene.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    del trust["Statement"][0]["Condition"]
    scene.trust_document(role, trust)
    verified = run("aws", "verify", "--json")
    removed = run("aws", "teardown", pool_arn, "--yes", *prefix)
    left = [user["UserName"] for user in scene.iam.list_users()["Users"]]
    left += [one["RoleName"] for one in scene.iam.list_roles()["Roles"]]
    left += [policy["PolicyName"] for policy in scene.iam.list_policies(Scope="Local")["Policies"]]

    assert (rotated.code, checked.code) == (0, 0), rotated.err + checked.out
    assert (verified.code, verified.document["findings"][0]["name"]) == (4, "external_id_missing")
    assert removed.code == 0, removed.err
    assert [name for name in left if name.startswith(scene.mark)] == []
