"""Requests over both kinds of resources at once: what of them concerns one kind (RFC 7644, section 3.4.2.1).

An attribute that a kind does not have counts as one without a value: no comparison with it holds, and nothing is sorted
by it.
"""

from dataclasses import replace

from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    Not,
    Present,
    ValuePath,
)

from connector.directory.rows import Kind
from connector.scim.projection import known_attributes

_NOTHING = Comparison(AttrPath("id"), CompareOperator.eq, "")
"""A filter that nothing matches, since every resource has an id."""


def narrow_filter(where: FilterNode | None, kind: Kind) -> FilterNode | None:
    """Return what a filter over every kind means for one."""
    return where and _Narrowed(kind).visit(where)


def narrow_order(sort_by: AttrPath | None, kind: Kind) -> AttrPath | None:
    """Return the attribute to sort one kind by, None when it has no such attribute."""
    return sort_by if sort_by and _has(kind, sort_by) else None


def _has(kind: Kind, path: AttrPath) -> bool:
    return str(path).lower() in known_attributes(kind)


class _Narrowed(FilterVisitor[FilterNode]):
    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def visit_comparison(self, node: Comparison) -> FilterNode:
        return self._known(node, node.attr_path)

    def visit_present(self, node: Present) -> FilterNode:
        return self._known(node, node.attr_path)

    def visit_value_path(self, node: ValuePath) -> FilterNode:
        return self._known(node, node.attr_path)

    def visit_not(self, node: Not) -> FilterNode:
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> FilterNode:
        return replace(node, terms=tuple(self.visit(term) for term in node.terms))

    def _known(self, node: FilterNode, path: AttrPath) -> FilterNode:
        return node if _has(self._kind, path) else _NOTHING
