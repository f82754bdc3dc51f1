"""`aws verify` finds what was broken by hand, says how bad it is, and names the command that mends it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.store.aws_verification import last_verification
from connector.store.migrations import open_database
from tests.fakes.aws_account.account import Account
from tests.provisioning.conftest import Run
from tests.provisioning.setting_up import Workplace

ROLE, USER = "cognitoApiAccessRole", "serviceAccountUser"
READ = "arn:aws:iam::123456789012:policy/cognitoAPIAccessPolicy"
ASSUME = "arn:aws:iam::123456789012:policy/assumeRolePolicy"


def change_trust(account: Account, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the trust policy by hand."""
    trust = json.loads(account.backend.get_role(ROLE).assume_role_policy_document)
    change(trust["Statement"][0])
    account.backend.get_role(ROLE).assume_role_policy_document = json.dumps(trust)


def change_policy(account: Account, arn: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a managed policy by hand."""
    iam = account.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    change(document["Statement"][0])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)


def age_key(account: Account) -> None:
    """Let the key be years old, and never used."""
    key = account.backend.get_user(USER).access_keys[0]
    key.create_date, key.last_used = datetime(2020, 1, 1), None  # noqa: DTZ001 - as moto keeps it


def make_another_key(account: Account) -> None:
    """Give the user a second key."""
    account.client("iam").create_access_key(UserName=USER)


def attach_another_policy(account: Account) -> None:
    """Give the role what an administrator may do."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = account.client("iam").create_policy(PolicyName="mighty", PolicyDocument=document)["Policy"]["Arn"]
    account.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn=policy)


def recreate_user(account: Account) -> None:
    """Delete the user and make another of the same name: the role trusts nobody then."""
    iam = account.client("iam")
    for key in iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
    iam.detach_user_policy(UserName=USER, PolicyArn=ASSUME)
    iam.delete_user(UserName=USER)
    iam.create_user(UserName=USER, Tags=[{"Key": "managed-by", "Value": "cognito-scim"}])


TRUSTED = "arn:aws:iam::123456789012:user/serviceAccountUser"
BREAKAGES: dict[str, tuple[Callable[[Account], object], str, str]] = {
    "the user was recreated": (recreate_user, "principal_gone", "error"),
    "no ExternalId": (lambda a: change_trust(a, lambda s: s.pop("Condition")), "external_id_missing", "error"),
    "ExternalId with StringLike": (
        lambda a: change_trust(a, lambda s: s.update(Condition={"StringLike": {"sts:ExternalId": "*"}})),
        "external_id_weak",
        "error",
    ),
    "ExternalId with ForAnyValue": (
        lambda a: change_trust(a, lambda s: s.update(Condition={"ForAnyValue:StringEquals": {"sts:ExternalId": "x"}})),
        "external_id_weak",
        "error",
    ),
    "another ExternalId": (
        lambda a: change_trust(a, lambda s: s.update(Condition={"StringEquals": {"sts:ExternalId": "another"}})),
        "external_id_differs",
        "error",
    ),
    "the whole account is trusted": (
        lambda a: change_trust(a, lambda s: s.update(Principal={"AWS": "arn:aws:iam::123456789012:root"})),
        "trust_too_wide",
        "error",
    ),
    "two are trusted": (
        lambda a: change_trust(a, lambda s: s.update(Principal={"AWS": [TRUSTED, TRUSTED + "2"]})),
        "trust_too_wide",
        "error",
    ),
    "everybody is trusted": (lambda a: change_trust(a, lambda s: s.update(Principal="*")), "trust_too_wide", "error"),
    "another action is trusted": (
        lambda a: change_trust(a, lambda s: s.update(Action=["sts:AssumeRole", "sts:TagSession"])),
        "trust_action",
        "error",
    ),
    "an action is missing": (
        lambda a: change_policy(a, READ, lambda s: s["Action"].remove("cognito-idp:GetGroup")),
        "action_missing",
        "error",
    ),
    "an action too many": (
        lambda a: change_policy(a, READ, lambda s: s["Action"].append("cognito-idp:AdminDeleteUser")),
        "action_too_many",
        "error",
    ),
    "a harmless action too many": (
        lambda a: change_policy(a, READ, lambda s: s["Action"].append("cognito-idp:DescribeUserPool")),
        "action_too_many",
        "warning",
    ),
    "every pool": (lambda a: change_policy(a, READ, lambda s: s.update(Resource="*")), "resource_too_many", "error"),
    "every role": (lambda a: change_policy(a, ASSUME, lambda s: s.update(Resource="*")), "resource_too_many", "error"),
    "another policy attached": (
        attach_another_policy,
        "action_too_many",
        "error",
    ),
    "our policy detached": (
        lambda a: a.client("iam").detach_role_policy(RoleName=ROLE, PolicyArn=READ),
        "action_missing",
        "error",
    ),
    "an inline policy": (
        lambda a: a.client("iam").put_user_policy(
            UserName=USER,
            PolicyName="mine",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
            ),
        ),
        "action_too_many",
        "error",
    ),
    "a console password": (
        lambda a: a.client("iam").create_login_profile(UserName=USER, Password="Uncommon-Passw0rd"),
        "console_password",
        "error",
    ),
    "a group": (
        lambda a: (
            a.client("iam").create_group(GroupName="admins"),
            a.client("iam").add_user_to_group(GroupName="admins", UserName=USER),
        ),
        "groups",
        "warning",
    ),
    "an old key": (age_key, "key_old", "warning"),
    "an unused key": (age_key, "key_unused", "warning"),
    "a second key": (make_another_key, "second_key", "warning"),
    "the key was deactivated": (
        lambda a: setattr(a.backend.get_user(USER).access_keys[0], "status", "Inactive"),
        "key_dead",
        "error",
    ),
    "forbidden by the organisation": (
        lambda a: a.deny("cognito-idp:ListUsers", by="a service control policy"),
        "forbidden_by_organisation",
        "error",
    ),
    "the role is gone": (lambda a: a.backend.roles.clear(), "role_missing", "error"),
}


def test_what_was_set_up_is_as_it_should_be(account: Account, run: Run) -> None:
    """Nothing but notes, and exit code 0."""
    run("aws", "apply", account.pool_arn, "--yes")
    verified = run("aws", "verify", account.pool_arn, "--json")
    by_configuration = run("aws", "verify", "--json")

    assert (verified.code, verified.document) == (0, {"ok": True, "findings": []})
    assert by_configuration.document == verified.document


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_what_was_broken_by_hand_is_found(breakage: str, account: Account, run: Run, folder: Path) -> None:
    """With its severity, and the command that mends it; 4 for an error, else 0."""
    Workplace(account, folder).apply()
    break_it, name, severity = BREAKAGES[breakage]
    break_it(account)
    verified = run("aws", "verify", account.pool_arn, "--json")
    found = {(finding["name"], finding["severity"]): finding for finding in verified.document["findings"]}
    is_error = any(severity == "error" for _, severity in found)

    assert (name, severity) in found
    assert found[name, severity]["remedy"]
    assert (verified.code, verified.document["ok"]) == (4 if is_error else 0, not is_error)
    external_id = Path(yaml.safe_load((folder / "config.yaml").read_text())["aws"]["external_id_file"]).read_text()
    assert external_id.strip() not in verified.out + verified.err


@pytest.mark.parametrize(
    "breakage", ["no ExternalId", "every pool", "our policy detached", "the whole account is trusted"]
)
def test_the_remedy_mends_it(breakage: str, account: Account, run: Run, folder: Path) -> None:
    """What names `aws apply` is mended by it."""
    Workplace(account, folder).apply()
    BREAKAGES[breakage][0](account)
    remedies = [finding["remedy"] for finding in run("aws", "verify", "--json").document["findings"]]
    Workplace(account, folder).apply()

    assert all(remedy.startswith("cognito-scim aws apply") for remedy in remedies)
    assert run("aws", "verify", "--json").document == {"ok": True, "findings": []}


ROTATION = "arn:aws:iam::123456789012:policy/cognitoRotationPolicy"
OF_THE_ROTATION: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an action is missing": (lambda s: s["Action"].remove("cognito-idp:AdminSetUserPassword"), "action_missing"),
    "an action too many": (lambda s: s["Action"].append("cognito-idp:AdminDeleteUser"), "action_too_many"),
    "every pool": (lambda s: s.update(Resource="*"), "resource_too_many"),
    "something else instead": (lambda s: s.update(Action="s3:ListBucket"), "action_too_many"),
    "proofs by the administrator's flow": (
        lambda s: s["Action"].extend(("cognito-idp:AdminInitiateAuth", "cognito-idp:AdminRespondToAuthChallenge")),
        "",
    ),
}


def test_the_role_that_rotates_is_looked_at_too(account: Account, run: Run, folder: Path) -> None:
    """What it may do: everything for whom its policies name, and nothing else; mended with the options of rotation."""
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ann-AbCdEf"
    asked = {"rotate": ("ann",), "rotate_iam_user": ("bo",), "rotate_secret": (secret,)}
    Workplace(account, folder, asked).apply()
    policy = next(policy for policy in account.backend.managed_policies.values() if policy.arn == ROTATION)
    version = next(version for version in policy.versions if version.is_default)
    good = version.document
    assert run("aws", "verify", "--json").document["findings"] == []
    for breakage, (break_it, name) in OF_THE_ROTATION.items():
        document = json.loads(good)
        break_it(document["Statement"][0])
        version.document = json.dumps(document)
        findings = run("aws", "verify", "--json").document["findings"]

        assert [finding["name"] for finding in findings] == ([name] if name else []), breakage
        assert all("--rotate" in finding["remedy"] for finding in findings), findings


def test_what_may_not_be_looked_at_is_a_warning(account: Account, run: Run) -> None:
    """The rest is looked at all the same."""
    run("aws", "apply", account.pool_arn, "--yes")
    account.forbid_simulation()
    account.deny("iam:GetLoginProfile", "iam:GetAccountSummary")
    make_another_key(account)
    verified = run("aws", "verify", "--json")
    names = [finding["name"] for finding in verified.document["findings"]]

    assert verified.code == 0
    assert names.count("not_seen") == 2
    assert "effect_not_seen" in names


def test_nothing_is_changed(account: Account, run: Run) -> None:
    """A look is a look, whatever it finds."""
    run("aws", "apply", account.pool_arn, "--yes")
    recreate_user(account)
    before = account.state()
    run("aws", "verify")

    assert account.state() == before


def test_the_last_look_stands_in_the_store(account: Account, run: Run, folder: Path) -> None:
    """With its time and its findings, for metrics and console; the one before is forgotten."""
    run("aws", "apply", account.pool_arn, "--yes")
    run("aws", "verify")
    change_trust(account, lambda statement: statement.pop("Condition"))
    run("aws", "verify")
    database = open_database(f"sqlite:///{folder}/cognito-scim.db")
    record = last_verification(database)
    database.close()

    assert record is not None
    assert (record.count("error"), record.findings[0]["name"]) == (1, "external_id_missing")
    assert abs(record.at - datetime.now(UTC).timestamp()) < 3600
