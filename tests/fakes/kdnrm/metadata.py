"""Reads a plugin's metadata as the catalogue does: from the syntax tree, without running a line of it."""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TEXTS = ("name", "summary", "readme", "author", "email")


@dataclass
class Metadata:
    """What the catalogue shows of a plugin; a computed value counts as missing."""

    texts: dict[str, Any] = field(default_factory=dict)
    schema: list[dict[str, Any]] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)


def read_metadata(file: Path) -> Metadata:
    """Return the metadata of the class SaasPlugin in a file."""
    tree = ast.parse(file.read_text())
    (plugin,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "SaasPlugin")
    found = Metadata()
    for statement in plugin.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            found.texts |= {name: statement.value.value for name in names if name in TEXTS}
        elif isinstance(statement, ast.FunctionDef) and statement.name == "config_schema":
            found.schema = [_item(call) for call in _returned_list(statement)]
        elif isinstance(statement, ast.FunctionDef) and statement.name == "requirements" and _is_classmethod(statement):
            found.requirements = [
                ast.literal_eval(text) for text in _returned_list(statement) if isinstance(text, ast.Constant)
            ]
    return found


def _returned_list(function: ast.FunctionDef) -> list[ast.expr]:
    lists = (node.value for node in function.body if isinstance(node, ast.Return))
    return [element for value in lists if isinstance(value, ast.List) for element in value.elts]


def _is_classmethod(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "classmethod" for node in function.decorator_list)


def _item(node: ast.expr) -> dict[str, Any]:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    assert node.func.id == "SaasConfigItem"
    return {word.arg: word.value.value for word in node.keywords if word.arg and isinstance(word.value, ast.Constant)}
