"""Filters: text to syntax tree, bound to the schemas (RFC 7644, section 3.4.2.2).

Whoever may read the directory may also send filters, so their size is bounded before anything parses them (P30).
"""

import re
from dataclasses import replace
from datetime import datetime
from itertools import accumulate

from pydantic import ValidationError
from scim2_models import Error, InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    Not,
    Present,
    ValuePath,
)

from connector.directory.rows import Kind
from connector.scim.binding import END_OF_DAY, bind, is_servable, read_time, resolve
from connector.scim.schemas import search_model

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "is_servable", "parse_filter"]

MAX_LENGTH = 4096
MAX_TERMS = 64
MAX_DEPTH = 32

# Without a closing quote the rest is text: one pass over it, where trying every quote again would be quadratic.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_JOINT = re.compile(r"(?<![\w$:.-])(?:and|or)(?![\w$:.-])", re.IGNORECASE)
_STEPS = {"(": 1, "[": 1, ")": -1, "]": -1}


def parse_filter(text: str, *kinds: Kind) -> FilterNode:
    """Return the syntax tree of a filter over some kinds of resources, names and values bound to their schemas.

    Raises:
        InvalidFilterException: the filter is too large, has no meaning, or names what none of the kinds has.
    """
    _check_size(text)
    try:
        tree: FilterNode = search_model(*kinds)(filter=_plain(text, kinds)).filter.ast
    except ValidationError as fault:
        raise InvalidFilterException(detail=Error.from_validation_error(fault.errors()[0]).detail) from fault
    return bind(tree, *kinds)


def _plain(text: str, kinds: tuple[Kind, ...]) -> str:
    """Return a filter in the forms that the library takes, out of all that the RFC allows.

    `name[givenName co "x"]` says what `name.givenName co "x"` says, a name in brackets may carry its schema, and a day
    may end at 24:00:00.
    """
    if "[" not in text and END_OF_DAY not in text:
        return text
    try:
        return str(_Plain(kinds).visit(ScimFilter(text).ast))
    except ValueError:
        return text  # which is refused as it is


class _Plain(FilterVisitor[FilterNode]):
    """Rewrites a filter; inside brackets, `outer` is the attribute before them and `head` its name as it is written."""

    def __init__(
        self, kinds: tuple[Kind, ...], outer: AttributeBinding | None = None, head: AttrPath | None = None
    ) -> None:
        self._kinds = kinds
        self._outer = outer
        self._head = head

    def visit_comparison(self, node: Comparison) -> FilterNode:
        value = node.value
        if isinstance(value, str) and END_OF_DAY in value and self._is_time(node.attr_path):
            value = read_time(value).isoformat()
        return Comparison(self._name(node.attr_path), node.op, value)

    def visit_present(self, node: Present) -> FilterNode:
        return Present(self._name(node.attr_path))

    def visit_not(self, node: Not) -> FilterNode:
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> FilterNode:
        return replace(node, terms=tuple(self.visit(term) for term in node.terms))

    def visit_value_path(self, node: ValuePath) -> FilterNode:
        outer = resolve(node.attr_path, *self._kinds)
        inside = _Plain(self._kinds, outer, node.attr_path).visit(node.val_filter)
        return ValuePath(node.attr_path, inside) if outer is None or outer.is_multivalued else inside

    def _name(self, path: AttrPath) -> AttrPath:
        """Return a name that needs no schema in brackets, and none before them where they say nothing more."""
        if self._outer is None or self._head is None:
            return path
        schema, _, _ = self._outer.urn.rpartition(":")
        if path.uri and path.uri.lower() != schema.lower():
            return path  # of another schema, which no entry has
        return replace(path, uri=None) if self._outer.is_multivalued else replace(self._head, sub_attr=path.attr)

    def _is_time(self, path: AttrPath) -> bool:
        whole = replace(self._head, sub_attr=path.attr) if self._head else path
        binding = resolve(whole, *self._kinds)
        return binding is not None and binding.target_type is datetime


def _check_size(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidFilterException(detail=f"The filter is longer than {MAX_LENGTH} characters.")
    syntax = _STRING.sub('""', text)
    if len(_JOINT.findall(syntax)) >= MAX_TERMS:
        raise InvalidFilterException(detail=f"The filter has more than {MAX_TERMS} terms.")
    if max(accumulate(_STEPS.get(sign, 0) for sign in syntax), default=0) > MAX_DEPTH:
        raise InvalidFilterException(detail=f"The filter is nested more than {MAX_DEPTH} deep.")
