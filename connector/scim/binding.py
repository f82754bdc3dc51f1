"""What the names and values in a filter mean: attributes as the schemas spell them, values in the attributes' types.

Whoever answers a filter compares what this makes of it, in SQL as in Python, so both compare the same.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from inspect import isclass
from typing import Any

from scim2_models import InvalidFilterException, Path
from scim2_models.base import BaseModel
from scim2_models.path import (
    STRING_OPERATORS,
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from connector.directory.rows import Kind
from connector.scim.schemas import resource_model

END_OF_DAY = "T24:00:00"
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


@lru_cache(maxsize=256)
def resolve(path: AttrPath, *kinds: Kind) -> AttributeBinding | None:
    """Return the attribute of the first kind that has one of this name, None when none has."""
    unbound: Any = Path
    for kind in kinds:
        model = resource_model(kind)
        binding: AttributeBinding | None = unbound[model](str(path)).resolve(model)
        if binding:
            return binding
    return None


def compared(path: AttrPath, *kinds: Kind) -> AttrPath:
    """Return the attribute that a comparison or an order is about.

    `emails` stands for `emails.value`, as every complex attribute with several values does (RFC 7644, section 3.4.2.2).
    """
    binding = resolve(path, *kinds)
    if binding is None:
        return path
    spelled = _spell(path, binding)
    holds_values = isclass(binding.field_type) and "value" in getattr(binding.field_type, "model_fields", ())
    if binding.is_multivalued and holds_values and path.sub_attr is None:
        return replace(spelled, sub_attr="value")
    return spelled


def bind(tree: FilterNode, *kinds: Kind) -> FilterNode:
    """Return a filter with its names and values bound to the schemas of the kinds it is about.

    Raises:
        InvalidFilterException: a value is no value of its attribute, or the operator has no meaning for its type.
    """
    return _Binder(kinds).visit(tree)


def is_servable(text: str) -> bool:
    """Tell whether every database takes the text: no NUL, no lone surrogate (P31)."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _spell(path: AttrPath, binding: AttributeBinding) -> AttrPath:
    schema, _, name = binding.urn.rpartition(":")
    attr, _, sub_attr = name.partition(".")
    return AttrPath(attr, sub_attr or None, schema if path.uri else None)


class _Binder(FilterVisitor[FilterNode]):
    """Binds a filter; inside brackets, `outer` is the attribute before them."""

    def __init__(self, kinds: tuple[Kind, ...], outer: AttrPath | None = None) -> None:
        self._kinds = kinds
        self._outer = outer

    def visit_comparison(self, node: Comparison) -> FilterNode:
        path = node.attr_path if self._outer else compared(node.attr_path, *self._kinds)
        binding = self._resolve(path)
        return Comparison(self._inside(path, binding), node.op, _value(binding, node.op, node.value))

    def visit_present(self, node: Present) -> FilterNode:
        return Present(self._inside(node.attr_path, self._resolve(node.attr_path)))

    def visit_not(self, node: Not) -> FilterNode:
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> FilterNode:
        return replace(node, terms=tuple(self.visit(term) for term in node.terms))

    def visit_value_path(self, node: ValuePath) -> FilterNode:
        outer = _spell(node.attr_path, self._resolve(node.attr_path))
        return ValuePath(outer, _Binder(self._kinds, outer).visit(node.val_filter))

    def _resolve(self, path: AttrPath) -> AttributeBinding:
        whole = path
        if self._outer:
            outer = resolve(self._outer, *self._kinds)
            # The entries of a plain list, such as `schemas`, are themselves called `value`.
            plain = outer is not None and not _is_complex(outer) and path.attr.lower() == "value"
            whole = self._outer if plain else replace(self._outer, sub_attr=path.attr)
        binding = resolve(whole, *self._kinds)
        if binding is None:
            raise InvalidFilterException(detail=f"There is no attribute {whole}.")
        return binding

    def _inside(self, path: AttrPath, binding: AttributeBinding) -> AttrPath:
        spelled = _spell(path, binding)
        if self._outer is None:
            return spelled
        return AttrPath(spelled.sub_attr or "value")


def _is_complex(binding: AttributeBinding) -> bool:
    return isclass(binding.field_type) and issubclass(binding.field_type, BaseModel)


def _value(binding: AttributeBinding, op: CompareOperator, value: Any) -> Any:
    """Return the value in the type of its attribute; a time without a zone is UTC."""
    if isinstance(value, str) and not is_servable(value):
        raise InvalidFilterException(detail="The filter compares with characters that no value can hold.")
    if op in STRING_OPERATORS and not (isinstance(value, str) and _is_text(binding)):
        raise InvalidFilterException(detail=f"{op.value} compares text, which {binding.urn} or the value is not.")
    if binding.target_type is datetime and value is not None:
        return read_time(value)
    typed = coerce_value(binding, value, op)
    return str(typed) if isinstance(typed, str) else typed


def _is_text(binding: AttributeBinding) -> bool:
    return isclass(binding.target_type) and issubclass(binding.target_type, str)


def read_time(value: Any) -> datetime:
    """Return a point in time, which is an xsd:dateTime and nothing else (RFC 7643, section 2.3.5); no zone is UTC.

    What is kept has whole milliseconds, so that a microsecond between two of them stands for all that lies there.

    Raises:
        InvalidFilterException: it is none, or there is no such time.
    """
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise InvalidFilterException(detail="A time is written like 2026-01-31T23:59:59Z.")
    day, clock, fraction, zone = parts.groups(default="")
    ends_day = f"T{clock}" == END_OF_DAY and not fraction.strip(".0")
    try:
        moment = datetime.fromisoformat(f"{day}T{'00:00:00' if ends_day else clock}{zone.replace('Z', '+00:00')}")
        moment += timedelta(days=ends_day, microseconds=_microseconds(fraction))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidFilterException(detail="The filter compares with a time that there is not.") from None


def _microseconds(fraction: str) -> int:
    digits = fraction[1:].ljust(6, "0")
    whole, rest = int(digits[:6]), digits[6:].strip("0")
    return whole + 1 if rest and whole % 1000 == 0 else whole
