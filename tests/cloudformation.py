"""Templates of CloudFormation: what they hold, and what cfn-lint has to say of them, in this process."""

from typing import Any

import yaml
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.core import get_rules  # type: ignore[import-untyped]


class _Plain(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as what they are given."""


def _given(loader: Any, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node, deep=True)


_Plain.add_multi_constructor("!", _given)  # type: ignore[no-untyped-call, unused-ignore]


def read_template(text: str) -> Any:
    """Return what a template holds."""
    return yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader


def remarks_of_cfn_lint(template: str) -> list[str]:
    """Return every error, warning and remark."""
    rules = get_rules(append_rules=[], ignore_rules=[], include_rules=["I"])
    return [str(remark) for remark in lint(template, rules)]
