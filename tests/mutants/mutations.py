"""Every small mistake that could be made in a module, one at a time, as mutation testing has it (DeMillo 1978).

A mutant is the module's source with one node of its syntax tree replaced. Annotations and docstrings mean nothing at
run time and stay as they are; so does what an assertion says.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
}
_NAMES = {"max": "min", "min": "max", "and_": "or_", "or_": "and_", "sorted": "list"}
_OPTIONAL = {"where", "order_by", "limit", "distinct", "group_by", "strip"}
"""Methods without which a chain still runs."""

_REMOVABLE = (ast.AugAssign, ast.Expr, ast.Continue, ast.Break)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: where it is made, what stood there and what stands there now, and the whole module."""

    line: int
    within: str
    before: str
    after: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """How the list of equivalent mutants names it; without the line, which moves."""
        return f"{self.within}: {self.before} -> {self.after}"


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse(source)
    for path, node in _walk(tree, ()):
        for changed in _mistakes(node):
            place = path[0][1]
            assert place is not None
            within = getattr(tree.body[place], "name", "module")
            yield Mutant(node.lineno, within, _show(node), _show(changed), _replaced(tree, path, changed))


def _show(node: ast.AST) -> str:
    """Return the source of a node; of a chain of calls only the last."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return ast.unparse(node).removeprefix(ast.unparse(node.func.value))
    return ast.unparse(node)


_Path = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: _Path) -> Iterator[tuple[_Path, ast.expr | ast.stmt]]:
    """Yield every node that says what is done, and how to get there from the top."""
    if isinstance(node, ast.expr | ast.stmt):
        yield path, node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "ctx", "format_spec", "type_comment"} or isinstance(node, ast.Assert):
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*path, (field, None)))
        elif isinstance(value, list):
            for place, child in enumerate(value):
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    yield from _walk(child, (*path, (field, place)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replaced(tree: ast.Module, path: _Path, changed: ast.AST) -> ast.Module:
    fresh = copy.deepcopy(tree)
    parent: ast.AST = fresh
    for field, place in path[:-1]:
        value = getattr(parent, field)
        parent = value if place is None else value[place]
    field, place = path[-1]
    if place is None:
        setattr(parent, field, changed)
    else:
        getattr(parent, field)[place] = changed
    return ast.fix_missing_locations(fresh)


def _mistakes(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.expr):
        yield from _mistaken_expressions(node)
    elif isinstance(node, ast.If | ast.While):
        fresh = copy.copy(node)
        fresh.test = ast.UnaryOp(ast.Not(), node.test)
        yield fresh
    elif isinstance(node, _REMOVABLE) or (isinstance(node, ast.Return) and node.value is None):
        yield ast.Pass()


def _mistaken_expressions(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Constant():
            yield from _other_constants(node)
        case ast.Compare():
            yield from _other_comparisons(node)
        case ast.BoolOp() | ast.BinOp():
            for other in _SWAPS.get(type(node.op), ()):
                fresh = copy.copy(node)
                fresh.op = other()  # type: ignore[assignment]
                yield fresh
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield node.operand
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.Call():
            yield from _other_calls(node)
        case ast.Name() if node.id in _NAMES:
            yield ast.Name(_NAMES[node.id], node.ctx)


def _other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in _SWAPS.get(type(operator), ()):
            operators = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)  # type: ignore[arg-type]


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str():
            yield ast.Constant(f"{node.value}X")


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in _OPTIONAL:
        yield node.func.value
    for place in range(len(node.args)):
        if len(node.args) > 1:
            yield ast.Call(node.func, [*node.args[:place], *node.args[place + 1 :]], node.keywords)
    for place in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, [*node.keywords[:place], *node.keywords[place + 1 :]])
