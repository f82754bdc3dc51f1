"""Judge the trust policy of the role: one exact principal, one exact ExternalId, nothing beside them."""

import re
from collections.abc import Iterator

from connector.provisioning.account.seen import SeenRole
from connector.provisioning.design.policy_statements import Condition, Statement, read_statements
from connector.provisioning.verify.findings import APPLY, Finding, Severity

_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")
_ACCOUNT = re.compile(r"\d{12}|arn:[^:]+:iam::\d{12}:root")
_EXTERNAL_ID = "sts:externalid"
_ASSUME = "sts:assumerole"
_Fault = tuple[str, str]
"""The name of a finding, and its detail."""


def judge_trust(
    role: SeenRole, *, name: str, principal_arn: str, external_id: str, remedy: str = APPLY
) -> Iterator[Finding]:
    """Yield what is wrong with who may assume the role.

    Args:
        role: the role.
        name: of the role.
        principal_arn: who should; empty where that is not known.
        external_id: what should be asked for; empty where that is not known.
        remedy: the command that makes the role anew.
    """
    for fault, detail in _faults(role, name, principal_arn, external_id):
        yield Finding(fault, Severity.ERROR, detail, remedy)


def _faults(role: SeenRole, name: str, principal_arn: str, external_id: str) -> Iterator[_Fault]:
    allowing = [statement for statement in read_statements(role.trust) if statement.allows]
    principals = {principal for statement in allowing for principal in statement.principals}
    yield from _principals(name, principals, principal_arn)
    for statement in allowing:
        yield from _statement(name, statement, external_id)
    if len(allowing) != 1:
        yield "trust", f"The trust policy of {name} has {len(allowing)} statements that let somebody in, not 1."


def _principals(name: str, principals: set[tuple[str, str]], wanted: str) -> Iterator[_Fault]:
    values = sorted(value for _, value in principals)
    gone = [value for value in values if _UNIQUE_ID.fullmatch(value)]
    wide = [value for value in values if value == "*" or _ACCOUNT.fullmatch(value)]
    if gone:
        yield (
            "principal_gone",
            f"{name} trusts {', '.join(gone)}: a user or role that was deleted; one of the same name is another.",
        )
    if wide:
        yield "trust_too_wide", f"{name} trusts {', '.join(wide)}: everybody there, not one user or role."
    if len(values) > 1:
        yield "trust_too_wide", f"{name} trusts {len(values)} principals: {', '.join(values)}."
    if wanted and len(values) == 1 and values != [wanted] and not gone and not wide:
        yield "other_principal", f"{name} trusts {values[0]}, and not {wanted}."


def _statement(name: str, statement: Statement, external_id: str) -> Iterator[_Fault]:
    odd = sorted({element for element, _ in statement.others} | ({"Principal"} if not statement.principals else set()))
    if statement.others:
        yield "trust", f"The trust policy of {name} uses {', '.join(odd)}, which lets in whoever is not named."
    more = sorted(statement.spelled[action] for action in statement.actions - {_ASSUME})
    if more:
        yield "trust_action", f"The trust policy of {name} also allows {', '.join(more)}."
    asked = [condition for condition in statement.conditions if condition.key.lower() == _EXTERNAL_ID]
    if not asked:
        yield "external_id_missing", f"{name} lets its principal in without an ExternalId."
    for condition in asked:
        yield from _condition(name, condition, external_id)


def _condition(name: str, condition: Condition, external_id: str) -> Iterator[_Fault]:
    if condition.operator != "StringEquals":
        yield (
            "external_id_weak",
            f"{name} asks for the ExternalId with {condition.operator}, which lets others in, not with StringEquals.",
        )
    elif len(condition.values) > 1:
        yield "external_id_weak", f"{name} takes {len(condition.values)} ExternalIds instead of one."
    elif external_id and condition.values != {external_id}:
        yield (
            "external_id_differs",
            f"{name} asks for another ExternalId than the configuration has; nobody gets in.",
        )
