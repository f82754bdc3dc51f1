"""`aws plan` and `aws apply`: from an empty account to a pool that is read, with nothing typed but its ARN."""

import json
from pathlib import Path

import pytest
import yaml

from connector.config import load_settings
from tests.fakes.aws_account.account import Account
from tests.fakes.faults import Fault
from tests.fakes.refusals import Refusal
from tests.provisioning.conftest import Run
from tests.provisioning.setting_up import Workplace


def test_an_empty_account_is_set_up_and_read(account: Account, run: Run, folder: Path) -> None:
    """Apply, check and sync succeed with nothing typed but the pool's ARN; no secret is on the screen or in the log."""
    applied = run("--log-level", "debug", "aws", "apply", account.pool_arn, "--yes")
    checked = run("check", "--json")
    synced = run("sync", "--json")
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)
    secret, external_id = settings.aws.secret_access_key.get_secret_value(), settings.aws.external_id.get_secret_value()

    assert (applied.code, checked.code, synced.code) == (0, 0, 0), applied.err
    assert synced.document["users"] == 3
    assert len(external_id) >= 32
    assert [secret in text or external_id in text for text in (applied.out, applied.err)] == [False, False]
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder / "config.yaml", *folder.glob("secrets/*")]}
    assert set(modes.values()) == {0o600}
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert [text for text in (secret, external_id) if text in (folder / "config.yaml").read_text()] == []


def test_the_form_is_printed_ready_to_paste(account: Account, run: Run, folder: Path) -> None:
    """Five values, and of the two secrets the files that hold them; --show-secret prints those too."""
    hidden = run("aws", "apply", account.pool_arn, "--yes", "--json").document["form"]
    shown = run("aws", "apply", account.pool_arn, "--yes", "--json", "--show-secret").document["form"]

    assert hidden["AWS Cognito Region"] == "eu-west-1"
    assert hidden["Cognito User Pool Id"] == account.pool_id
    assert hidden["Role ARN"] == "arn:aws:iam::123456789012:role/cognitoApiAccessRole"
    assert hidden["List of Groups"] == ""
    for name in ("Secret Access Key", "External ID"):
        assert Path(hidden[name]).read_text().strip() == shown[name]
        assert folder in Path(hidden[name]).parents


def test_everything_that_is_made_is_tagged(account: Account, run: Run) -> None:
    """managed-by, and the pool; on policies, role and user."""
    run("aws", "apply", account.pool_arn, "--yes")
    state = account.state()
    tags = {"managed-by": "cognito-scim", "cognito-scim-pool": account.pool_arn}

    assert [tagged for _, _, tagged in state["policies"].values()] == [tags, tags]
    assert state["roles"]["cognitoApiAccessRole"]["tags"] == tags
    assert state["users"]["serviceAccountUser"]["tags"] == tags


def test_plan_writes_nothing_and_shows_every_document(account: Account, run: Run, folder: Path) -> None:
    """Neither to AWS nor to a file; the contract's document with --json."""
    planned = run("aws", "plan", account.pool_arn)
    document = run("aws", "plan", account.pool_arn, "--json").document

    assert planned.code == 0
    assert "cognito-idp:AdminListGroupsForUser" in planned.out
    assert "<the ExternalId>" in planned.out
    assert [(change["kind"], change["action"]) for change in document["changes"]] == [
        *(("policy", "create"), ("policy", "create"), ("user", "create"), ("role", "create")),
        *(("access-key", "create"), ("configuration", "create")),
    ]
    assert account.state()["roles"] == {}
    assert list(folder.iterdir()) == []


def test_a_second_apply_changes_nothing(account: Account, run: Run) -> None:
    """Idempotent: no call that writes."""
    run("aws", "apply", account.pool_arn, "--yes")
    before = account.state()
    account.script.calls.clear()
    again = run("aws", "apply", account.pool_arn, "--yes", "--json")

    assert {change["action"] for change in again.document["changes"]} == {"none"}
    assert (again.code, account.state()) == (0, before)
    assert [
        call for call in account.script.calls if call.startswith(("Create", "Put", "Update", "Attach", "Tag"))
    ] == []


def test_what_was_changed_by_hand_is_put_back(account: Account, run: Run) -> None:
    """Documents, attachments and the trust; the plan shows line by line what."""
    run("aws", "apply", account.pool_arn, "--yes")
    before, iam = account.state(), account.client("iam")
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cognito-idp:*", "Resource": "*"}]}
    policy = "arn:aws:iam::123456789012:policy/cognitoAPIAccessPolicy"
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(wide), SetAsDefault=True)
    trust = {**before["roles"]["cognitoApiAccessRole"]["trust"]}
    trust = {**trust, "Statement": [{**trust["Statement"][0], "Condition": {}}]}
    iam.update_assume_role_policy(RoleName="cognitoApiAccessRole", PolicyDocument=json.dumps(trust))
    iam.detach_user_policy(UserName="serviceAccountUser", PolicyArn="arn:aws:iam::123456789012:policy/assumeRolePolicy")
    planned = run("aws", "plan", account.pool_arn)
    applied = run("aws", "apply", account.pool_arn, "--yes")

    assert '-       "Action": "cognito-idp:*"' in planned.out
    assert (applied.code, account.state()) == (0, before)


def test_iam_is_waited_for(account: Account, run: Run) -> None:
    """An invalid principal and a key that STS does not know yet are waited out, with progress."""
    account.slow_principals, account.slow_keys = 3, 4
    applied = run("aws", "apply", account.pool_arn, "--yes")

    assert applied.code == 0
    assert applied.err.count("Waiting until IAM knows") == 3
    assert applied.err.count("Waiting until AWS lets the access key") == 4


def test_an_object_of_the_same_name_is_left_alone(account: Account, run: Run) -> None:
    """Unless it is adopted; then it is tagged as ours. Other names get round it."""
    account.client("iam").create_user(UserName="serviceAccountUser", Tags=[{"Key": "managed-by", "Value": "terraform"}])
    refused = run("aws", "apply", account.pool_arn, "--yes")
    roles = account.state()["roles"]
    behind = run("aws", "apply", account.pool_arn, "--yes", "--prefix", "scim-")
    adopted = run("--config", "other.yaml", "aws", "apply", account.pool_arn, "--yes", "--adopt")

    assert refused.code == 78
    assert "this program did not make it (it is tagged managed-by=terraform)" in refused.err
    assert roles == {}
    assert behind.code == 0
    assert adopted.code == 0, adopted.err
    assert account.state()["users"]["serviceAccountUser"]["tags"]["managed-by"] == "cognito-scim"


def test_another_pool_takes_other_names(account: Account, run: Run) -> None:
    """The names of one pool's objects are not taken for another."""
    run("aws", "apply", account.pool_arn, "--yes")
    other = account.client("cognito-idp").create_user_pool(PoolName="other")["UserPool"]["Arn"]
    refused = run("--config", "other.yaml", "aws", "apply", other, "--yes")
    behind = run("--config", "other.yaml", "aws", "apply", other, "--yes", "--prefix", "other-", "--path", "/scim/")

    assert (refused.code, behind.code) == (78, 0)
    assert "was made for another pool" in refused.err
    assert account.state()["roles"]["other-cognitoApiAccessRole"]["path"] == "/scim/"


def test_lacking_rights_are_said_before_anything_is_done(account: Account, run: Run) -> None:
    """With half the rights nothing is half-done."""
    account.deny("iam:CreateRole", "iam:CreateAccessKey")
    planned = run("aws", "plan", account.pool_arn)
    refused = run("aws", "apply", account.pool_arn, "--yes")

    assert "Lacking right: iam:CreateRole on arn:aws:iam::123456789012:role/cognitoApiAccessRole" in planned.out
    assert (planned.code, refused.code) == (0, 77)
    assert "iam:CreateAccessKey" in refused.err
    assert account.state()["policies"] == {}


def test_where_rights_cannot_be_asked_for_a_denial_stops_and_a_repeat_goes_on(account: Account, run: Run) -> None:
    """Each denial names the right, and who forbids it."""
    account.forbid_simulation()
    account.deny("iam:CreateRole", by="a service control policy")
    denied = run("aws", "apply", account.pool_arn, "--yes")
    account.denied.clear()
    again = run("aws", "apply", account.pool_arn, "--yes")

    assert denied.code == 77
    assert "CreateRole for role cognitoApiAccessRole was denied by a service control policy" in denied.err
    assert "run the command again" in denied.err
    assert again.code == 0


def test_what_may_not_be_looked_at_is_said_object_by_object(account: Account, run: Run) -> None:
    """A plan with half the rights to read says which are missing."""
    account.deny("iam:GetRole")
    planned = run("aws", "plan", account.pool_arn)
    refused = run("aws", "apply", account.pool_arn, "--yes")

    assert (
        "Role cognitoApiAccessRole could not be looked at: GetRole for role cognitoApiAccessRole was denied"
        in planned.out
    )
    assert "create policy cognitoAPIAccessPolicy" in planned.out
    assert refused.code == 78


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_NotThere1", "does not exist"),
        ("arn:aws:cognito-idp:eu-west-2:123456789012:userpool/eu-west-1_AbCdEf123", "is in eu-west-2"),
        ("arn:aws:cognito-idp:eu-west-1:210987654321:userpool/eu-west-1_AbCdEf123", "is in account 210987654321"),
        ("eu-west-1_AbCdEf123", "is not the ARN of a user pool"),
    ],
)
def test_a_pool_that_is_not_there_is_one_sentence(arn: str, said: str, account: Account, run: Run) -> None:
    """A pool that does not exist, the wrong Region, another account."""
    refused = run("aws", "apply", arn, "--yes")

    assert (refused.code, said in refused.err, account.state()["policies"]) == (78, True, {})


def test_a_principal_that_is_gone_is_one_sentence(account: Account, run: Run) -> None:
    """IAM would call it invalid for ever."""
    refused = run("aws", "apply", account.pool_arn, "--yes", "--principal", "arn:aws:iam::123456789012:role/gone")

    assert refused.code == 78
    assert "There is no role arn:aws:iam::123456789012:role/gone" in refused.err


def test_expired_credentials_in_the_middle_are_one_sentence(account: Account, run: Run) -> None:
    """And the next apply goes on."""
    account.script.fail("CreateRole", call=1, fault=Fault.EXPIRED_TOKEN)
    stopped = run("aws", "apply", account.pool_arn, "--yes")
    again = run("aws", "apply", account.pool_arn, "--yes")

    assert stopped.code == 77
    assert "The caller's credentials expired before CreateRole" in stopped.err
    assert again.code == 0


def test_two_keys_already_are_named(account: Account, run: Run, folder: Path) -> None:
    """With their last use, and the command that makes room."""
    run("aws", "apply", account.pool_arn, "--yes")
    account.client("iam").create_access_key(UserName="serviceAccountUser")
    (folder / "config.yaml").unlink()
    refused = run("aws", "apply", account.pool_arn, "--yes")

    assert refused.code == 78
    assert "User serviceAccountUser has two access keys already" in refused.err
    assert "aws iam delete-access-key" in refused.err


def test_throttling_and_lost_replies_are_looked_after(account: Account, run: Run) -> None:
    """Each leads to another look, never to a second call of the same kind."""
    account.script.fail("CreatePolicy", call=1, fault=Fault.THROTTLE)
    account.script.fail("CreateUser", call=1, fault=Fault.FAILED_AFTER)
    account.script.fail("CreateRole", call=1, fault=Refusal("ConcurrentModification", "", 409))
    applied = run("aws", "apply", account.pool_arn, "--yes")

    assert applied.code == 0
    assert account.script.calls["CreateUser"] == 1


def test_nobody_who_could_be_asked_is_a_usage_error(account: Account, run: Run) -> None:
    """Without --yes nothing is done behind anybody's back."""
    refused = run("aws", "apply", account.pool_arn)

    assert (refused.code, account.state()["policies"]) == (2, {})
    assert "say --yes" in refused.err


def test_the_caller_is_never_the_key_of_the_configuration(account: Account, run: Run) -> None:
    """The service user's key could not even look."""
    run("aws", "apply", account.pool_arn, "--yes")
    account.backend.delete_user_policy("administrator", "everything")
    account.deny("iam:GetUser")

    assert "was denied" in run("aws", "plan").out


def test_without_credentials_of_an_administrator_it_is_one_sentence(
    account: Account, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No credentials, no such profile."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    none = run("aws", "plan", account.pool_arn)
    wrong = run("aws", "plan", account.pool_arn, "--profile", "nobody")

    assert (none.code, "needs the credentials of an administrator" in none.err) == (77, True)
    assert (wrong.code, "There is no profile 'nobody'" in wrong.err) == (78, True)


def test_a_configuration_that_is_there_keeps_all_else(account: Account, run: Run, folder: Path) -> None:
    """Comments and other keys stay; a variable that would win over the file is refused."""
    (folder / "config.yaml").write_text("# ours\ncognito:\n  groups: [admins]  # only these\n")
    applied = run("aws", "apply", account.pool_arn, "--yes")
    text = (folder / "config.yaml").read_text()

    assert applied.code == 0
    assert "# ours" in text
    assert "groups: [admins]  # only these" in text
    assert yaml.safe_load(text)["cognito"]["user_pool_id"] == account.pool_id


def test_a_variable_that_would_win_is_refused(account: Account, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what is written would have no effect, and nobody would know why."""
    monkeypatch.setenv("COGNITO_SCIM_AWS__ROLE_ARN", "arn:aws:iam::123456789012:role/other")
    refused = run("aws", "apply", account.pool_arn, "--yes")

    assert refused.code == 78
    assert "COGNITO_SCIM_AWS__ROLE_ARN in the environment would win" in refused.err


def test_key_and_external_id_may_go_to_secrets_manager(account: Account, run: Run, folder: Path) -> None:
    """One secret whose names are the connector's variables; no file holds any."""
    applied = run("aws", "apply", account.pool_arn, "--yes", "--vault", "secretsmanager:scim/pool")
    text = account.client("secretsmanager").get_secret_value(SecretId="scim/pool")["SecretString"]
    held = json.loads(text)

    assert applied.code == 0, applied.err
    assert set(held) == {
        f"COGNITO_SCIM_AWS__{name}" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "EXTERNAL_ID", "ROLE_ARN")
    }
    assert not (folder / "secrets").exists()
    assert run("aws", "plan", account.pool_arn, "--vault", "secretsmanager:scim/pool").out.endswith(
        "Nothing to change.\n"
    )


def test_a_broken_secrets_manager_leaves_no_key_behind(account: Account, run: Run) -> None:
    """The ExternalId proves first that it can be written; a key that cannot be kept is deleted."""
    options = ("aws", "apply", account.pool_arn, "--yes", "--vault", "secretsmanager:scim/pool")
    account.deny("secretsmanager:CreateSecret")
    before_the_role = run(*options)
    nothing = account.state()["roles"]
    account.denied.clear()
    account.script.fail("PutSecretValue", call=1, fault=Fault.ACCESS_DENIED, times=9)
    with_the_key = run(*options)
    keys = account.state()["users"]["serviceAccountUser"]["keys"]
    account.script.forget_faults()

    assert (before_the_role.code, nothing) == (77, {})
    assert (with_the_key.code, keys) == (77, [])
    assert run(*options).code == 0


def test_an_instance_and_an_existing_principal_get_no_key(account: Account, run: Run) -> None:
    """The machine's role is made with its instance profile; who is there already stays as it is."""
    account.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(_trust("ec2.amazonaws.com")))
    before = account.state()["roles"]["app"]
    instance = run("aws", "apply", account.pool_arn, "--yes", "--principal", "instance")
    existing = run(
        *("--config", "other.yaml", "aws", "apply", account.pool_arn, "--yes", "--prefix", "x-"),
        *("--principal", "arn:aws:iam::123456789012:role/app"),
    )
    state = account.state()

    assert (instance.code, existing.code) == (0, 0)
    assert "Run `cognito-scim check` as arn:aws:iam::123456789012:role/cognitoConnectorHostRole" in instance.out
    assert state["users"] == {}
    assert state["profiles"] == {"cognitoConnectorHostRole": ["cognitoConnectorHostRole"]}
    assert state["roles"]["app"] == before
    principal = state["roles"]["x-cognitoApiAccessRole"]["trust"]["Statement"][0]["Principal"]
    assert principal == {"AWS": "arn:aws:iam::123456789012:role/app"}


def test_rotation_and_feed_are_opt_in(account: Account, run: Run, folder: Path) -> None:
    """A role of its own with an ExternalId of its own, and three actions on one queue."""
    applied = run(
        *("aws", "apply", account.pool_arn, "--yes", "--rotate", "ann", "--rotate-iam-user", "bo"),
        *("--queue", "arn:aws:sqs:eu-west-1:123456789012:feed"),
    )
    settings = load_settings(folder / "config.yaml", {}, reads_pool=True)

    assert applied.code == 0, applied.err
    assert settings.rotation.role_arn == "arn:aws:iam::123456789012:role/cognitoRotationRole"
    assert settings.rotation.external_id.get_secret_value() != settings.aws.external_id.get_secret_value()
    assert settings.rotation.allow == ("ann", "bo")
    assert "cognitoChangeFeedPolicy" in account.state()["policies"]


def test_a_set_up_under_way_keeps_another_out(account: Account, folder: Path) -> None:
    """Two at once would make two keys."""
    workplace = Workplace(account, folder)
    with workplace.set_up().vault.hold(), pytest.raises(Exception, match="Another set-up is under way"):
        workplace.apply()


def _trust(service: str) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
