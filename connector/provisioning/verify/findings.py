"""What a look at the AWS side finds, each with the command that mends it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

APPLY = "cognito-scim aws apply"
APPLY_ROTATION = f"{APPLY}, with --rotate, --rotate-iam-user and --rotate-secret as when the role was made"
ROTATE_KEY = "cognito-scim aws rotate-key"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """It does not work, or lets somebody in who should not be."""
    WARNING = "warning"
    """It works, less safely than it should."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        name: what kind of thing.
        detail: what was found, of what.
        remedy: the command that mends it.
    """

    name: str
    severity: Severity
    detail: str
    remedy: str


def is_ok(findings: Iterable[Finding]) -> bool:
    """Tell whether nothing is an error."""
    return all(finding.severity is not Severity.ERROR for finding in findings)


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the document of some findings, as the contract has it."""
    findings = tuple(findings)
    return {"ok": is_ok(findings), "findings": [asdict(finding) for finding in findings]}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the worst first."""
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))
