"""Read what is there of the AWS side; an object that may not be read is known as such, and the rest is read on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.errors import SetUpDenied
from connector.provisioning.account.caller import Caller
from connector.provisioning.account.seen import Seen, SeenKey, SeenPolicy, SeenProfile, SeenRole, SeenUser
from connector.provisioning.design.objects import InstanceProfile, Policy, Role, User, Wanted
from connector.rotation.aws.errors import AwsCall


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is there, by ARN.

    Args:
        found: objects; None where there is none.
        unread: why an object could not be read.
    """

    found: Mapping[str, Seen | None] = field(default_factory=dict)
    unread: Mapping[str, SetUpDenied] = field(default_factory=dict)


def take_inventory(caller: Caller, wanted: Iterable[Wanted]) -> Inventory:
    """Look for every wanted object."""
    found: dict[str, Seen | None] = {}
    unread: dict[str, SetUpDenied] = {}
    for one in wanted:
        try:
            found[one.arn] = _look(caller, one)
        except SetUpDenied as denied:
            unread[one.arn] = denied
    return Inventory(found, unread)


def _look(caller: Caller, one: Wanted) -> Seen | None:
    match one:
        case Policy(_, arn):
            return find_policy(caller, arn)
        case Role(name):
            return find_role(caller, name)
        case User(name):
            return find_user(caller, name)
        case InstanceProfile(name):
            return find_profile(caller, name)


def find_policy(caller: Caller, arn: str) -> SeenPolicy | None:
    """Return a managed policy, None if there is none."""
    subject = f"policy {arn.rpartition('/')[2]}"
    answer = caller.find(AwsCall("iam:GetPolicy", subject), lambda: caller.iam.get_policy(PolicyArn=arn))
    if answer is None:
        return None
    policy = answer["Policy"]
    version = policy["DefaultVersionId"]
    content = caller.ask(
        AwsCall("iam:GetPolicyVersion", subject),
        lambda: caller.iam.get_policy_version(PolicyArn=arn, VersionId=version),
    )
    versions = caller.pages(AwsCall("iam:ListPolicyVersions", subject), "Versions", PolicyArn=arn)
    others = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
    return SeenPolicy(
        tags=_tags(policy),
        arn=arn,
        document=_as_document(content["PolicyVersion"]["Document"]),
        other_versions=tuple(v["VersionId"] for v in others),
    )


def find_role(caller: Caller, name: str) -> SeenRole | None:
    """Return a role, None if there is none."""
    subject = f"role {name}"
    answer = caller.find(AwsCall("iam:GetRole", subject), lambda: caller.iam.get_role(RoleName=name))
    if answer is None:
        return None
    role = answer["Role"]
    attached = caller.pages(AwsCall("iam:ListAttachedRolePolicies", subject), "AttachedPolicies", RoleName=name)
    inline = caller.pages(AwsCall("iam:ListRolePolicies", subject), "PolicyNames", RoleName=name)
    return SeenRole(
        tags=_tags(role),
        arn=role["Arn"],
        trust=_as_document(role["AssumeRolePolicyDocument"]),
        policies=tuple(policy["PolicyArn"] for policy in attached),
        inline=tuple(inline),
        session_seconds=role.get("MaxSessionDuration", 3600),
        boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
    )


def find_user(caller: Caller, name: str) -> SeenUser | None:
    """Return a user with its keys, None if there is none."""
    subject = f"user {name}"
    answer = caller.find(AwsCall("iam:GetUser", subject), lambda: caller.iam.get_user(UserName=name))
    if answer is None:
        return None
    user = answer["User"]

    def listed(action: str, key: str) -> list[Any]:
        return caller.pages(AwsCall(f"iam:{action}", subject), key, UserName=name)

    return SeenUser(
        tags=_tags(user),
        arn=user["Arn"],
        policies=tuple(policy["PolicyArn"] for policy in listed("ListAttachedUserPolicies", "AttachedPolicies")),
        inline=tuple(listed("ListUserPolicies", "PolicyNames")),
        groups=tuple(group["GroupName"] for group in listed("ListGroupsForUser", "Groups")),
        keys=tuple(_key(caller, key) for key in listed("ListAccessKeys", "AccessKeyMetadata")),
        boundary=user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
    )


def find_profile(caller: Caller, name: str) -> SeenProfile | None:
    """Return an instance profile, None if there is none."""
    answer = caller.find(
        AwsCall("iam:GetInstanceProfile", f"instance profile {name}"),
        lambda: caller.iam.get_instance_profile(InstanceProfileName=name),
    )
    if answer is None:
        return None
    profile = answer["InstanceProfile"]
    return SeenProfile(
        tags=_tags(profile), arn=profile["Arn"], role=next((role["RoleName"] for role in profile["Roles"]), "")
    )


def _key(caller: Caller, listed: Mapping[str, Any]) -> SeenKey:
    key_id = listed["AccessKeyId"]
    answer = caller.ask(
        AwsCall("iam:GetAccessKeyLastUsed", f"access key {key_id}"),
        lambda: caller.iam.get_access_key_last_used(AccessKeyId=key_id),
    )
    last = answer.get("AccessKeyLastUsed", {})
    return SeenKey(
        key_id,
        active=listed["Status"] == "Active",
        created=listed["CreateDate"],
        used=last.get("LastUsedDate"),
        service=last.get("ServiceName", ""),
        region=last.get("Region", ""),
    )


def _tags(described: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}


def _as_document(told: Any) -> dict[str, Any]:
    """Return a document as botocore decodes it; one that it could not decode says nothing that we know."""
    return told if isinstance(told, dict) else {}
