"""The policies, as files in `policies/`: each names what it is about in braces, such as {bucket_name}."""

import json
import re
from importlib.resources import files
from typing import Any

_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")

Document = dict[str, Any]


def fill(name: str, **values: str) -> Document:
    """Return a policy with its placeholders filled in.

    Args:
        name: of the file, without its ending.
        values: by placeholder.

    Raises:
        KeyError: a placeholder has no value.
    """
    text = (files("connector.provisioning") / "policies" / f"{name}.json").read_text(encoding="utf-8")
    filled = _fill_in(json.loads(text), values)
    assert isinstance(filled, dict)
    return filled


def _fill_in(part: Any, values: dict[str, str]) -> Any:
    """Fill parsed JSON, never its text, so that no value can end a string and begin a statement."""
    if isinstance(part, dict):
        return {_fill_in(name, values): _fill_in(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [_fill_in(value, values) for value in part]
    return _PLACEHOLDER.sub(lambda found: values[found[1]], part) if isinstance(part, str) else part
