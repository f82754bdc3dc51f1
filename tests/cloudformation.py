"""What cfn-lint has to say of a template, in this process: each start of its command reads all schemas anew."""

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.core import get_rules  # type: ignore[import-untyped]


def remarks_of_cfn_lint(template: str) -> list[str]:
    """Return every error, warning and remark."""
    rules = get_rules(append_rules=[], ignore_rules=[], include_rules=["I"])
    return [str(remark) for remark in lint(template, rules)]
