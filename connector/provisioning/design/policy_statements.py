"""Read policy documents as IAM reads them: one value and a list of it are the same, and order says nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.provisioning.design.documents import Document


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a statement: an operator, a key and the values of which one has to fit."""

    operator: str
    key: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, its elements as sets.

    Args:
        actions: in lower case, for IAM minds no case in them.
        principals: each as its kind and its value, such as `("AWS", "arn:…")`.
        others: elements that are not among these, such as `NotAction`, as they are.
    """

    effect: str
    actions: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    principals: frozenset[tuple[str, str]] = frozenset()
    conditions: frozenset[Condition] = frozenset()
    others: frozenset[tuple[str, str]] = frozenset()
    spelled: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Each action as it was written."""

    @property
    def allows(self) -> bool:
        """Whether it gives a right rather than takes one."""
        return self.effect == "Allow"


_KNOWN = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}


def read_statements(document: Document) -> tuple[Statement, ...]:
    """Return the statements of a document."""
    return tuple(_read(statement) for statement in _listed(document.get("Statement", [])))


def same_meaning(one: Document, other: Document) -> bool:
    """Tell whether two documents say the same, in whatever order and spelling."""
    return frozenset(read_statements(one)) == frozenset(read_statements(other))


def _read(statement: Mapping[str, Any]) -> Statement:
    actions = _listed(statement.get("Action", []))
    return Statement(
        effect=str(statement.get("Effect", "")),
        actions=frozenset(action.lower() for action in actions),
        resources=frozenset(_listed(statement.get("Resource", []))),
        principals=frozenset(_principals(statement.get("Principal", {}))),
        conditions=frozenset(_conditions(statement.get("Condition", {}))),
        others=frozenset((name, repr(value)) for name, value in statement.items() if name not in _KNOWN),
        spelled={action.lower(): action for action in actions},
    )


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if isinstance(principal, str):
        yield "AWS", principal
        return
    for kind, values in principal.items():
        for value in _listed(values):
            yield kind, value


def _conditions(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for operator, tests in condition.items():
        for key, values in tests.items():
            yield Condition(operator, key, frozenset(str(value) for value in _listed(values)))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
