"""The policy documents of the AWS side, as pure functions: each allows what it is for, on one resource, and no more.

The grammar is that of the IAM User Guide, "IAM JSON policy reference"; the actions are those of the Service
Authorization Reference.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
"""A policy document as IAM reads it."""

VERSION = "2012-10-17"
READ_ACTIONS = (
    "cognito-idp:ListUsers",
    "cognito-idp:ListGroups",
    "cognito-idp:AdminListGroupsForUser",
    "cognito-idp:ListUsersInGroup",
    "cognito-idp:AdminGetUser",
    "cognito-idp:GetGroup",
)
"""The six of the guide, in its order."""
FEED_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What a consumer of one queue calls."""
ROTATE_COGNITO_ACTIONS = (
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminListGroupsForUser",
    "cognito-idp:AdminSetUserPassword",
    "cognito-idp:DescribeUserPool",
    "cognito-idp:ListUsersInGroup",
)
"""What a rotation of users of the pool calls."""
PROVE_COGNITO_ACTIONS = ("cognito-idp:AdminInitiateAuth", "cognito-idp:AdminRespondToAuthChallenge")
"""What it calls besides where the app client allows only ADMIN_USER_PASSWORD_AUTH; allowed by hand."""
ROTATE_IAM_ACTIONS = ("iam:GetLoginProfile", "iam:GetUser", "iam:UpdateLoginProfile")
"""What a rotation of an IAM user's console password calls, besides the account's password policy."""
PASSWORD_POLICY_ACTION = "iam:GetAccountPasswordPolicy"  # noqa: S105 - the name of an action
"""It has no resource of its own."""
VAULT_ACTIONS = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
"""What a rotation calls of the secret that keeps the password."""


def document(*statements: Document) -> Document:
    """Return a policy document of some statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def allow(actions: str | Iterable[str], resource: str | Sequence[str], **more: Any) -> Document:
    """Return a statement that allows actions on a resource.

    Args:
        actions: one, or several.
        resource: an ARN, or several.
        more: further elements, such as `Condition`.
    """
    return {"Effect": "Allow", "Action": _plain(actions), "Resource": _plain(resource), **more}


def trust(principal: Document, actions: str | Iterable[str] = "sts:AssumeRole", **conditions: Document) -> Document:
    """Return the trust policy of a role.

    Args:
        principal: such as `{"AWS": "arn:…"}`.
        actions: what the principal may call.
        conditions: by operator, such as `StringEquals={"sts:ExternalId": "…"}`.
    """
    statement = {"Effect": "Allow", "Principal": principal, "Action": _plain(actions)}
    return document({**statement, "Condition": conditions} if conditions else statement)


def read_policy(pool_arn: str) -> Document:
    """Allow the six read actions on one pool."""
    return document(allow(READ_ACTIONS, pool_arn))


def feed_policy(queue_arn: str) -> Document:
    """Allow a consumer's three actions on one queue."""
    return document(allow(FEED_ACTIONS, queue_arn))


def assume_policy(role_arn: str) -> Document:
    """Allow nothing but to assume one role."""
    return document(allow("sts:AssumeRole", role_arn))


def external_id_trust(principal_arn: str, external_id: str) -> Document:
    """Trust one user or role, and only with the ExternalId (IAM User Guide, "The confused deputy problem")."""
    return trust({"AWS": principal_arn}, StringEquals={"sts:ExternalId": external_id})


def rotation_policy(pool_arn: str, *, iam_user_arns: Sequence[str], secret_arns: Sequence[str]) -> Document:
    """Allow what a rotation needs.

    Cognito has no resource finer than the pool, so which of its users may be rotated is kept by `rotation.allow`; IAM
    users and secrets are named one by one.

    Args:
        pool_arn: the pool; empty where no user of it is rotated.
        iam_user_arns: IAM users whose console password may be set.
        secret_arns: secrets that keep passwords.
    """
    statements = []
    if pool_arn:
        statements.append(allow(ROTATE_COGNITO_ACTIONS, pool_arn))
    if iam_user_arns:
        statements.append(allow(ROTATE_IAM_ACTIONS, iam_user_arns))
        statements.append(allow(PASSWORD_POLICY_ACTION, "*"))
    if secret_arns:
        statements.append(allow(VAULT_ACTIONS, secret_arns))
    return document(*statements)


def instance_trust(partition: str) -> Document:
    """Trust EC2 instances that carry the role (IAM User Guide, "IAM roles for Amazon EC2")."""
    return trust({"Service": "ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com"})


def pod_identity_trust(cluster_arn: str, namespace: str, service_account: str) -> Document:
    """Trust one service account of one cluster (Amazon EKS User Guide, "Pod Identity": role and session tags)."""
    tags = {
        "aws:RequestTag/eks-cluster-arn": cluster_arn,
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": service_account,
    }
    return trust({"Service": "pods.eks.amazonaws.com"}, ("sts:AssumeRole", "sts:TagSession"), StringEquals=tags)


def irsa_trust(provider_arn: str, namespace: str, service_account: str) -> Document:
    """Trust one service account by its OIDC token (Amazon EKS User Guide, "IAM roles for service accounts")."""
    issuer = provider_arn.partition(":oidc-provider/")[2]
    claims = {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}",
    }
    return trust({"Federated": provider_arn}, "sts:AssumeRoleWithWebIdentity", StringEquals=claims)


def in_json(content: Document) -> str:
    """Return a document as the text that IAM stores."""
    return json.dumps(content)


def _plain(values: str | Iterable[str]) -> str | list[str]:
    if isinstance(values, str):
        return values
    several = list(values)
    return several[0] if len(several) == 1 else several
