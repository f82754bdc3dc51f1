"""Evaluate IAM policies, as much of them as the AWS side uses (IAM User Guide, "Policy evaluation logic").

An explicit deny wins; else an allow decides; else it is denied. In the account of the role, a trust policy that names
the caller is enough; one that names the account leaves it to the caller's own policies.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks.

    Args:
        context: condition keys, in lower case, with their values; a key that is absent has none.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def allows(documents: Iterable[Document], request: Request) -> bool:
    """Tell whether identity policies allow a request."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed(document["Statement"])
        if _is_about(statement, request)
    }
    return "Allow" in effects and "Deny" not in effects


def trusts(trust: Document, caller_arn: str, request: Request, identity: Iterable[Document] = ()) -> bool:
    """Tell whether a role lets a caller in.

    Args:
        trust: the role's trust policy.
        caller_arn: the user, or the role whose session calls.
        request: `sts:AssumeRole` on the role.
        identity: the caller's own policies.
    """
    identity = list(identity)
    if any(
        _is_about(statement, request) and statement["Effect"] == "Deny"
        for document in identity
        for statement in _listed(document["Statement"])
    ):
        return False
    account = caller_arn.split(":")[4]
    root = f"arn:{caller_arn.split(':')[1]}:iam::{account}:root"
    same_account = request.resource.split(":")[4] == account
    for statement in _listed(trust["Statement"]):
        if not _is_about({**statement, "Resource": "*"}, request) or statement["Effect"] != "Allow":
            continue
        principal = statement["Principal"]
        named = {"*"} if principal == "*" else set(_listed(principal.get("AWS", [])))
        if same_account and named & {caller_arn, "*"}:
            return True
        if named & {caller_arn, root, account, "*"} and allows(identity, request):
            return True
    return False


def _is_about(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _matches_any(statement.get("Action", []), request.action, any_case=True)
        and _matches_any(statement.get("Resource", []), request.resource)
        and all(
            _holds(operator, request.context.get(key.lower()), _listed(values))
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def _holds(operator: str, value: str | list[str] | None, wanted: list[str]) -> bool:
    """Test one condition (IAM JSON policy reference, "Condition operators")."""
    quantifier, _, plain = operator.rpartition(":")
    if plain.endswith("IfExists") and value is None:
        return True
    plain = plain.removesuffix("IfExists")
    if plain == "Null":
        return (value is None) == (str(wanted[0]).lower() == "true")
    if quantifier == "ForAllValues":
        return all(_OPERATORS[plain](one, wanted) for one in _listed(value or []))
    if value is None:
        return plain in {"StringNotEquals", "StringNotLike"}
    return any(_OPERATORS[plain](one, wanted) for one in _listed(value))


_OPERATORS: Mapping[str, Callable[[str, list[str]], bool]] = {
    "StringEquals": lambda value, wanted: value in wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() in [one.lower() for one in wanted],
    "StringNotEquals": lambda value, wanted: value not in wanted,
    "StringLike": lambda value, wanted: _matches_any(wanted, value),
    "StringNotLike": lambda value, wanted: not _matches_any(wanted, value),
    "ArnEquals": lambda value, wanted: _matches_any(wanted, value),
    "ArnLike": lambda value, wanted: _matches_any(wanted, value),
}


def _matches_any(patterns: Any, text: str, *, any_case: bool = False) -> bool:
    for pattern in _listed(patterns):
        expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, text, re.IGNORECASE if any_case else 0):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
