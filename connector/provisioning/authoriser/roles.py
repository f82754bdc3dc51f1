"""Roles and their policies: looked at, then created or brought to what they shall be."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from connector.errors import SetUpUnfit
from connector.provisioning.account.errors import is_refusal, provisioning_faults
from connector.provisioning.account.waiting import Consistency
from connector.provisioning.authoriser.administrator import NOT_THERE, Administrator, asking, unless
from connector.provisioning.authoriser.templates import Document, fill
from connector.rotation.aws.errors import AwsCall

TWELVE_HOURS = 43_200
REVOCATION = "AWSRevokeOlderSessions"
"""As the IAM console calls it (IAM user guide, "Revoke IAM role temporary security credentials")."""
_TAGS: Any = [{"Key": "managed-by", "Value": "cognito-scim"}]


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """What a role may do.

    Args:
        arn: of the role.
        attached: names of managed policies.
        inline: its own policies by name.
    """

    arn: str
    attached: tuple[str, ...] = ()
    inline: dict[str, Document] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the role, without its path."""
        return self.arn.rpartition("/")[2]


def put_role(admin: Administrator, name: str, trust: Document, *, longest_session: int = 3600, description: str) -> str:
    """Create a role, or bring its trust and its longest session to what they shall be; return its ARN.

    Raises:
        ProvisioningError: AWS says no.
    """
    found = _find(admin, name)
    if found is None:
        arn = _create(admin, name, trust, longest_session, description)
        admin.report(f"Created role {name}.")
        return arn
    if _document(found["AssumeRolePolicyDocument"]) != trust:
        _with_known_principal(
            admin,
            AwsCall("iam:UpdateAssumeRolePolicy", f"role {name}", changes=True),
            lambda: admin.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust)),
        )
        admin.report(f"Changed whom role {name} trusts.")
    if found.get("MaxSessionDuration", 3600) < longest_session:
        with asking("iam:UpdateRole", f"role {name}"):
            admin.iam.update_role(RoleName=name, MaxSessionDuration=longest_session)
        admin.report(f"Sessions of role {name} may last {longest_session} seconds.")
    return str(found["Arn"])


def _find(admin: Administrator, name: str) -> dict[str, Any] | None:
    found = unless(NOT_THERE, "iam:GetRole", f"role {name}", lambda: admin.iam.get_role(RoleName=name))
    return dict(found["Role"]) if found else None


def _create(admin: Administrator, name: str, trust: Document, longest_session: int, description: str) -> str:
    answer = _with_known_principal(
        admin,
        AwsCall("iam:CreateRole", f"role {name}", changes=True),
        lambda: admin.iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(trust),
            MaxSessionDuration=longest_session,
            Description=description,
            Tags=_TAGS,
        ),
    )
    return str(answer["Role"]["Arn"])


def _with_known_principal(admin: Administrator, call: AwsCall, do: Any) -> Any:
    """Make a call that names a principal, which IAM may not know yet everywhere (terraform#4709)."""
    for last in Consistency(admin.report, seconds=60).attempts("IAM knows the principal"):
        with provisioning_faults(call):
            try:
                return do()
            except ClientError as error:
                if last or not is_refusal(error, "MalformedPolicyDocument", "invalid principal"):
                    raise
    raise AssertionError("unreachable")


def put_policy(admin: Administrator, role: str, name: str, document: Document) -> None:
    """Give a role a policy of its own, or change it to this one.

    Raises:
        ProvisioningError: AWS says no.
    """
    with asking("iam:PutRolePolicy", f"role {role}"):
        admin.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def read_role(admin: Administrator, arn: str) -> RoleInfo:
    """Return what a role may do.

    Raises:
        ProvisioningError: AWS says no.
    """
    name = arn.rpartition("/")[2]
    with asking("iam:ListAttachedRolePolicies", f"role {name}"):
        pages = admin.iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        attached = tuple(entry["PolicyName"] for page in pages for entry in page["AttachedPolicies"])
    with asking("iam:ListRolePolicies", f"role {name}"):
        pages_of_own = admin.iam.get_paginator("list_role_policies").paginate(RoleName=name)
        names = [entry for page in pages_of_own for entry in page["PolicyNames"]]
    inline = {}
    for policy in names:
        with asking("iam:GetRolePolicy", f"role {name}"):
            found = admin.iam.get_role_policy(RoleName=name, PolicyName=policy)
            inline[policy] = _document(found["PolicyDocument"])
    return RoleInfo(arn, attached, inline)


def exists(admin: Administrator, name: str) -> bool:
    """Say whether there is a role of this name."""
    return _find(admin, name) is not None


def revoke_sessions(admin: Administrator, role: str, before: datetime) -> None:
    """Deny everything to sessions of a role that began before a time; new ones are not touched.

    Raises:
        ProvisioningError: AWS says no.
    """
    put_policy(admin, role, REVOCATION, fill("revoke-sessions", time=f"{before:%Y-%m-%dT%H:%M:%SZ}"))


def read_policy_file(text: str, name: str) -> Document:
    """Return the policy that a file holds.

    Raises:
        SetUpUnfit: it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise SetUpUnfit(f"{name} is not JSON.", remedy="Correct the file.") from None
    if not isinstance(found, dict) or "Statement" not in found:
        raise SetUpUnfit(f"{name} is not a policy: it has no Statement.", remedy="Correct the file.")
    return found


def _document(given: Any) -> Document:
    """Return a document, which botocore hands over parsed, and other clients as URL-encoded text."""
    return dict(json.loads(unquote(given))) if isinstance(given, str) else dict(given)
