"""Filters: text to syntax tree, checked against the schemas (RFC 7644, section 3.4.2.2).

Whoever may read the directory may also send filters, so their size is bounded before anything parses them (P30).
"""

import re
from functools import cache
from typing import Any

from pydantic import ValidationError
from scim2_models import Error, InvalidFilterException, SearchRequest
from scim2_models.path import Comparison, FilterNode, FilterVisitor, LogicalExpr, Not, Present, ValuePath

from connector.directory.rows import Kind
from connector.scim.schemas import resource_model

MAX_LENGTH = 4096
MAX_TERMS = 64

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_JOINT = re.compile(r"(?<![\w$:.-])(?:and|or)(?![\w$:.-])", re.IGNORECASE)


def parse_filter(text: str, kind: Kind) -> FilterNode:
    """Return the syntax tree of a filter over one kind of resources.

    Raises:
        InvalidFilterException: the filter is too long, has no meaning, or names what the schemas do not have.
    """
    _check_size(text)
    try:
        tree: FilterNode = _search_request(kind)(filter=text).filter.ast
    except ValidationError as fault:
        raise InvalidFilterException(detail=Error.from_validation_error(fault.errors()[0]).detail) from fault
    _TextCheck().visit(tree)
    return tree


def is_servable(text: str) -> bool:
    """Tell whether every database takes the text: no NUL, no lone surrogate (P31)."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _check_size(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidFilterException(detail=f"The filter is longer than {MAX_LENGTH} characters.")
    if len(_JOINT.findall(_STRING.sub('""', text))) >= MAX_TERMS:
        raise InvalidFilterException(detail=f"The filter has more than {MAX_TERMS} terms.")


@cache
def _search_request(kind: Kind) -> Any:
    """A search request bound to a model refuses attributes that the model does not have; a bare filter would not."""
    bound: Any = SearchRequest
    return bound[resource_model(kind)]


class _TextCheck(FilterVisitor[None]):
    """Refuses values that are written with escapes and that no database takes."""

    def visit_comparison(self, node: Comparison) -> None:
        if isinstance(node.value, str) and not is_servable(node.value):
            raise InvalidFilterException(detail="The filter compares with characters that no value can hold.")

    def visit_present(self, node: Present) -> None:
        """Do nothing: a presence test holds no value."""

    def visit_not(self, node: Not) -> None:
        self.visit(node.expr)

    def visit_logical_expr(self, node: LogicalExpr) -> None:
        for term in node.terms:
            self.visit(term)

    def visit_value_path(self, node: ValuePath) -> None:
        self.visit(node.val_filter)
