"""Make one readable file of a plugin and of what it uses of the engine: a Keeper Gateway carries single files.

Every definition is copied as it is written, comments included; what nothing reaches is left out. The files that
come out are kept in version control, to be read before they are installed, and compared with their source by a test.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = ("aws_cognito", "aws_iam_user")
OURS = ("connector", "deploy")
LATE = ("boto3", "botocore")
HEAD = '''\
"""{summary}

Made by `make keeper` from {sources}.
Change it there: this file is one only because a Keeper Gateway carries plugins as single files.
"""
'''
MISSING = """\
except ImportError as missing:  # the Gateway installs requirements() after it has read this file
    raise SaasException('The module boto3 is missing: please install it with "pip install boto3".') from missing
"""


class NotFlat(Exception):
    """The modules cannot be one file as they are written; the message says which name to change."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement at the top of a module, with the comments above it.

    Args:
        binds: the names it gives.
        uses: the names it reads, anywhere inside.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[ast.Import | ast.ImportFrom, ...]:
        """The imports at its top."""
        return tuple(node for node in self.tree.body if isinstance(node, ast.Import | ast.ImportFrom))

    @property
    def ours(self) -> list[ast.ImportFrom]:
        """Its imports of other source files."""
        return [node for node in self.imports if isinstance(node, ast.ImportFrom) and _is_ours(node.module or "")]

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """What it defines, in order."""
        nodes = [node for node in self.tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.If)]
        pairs = zip(nodes, [*nodes[1:], None], strict=True)
        return tuple(self._statement(node, following) for node, following in pairs if not _is_text(node))

    def _statement(self, node: ast.stmt, following: ast.stmt | None) -> Statement:
        lines = self.text.splitlines()
        start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
        while start and lines[start - 1].startswith("#"):
            start -= 1
        end = following.end_lineno if following is not None and _is_text(following) else node.end_lineno
        return Statement("\n".join(lines[start:end]), frozenset(_bound(node)), frozenset(_used(node)))


def flatten(plugin: str) -> str:
    """Return a plugin as one file.

    Raises:
        NotFlat: two modules define the same name, or an import renames one.
    """
    modules = _tell_apart(_in_order(f"deploy.keeper.source.{plugin}"))
    kept = _reachable(modules)
    summary = (ast.get_docstring(modules[-1].tree) or "").splitlines()[0]
    used = {name for _, statements in kept for statement in statements for name in statement.uses}
    head = HEAD.format(summary=summary, sources=f"`deploy/keeper/source/{plugin}.py` and `connector/rotation`")
    sections = [_section(module, statements) for module, statements in kept if statements]
    return "\n".join([head, *_imports(modules, used), *sections])


def _in_order(entry: str) -> list[Module]:
    found: dict[str, Module] = {}
    graph: dict[str, list[str]] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = Module(name, (ROOT / f"{name.replace('.', '/')}.py").read_text())
            _require_plain_imports(found[name])
            graph[name] = sorted(node.module or "" for node in found[name].ours)
            waiting += graph[name]
    try:
        return [found[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise NotFlat(f"modules import each other: {error.args[1]}") from None


def _tell_apart(modules: list[Module]) -> list[Module]:
    """Return the modules with each private name that two of them define, differently, named after its module."""
    texts: dict[str, set[str]] = {}
    for module in modules:
        for statement in module.statements:
            for name in statement.binds:
                texts.setdefault(name, set()).add(statement.text)
    ambiguous = {name for name, different in texts.items() if len(different) > 1}
    if public := sorted(name for name in ambiguous if not name.startswith("_")):
        raise NotFlat(f"two modules define {', '.join(public)}")
    return [_renamed(module, ambiguous) for module in modules]


def _require_plain_imports(module: Module) -> None:
    for node in module.ours:
        is_file = (ROOT / f"{(node.module or '').replace('.', '/')}.py").exists()
        if not is_file or any(alias.asname or alias.name.startswith("_") for alias in node.names):
            raise NotFlat(f"{module.name} must import public names, as they are: {ast.unparse(node)}")


def _renamed(module: Module, names: set[str]) -> Module:
    lines = [line.encode() for line in module.text.splitlines(keepends=True)]
    mine = {name for statement in module.statements for name in statement.binds} & names
    suffix = f"_of_{module.name.rpartition('.')[2]}".encode()
    for row, column in sorted(_places(module, mine), reverse=True):
        lines[row] = lines[row][:column] + suffix + lines[row][column:]
    return Module(module.name, b"".join(lines).decode())


def _places(module: Module, names: set[str]) -> Iterator[tuple[int, int]]:
    """Yield line and column (in bytes) behind each use of some names."""
    for node in ast.walk(module.tree):
        if (shadow := _bound_inside(node)) & names:
            raise NotFlat(f"{module.name}: {', '.join(shadow & names)} is bound again inside a definition")
        if isinstance(node, ast.Name) and node.id in names:
            yield node.lineno - 1, node.col_offset + len(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
            word = "def " if isinstance(node, ast.FunctionDef) else "class "
            yield node.lineno - 1, node.col_offset + len(word) + len(node.name)


def _bound_inside(node: ast.AST) -> set[str]:
    """Return the parameters, variables and attributes that a definition gives a value."""
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return set()
    inside = [part for part in ast.walk(node) if part is not node]
    stored = {part.id for part in inside if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return stored | {part.arg for part in inside if isinstance(part, ast.arg)}


def _reachable(modules: list[Module]) -> list[tuple[Module, list[Statement]]]:
    """Return what the last module reaches, of each module; what is written twice alike is kept once."""
    of_name: dict[str, Statement] = {}
    for statement in (statement for module in modules for statement in module.statements):
        for name in statement.binds:
            of_name.setdefault(name, statement)
    kept: set[int] = set()
    waiting = list(modules[-1].statements)
    while waiting:
        statement = waiting.pop()
        if id(statement) not in kept:
            kept.add(id(statement))
            waiting += [of_name[name] for name in statement.uses if name in of_name]
    return [(module, [one for one in module.statements if id(one) in kept]) for module in modules]


def _imports(modules: Iterable[Module], used: set[str]) -> Iterator[str]:
    wanted = {
        _written(node, alias)
        for module in modules
        for node in module.imports
        if not (isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""))
        for alias in node.names
        if (alias.asname or alias.name.partition(".")[0]) in used
    }
    groups: dict[str, list[str]] = {"standard": [], "late": [], "keeper": []}
    for line in sorted(wanted, key=lambda line: (line.startswith("from"), line.lower())):
        package = line.split()[1].partition(".")[0]
        kind = "standard" if package in sys.stdlib_module_names else "late" if package in LATE else "keeper"
        groups[kind].append(line)
    for kind in ("standard", "keeper"):
        if groups[kind]:
            yield "\n".join(_joined(groups[kind])) + "\n"
    if groups["late"]:
        yield "\n".join(["try:", *(f"    {line}" for line in _joined(groups["late"])), MISSING])


def _section(module: Module, statements: Iterable[Statement]) -> str:
    title = f"\n# {module.name.replace('.', '/')}.py\n"
    summary = (ast.get_docstring(module.tree) or "").splitlines()[0]
    return "\n\n".join([f"{title}# {summary}\n", *(f"{statement.text}\n" for statement in statements)])


def _written(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    name = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
    return f"from {node.module} import {name}" if isinstance(node, ast.ImportFrom) else f"import {name}"


def _joined(lines: Iterable[str]) -> list[str]:
    whole: dict[str, list[str]] = {}
    for line in lines:
        start, middle, name = line.partition(" import ")
        whole.setdefault(start, []).extend([name] if middle else [])
    return [f"{start} import {', '.join(sorted(names))}" if names else start for start, names in whole.items()]


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    else:
        raise NotFlat(f"a statement that defines nothing: {ast.unparse(node)}")


def _used(node: ast.stmt) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            yield part.value  # a forward reference in an annotation


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


if __name__ == "__main__":
    for each in PLUGINS:
        (ROOT / f"deploy/keeper/{each}/{each}.py").write_text(flatten(each))
