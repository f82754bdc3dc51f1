"""Who may assume the role: exactly one user or role, made here or there already."""

import re
from dataclasses import dataclass

from connector.errors import SetUpUnfit
from connector.provisioning.design import documents
from connector.provisioning.design.arns import IamArn, PoolArn, parse_iam_arn
from connector.provisioning.design.documents import Document

SERVICE_USER, INSTANCE = "service-user", "instance"
IRSA, POD_IDENTITY = "irsa:", "pod-identity:"
FORMS = (
    "service-user (a user with an access key, as in the guide), instance (the role of an EC2 instance), "
    "irsa:PROVIDER_ARN=NAMESPACE/SERVICE_ACCOUNT or pod-identity:CLUSTER_ARN=NAMESPACE/SERVICE_ACCOUNT (the role of a "
    "pod on EKS), or the ARN of a user or role that is there already, of this account or another"
)
_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_ACCOUNT_OF_POD = re.compile(rf"(?P<namespace>{_NAME})/(?P<name>{_NAME})", re.ASCII)
_PROVIDER = re.compile(r"arn:aws(?:-[a-z]+)*:iam::\d{12}:oidc-provider/[\w./-]+", re.ASCII)
_CLUSTER = re.compile(r"arn:aws(?:-[a-z]+)*:eks:[a-z0-9-]+:\d{12}:cluster/[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """A user made for the connector, with an access key."""


@dataclass(frozen=True, slots=True)
class HostRole:
    """A role made for the machine or the pod that the connector runs on; nobody holds a key.

    Args:
        trust: who carries the role.
        what: it is, in words.
        on_instance: whether an EC2 instance carries it, which takes an instance profile.
    """

    trust: Document
    what: str
    on_instance: bool = False


@dataclass(frozen=True, slots=True)
class Existing:
    """A user or role that is there already, and stays as it is."""

    arn: IamArn


Principal = ServiceUser | HostRole | Existing


def parse_principal(text: str, pool: PoolArn) -> Principal:
    """Read who may assume the role; see `FORMS`.

    Raises:
        SetUpUnfit: it is none of them, or more than one exact principal.
    """
    if text == SERVICE_USER:
        return ServiceUser()
    if text == INSTANCE:
        return HostRole(documents.instance_trust(pool.partition), "EC2 instances that carry it", on_instance=True)
    if text.startswith((IRSA, POD_IDENTITY)):
        return _pod(text)
    arn = parse_iam_arn(text)
    if arn is None:
        raise SetUpUnfit(f"{text!r} cannot be trusted with the role.", remedy=f"Name one of: {FORMS}.")
    if arn.partition != pool.partition:
        raise SetUpUnfit(
            f"{text} is in partition {arn.partition}, and the pool in {pool.partition}.",
            remedy="No role is assumed from one partition into another; name a principal of the pool's partition.",
        )
    return Existing(arn)


def _pod(text: str) -> HostRole:
    kind, _, rest = text.partition(":")
    arn, _, of_pod = rest.rpartition("=")
    account = _ACCOUNT_OF_POD.fullmatch(of_pod)
    pattern = _PROVIDER if text.startswith(IRSA) else _CLUSTER
    if account is None or not pattern.fullmatch(arn):
        raise SetUpUnfit(f"{text!r} does not name a service account of a cluster.", remedy=f"Name one of: {FORMS}.")
    make = documents.irsa_trust if text.startswith(IRSA) else documents.pod_identity_trust
    what = f"pods of service account {account['namespace']}/{account['name']} ({kind})"
    return HostRole(make(arn, account["namespace"], account["name"]), what)
