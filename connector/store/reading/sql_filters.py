"""From a filter tree to SQL: bound parameters over indexed columns (P30, RFC 7644 section 3.4.2.2).

SQL says as much about a filter as its columns allow. What it leaves open is decided from the bodies of the rows that it
leaves, so an answer never depends on what is promoted, only its speed does.
"""

from dataclasses import dataclass, replace

from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from sqlalchemy import ColumnElement, and_, not_, or_, true

from connector.directory.rows import Kind
from connector.store.reading.indexed_attributes import (
    Flag,
    Moment,
    Promoted,
    Text,
    UnsupportedFilter,
    promoted_attribute,
)
from connector.store.sql.tables import PUBLISHED

__all__ = ["EVERYTHING", "Sort", "SqlFilter", "UnsupportedFilter", "known_of", "order_of"]


@dataclass(frozen=True, slots=True)
class Sort:
    """By which attribute to sort, and whether the greatest value comes first; the id is always the last key."""

    path: AttrPath
    descending: bool


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """What SQL can say of a filter: every match fulfils the condition, and if it is `exact`, nothing else does."""

    condition: ColumnElement[bool]
    exact: bool


ANYTHING = SqlFilter(true(), exact=False)
EVERYTHING = SqlFilter(true(), exact=True)


def known_of(kind: Kind, node: FilterNode) -> SqlFilter:
    """Return what SQL can tell of a filter over the resources of one generation, the parameter `generation`."""
    return _Known(kind).visit(node)


def order_of(kind: Kind, sort: Sort | None) -> tuple[ColumnElement[object], ...] | None:
    """Return what to order by in SQL, None when the attribute has no column.

    What has no value comes last, or first when descending (RFC 7644, section 3.4.2.3); equal ones are in order of id.
    """
    if sort is None:
        return ()
    attribute = promoted_attribute(kind, sort.path)
    if not isinstance(attribute, Text | Flag | Moment):
        return None
    keys = tuple(key.desc() if sort.descending else key.asc() for key in attribute.order())
    return *keys, PUBLISHED[kind].c.id


class _Known(FilterVisitor[SqlFilter]):
    """Inside brackets, `outer` is the attribute before them."""

    def __init__(self, kind: Kind, outer: AttrPath | None = None) -> None:
        self._kind = kind
        self._outer = outer

    def visit_comparison(self, node: Comparison) -> SqlFilter:
        attribute = self._find(node.attr_path)
        # Some entry with another value is not the same as no entry with this value.
        if attribute is None or (self._outer and (node.op is CompareOperator.ne or node.value is None)):
            return ANYTHING
        return SqlFilter(attribute.compare(node.op, node.value), exact=True)

    def visit_present(self, node: Present) -> SqlFilter:
        attribute = self._find(node.attr_path)
        return SqlFilter(attribute.present(), exact=True) if attribute else ANYTHING

    def visit_not(self, node: Not) -> SqlFilter:
        known = self.visit(node.expr)
        return SqlFilter(not_(known.condition), exact=True) if known.exact and not self._outer else ANYTHING

    def visit_logical_expr(self, node: LogicalExpr) -> SqlFilter:
        terms = [self.visit(term) for term in node.terms]
        exact = all(term.exact for term in terms)
        if node.op is LogicalOperator.or_:
            return SqlFilter(or_(*(term.condition for term in terms)), exact)
        # Two entries may fulfil in turn what brackets ask of one.
        return SqlFilter(and_(*(term.condition for term in terms)), exact and not self._outer)

    def visit_value_path(self, node: ValuePath) -> SqlFilter:
        return _Known(self._kind, node.attr_path).visit(node.val_filter)

    def _find(self, path: AttrPath) -> Promoted | None:
        whole = replace(self._outer, sub_attr=path.attr) if self._outer else path
        return promoted_attribute(self._kind, whole)
