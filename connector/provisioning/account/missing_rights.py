"""Ask IAM which rights the caller lacks for what is planned (IAM API reference: SimulatePrincipalPolicy).

A right that hangs on a condition which the simulation cannot know is not reported as lacking.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.errors import ProvisioningError
from connector.provisioning.account.caller import Caller
from connector.provisioning.design.arns import parse_iam_arn, role_of_session
from connector.rotation.aws.errors import AwsCall

MAY_SIMULATE = "iam:SimulatePrincipalPolicy"


def find_lacking_rights(caller: Caller, rights: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], str]:
    """Return the rights that the caller lacks, and why that could not be found out, if so.

    Args:
        caller: whose rights are looked at.
        rights: actions, each with the ARN of its resource.
    """
    if caller.identity.arn.endswith(":root"):
        return (), ""
    by_resource: dict[str, list[str]] = {}
    for action, resource in dict.fromkeys(rights):
        by_resource.setdefault(resource, []).append(action)
    lacking: list[str] = []
    try:
        source = _principal(caller)
        for resource, actions in by_resource.items():
            lacking += [_describe(result) for result in simulate(caller, source, actions, resource) if _lacks(result)]
    except ProvisioningError as error:
        return (), f"Whether the caller has every right was not seen: {error.message}"
    return tuple(lacking), ""


def _principal(caller: Caller) -> str:
    """Return the user, or the role that the caller's session is of."""
    arn = caller.identity.arn
    if parse_iam_arn(arn):
        return arn
    role = role_of_session(arn)
    answer = caller.ask(AwsCall("iam:GetRole", f"role {role}"), lambda: caller.iam.get_role(RoleName=role))
    return answer["Role"]["Arn"]


def simulate(caller: Caller, principal_arn: str, actions: Sequence[str], resource: str) -> Sequence[Mapping[str, Any]]:
    """Ask IAM how it decides about actions of a user or role on a resource; returns its results.

    Raises:
        SetUpDenied: the caller may not ask.
        SetUpUnfit, SetUpUnavailable: IAM does not say.
    """
    answer = caller.ask(
        AwsCall(MAY_SIMULATE, principal_arn),
        lambda: caller.iam.simulate_principal_policy(
            PolicySourceArn=principal_arn, ActionNames=list(actions), ResourceArns=[resource]
        ),
    )
    return answer["EvaluationResults"]


def _lacks(result: Mapping[str, Any]) -> bool:
    return result["EvalDecision"] != "allowed" and not result.get("MissingContextValues")


def _describe(result: Mapping[str, Any]) -> str:
    by = ""
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        by = ", by a service control policy of the organisation"
    elif not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        by = ", by a permissions boundary"
    return f"{result['EvalActionName']} on {result.get('EvalResourceName', '*')}{by}"
