"""Judge what policies allow: what is needed, on what it is needed for, and no more."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connector.provisioning.design.documents import Document
from connector.provisioning.design.policy_statements import Statement, read_statements
from connector.provisioning.verify.findings import APPLY, Finding, Severity

_HARMLESS = (
    "cognito-idp:list",
    "cognito-idp:get",
    "cognito-idp:describe",
    "cognito-idp:adminget",
    "cognito-idp:adminlist",
)


@dataclass(frozen=True, slots=True)
class Needed:
    """What a user or role has to be allowed, and nothing besides.

    Args:
        actions: as they are written.
        resource: on which.
    """

    actions: tuple[str, ...]
    resource: str


def judge_rights(
    holder: str, needed: Iterable[Needed], documents: Mapping[str, Document], remedy: str = APPLY
) -> Iterator[Finding]:
    """Yield what is missing, and what is more than needed.

    Args:
        holder: the user or role, in words.
        needed: what it needs.
        documents: its policies, by the command that takes each away.
        remedy: the command that gives what is missing.
    """
    needed = tuple(needed)
    statements = [
        (command, statement) for command, document in documents.items() for statement in read_statements(document)
    ]
    for need in needed:
        missing = [action for action in need.actions if not _is_allowed(action, need.resource, statements)]
        if missing:
            detail = f"{holder} may not call {', '.join(missing)} on {need.resource}."
            yield Finding("action_missing", Severity.ERROR, detail, remedy)
    for command, statement in statements:
        if statement.allows:
            yield from _beyond(holder, needed, statement, command)


def _is_allowed(action: str, resource: str, statements: Iterable[tuple[str, Statement]]) -> bool:
    about = [statement for _, statement in statements if _covers(statement, action, resource)]
    return bool(about) and all(statement.allows for statement in about)


def _covers(statement: Statement, action: str, resource: str) -> bool:
    """Tell whether a statement speaks of this action on this resource; one with a condition may not when asked."""
    if statement.allows and statement.conditions:
        return False
    return any(_fits(pattern, action.lower()) for pattern in statement.actions) and any(
        _fits(pattern, resource) for pattern in statement.resources
    )


def _beyond(holder: str, needed: tuple[Needed, ...], statement: Statement, remedy: str) -> Iterator[Finding]:
    if statement.others:
        odd = ", ".join(sorted(element for element, _ in statement.others))
        yield Finding(
            "rights_too_wide", Severity.ERROR, f"A policy of {holder} uses {odd}: all but what is named.", remedy
        )
        return
    actions = {action.lower() for need in needed for action in need.actions}
    more = sorted(statement.spelled[action] for action in statement.actions - actions)
    if more:
        mild = all(action.lower().startswith(_HARMLESS) and "*" not in action.partition(":")[2] for action in more)
        severity = Severity.WARNING if mild else Severity.ERROR
        yield Finding("action_too_many", severity, f"{holder} may also call {', '.join(more)}.", remedy)
    resources = {need.resource for need in needed if any(a.lower() in statement.actions for a in need.actions)}
    elsewhere = sorted(statement.resources - resources)
    if elsewhere and not more:
        alone = ", ".join(sorted(resources)) or "one resource"
        detail = f"{holder} may do so on {', '.join(elsewhere)}, not on {alone} alone."
        yield Finding("resource_too_many", Severity.ERROR, detail, remedy)


def _fits(pattern: str, text: str) -> bool:
    """Match as IAM does: * is any number of signs, ? is one."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
