"""What stands in a document for what is given when a template is used, and how it is put there."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from connector.provisioning.design.arns import PoolArn

EXTERNAL_ID, ROTATION_EXTERNAL_ID = "<ExternalId>", "<RotationExternalId>"
"""No ExternalId has such brackets (STS API reference: AssumeRole)."""


def replace(value: Any, change: Callable[[str], Any]) -> Any:
    """Return a document with every text in it changed; keys stay."""
    if isinstance(value, Mapping):
        return {key: replace(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [replace(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


def logical_name(name: str) -> str:
    """Return a name of letters and digits, as CloudFormation wants it; it begins with a capital letter."""
    plain = re.sub(r"[^A-Za-z0-9]", "", name)
    return f"{plain[:1].upper()}{plain[1:]}"


def resource_name(name: str) -> str:
    """Return a name as Terraform writes it: words in lower case with underscores between."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", re.sub(r"\W", "_", name))
    return re.sub(r"__+", "_", words).lower()


def in_account(text: str, pool: PoolArn, *, partition: str, account: str) -> str:
    """Return an ARN of the pool's account with what stands for partition and account."""
    prefix = f"arn:{pool.partition}:iam::{pool.account}:"
    if not text.startswith(prefix):
        return text
    return f"arn:{partition}:iam::{account}:{text.removeprefix(prefix)}"
