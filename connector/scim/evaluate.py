"""Filters and orders over bodies, for whatever no column of the store can tell (RFC 7644, sections 3.4.2.2, 3.4.2.3).

Compiled once in a request into plain functions over the parsed body: a hundred thousand bodies are no place for models.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from scim2_models import Extension
from scim2_models.path import (
    AttributeBinding,
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

from connector.directory.rows import Kind, StoredRow, fold, normalize
from connector.directory.stored_body import ShownMember, member_list
from connector.scim.binding import compared, resolve
from connector.scim.bodies import Bodies

Resource = Mapping[str, Any]
Test = Callable[[Any], bool]
Key = Callable[[Resource], Any]

_OPERATIONS: dict[CompareOperator, Callable[[Any, Any], bool]] = {
    CompareOperator.eq: eq,
    CompareOperator.gt: gt,
    CompareOperator.ge: ge,
    CompareOperator.lt: lt,
    CompareOperator.le: le,
    CompareOperator.co: lambda text, part: part in text,
    CompareOperator.sw: lambda text, part: text.startswith(part),
    CompareOperator.ew: lambda text, part: text.endswith(part),
}


class Evaluator:
    """Answers filters and orders from bodies as they are served under one public base URL."""

    def __init__(self, base: str) -> None:
        self._bodies = Bodies(base)

    def read(self, kind: Kind, stored: StoredRow, members: Iterable[ShownMember]) -> Resource:
        """Parse a body; the members of a group are read one by one, each time an answer needs them."""
        _, _, body = stored
        resource: dict[str, Any] = self._parse(body)
        if kind is Kind.GROUPS:
            resource["members"] = _ServedMembers(members, self._parse)
        return resource

    def matcher(self, kind: Kind, where: FilterNode) -> Test:
        """Return what tells whether a resource matches a filter."""
        return _Compiler(kind).visit(where)

    def sort_key(self, kind: Kind, path: AttrPath) -> Key:
        """Return what gives the value that a resource is sorted by, None for no value.

        Of several values it is the primary one, or else the first (RFC 7644, section 3.4.2.3).
        """
        path = compared(path, kind)
        binding = resolve(path, kind)
        if binding is None:
            return lambda _: None
        head, value_of, sub = _head_of(binding, path), _value_of(binding), path.sub_attr
        if not binding.is_multivalued:
            return lambda resource: value_of(_part(head(resource), sub))
        choose = _primary if "primary" in getattr(binding.field_type, "model_fields", ()) else _first
        return lambda resource: value_of(_part(choose(_each(head(resource))), sub))

    def _parse(self, text: str) -> Any:
        return json.loads(self._bodies.fill(text))


class _ServedMembers:
    """The members of a group as they are served; every iteration reads them anew."""

    def __init__(self, members: Iterable[ShownMember], parse: Callable[[str], Any]) -> None:
        self._members = members
        self._parse = parse

    def __iter__(self) -> Any:
        for member in self._members:
            yield self._parse(f"{{{''.join(member_list((member,)))[1:]}}}")["members"][0]


class _Compiler(FilterVisitor[Test]):
    """Turns a filter into a function of a resource, or of an entry of `outer` where the filter stands in brackets."""

    def __init__(self, kind: Kind, outer: AttrPath | None = None) -> None:
        self._kind = kind
        self._outer = outer

    def visit_comparison(self, node: Comparison) -> Test:
        return self._test(node.attr_path, lambda binding: _comparison(binding, node.op, node.value), node)

    def visit_present(self, node: Present) -> Test:
        return self._test(node.attr_path, lambda _: _is_present)

    def visit_not(self, node: Not) -> Test:
        test = self.visit(node.expr)
        return lambda resource: not test(resource)

    def visit_logical_expr(self, node: LogicalExpr) -> Test:
        tests = [self.visit(term) for term in node.terms]
        if node.op is LogicalOperator.and_:
            return lambda resource: all(test(resource) for test in tests)
        return lambda resource: any(test(resource) for test in tests)

    def visit_value_path(self, node: ValuePath) -> Test:
        binding = resolve(node.attr_path, self._kind)
        if binding is None:
            return _never
        head, test = _head_of(binding, node.attr_path), _Compiler(self._kind, node.attr_path).visit(node.val_filter)
        return lambda resource: any(test(entry) for entry in _each(head(resource)))

    def _test(
        self, path: AttrPath, test_of: Callable[[AttributeBinding], Test], comparison: Comparison | None = None
    ) -> Test:
        if self._outer:
            return self._test_entry(path, test_of)
        binding = resolve(path, self._kind)
        if binding is None:
            return _never
        head, test, sub = _head_of(binding, path), test_of(binding), path.sub_attr
        if not binding.is_multivalued:
            return lambda resource: test(_part(head(resource), sub))
        # No value may equal the operand of `ne`; for all else one value that fits is enough. No value at all is None.
        negates = comparison is not None and comparison.op is CompareOperator.ne
        over = all if negates else any
        # Without any entry there is none that is not the primary one.
        by_default = comparison is not None and comparison.value is not None and _is_primary(binding)
        without_any = negates if by_default else test(None)

        def holds(resource: Resource) -> bool:
            entries = _each(head(resource))
            if without_any is not over(()) and _first(entries) is None:
                return without_any
            return over(test(_part(entry, sub)) for entry in entries)

        return holds

    def _test_entry(self, path: AttrPath, test_of: Callable[[AttributeBinding], Test]) -> Test:
        assert self._outer
        binding = resolve(AttrPath(self._outer.attr, path.attr, self._outer.uri), self._kind)
        if binding:
            test, name = test_of(binding), path.attr
            return lambda entry: test(entry.get(name))
        plain = resolve(self._outer, self._kind)
        return test_of(plain) if plain else _never


def _never(_: Any) -> bool:
    return False


def _head_of(binding: AttributeBinding, path: AttrPath) -> Callable[[Resource], Any]:
    """Return what gives the attribute before the point, from the resource or from its extension."""
    name = path.attr
    if not issubclass(binding.model, Extension):
        return lambda resource: resource.get(name)
    schema = binding.urn.rpartition(":")[0]
    return lambda resource: resource.get(schema, {}).get(name)


def _part(value: Any, sub_attr: str | None) -> Any:
    return value if sub_attr is None or value is None else value.get(sub_attr)


def _each(value: Any) -> Iterable[Any]:
    return () if value is None else value


def _first(entries: Iterable[Any]) -> Any:
    return next(iter(entries), None)


def _primary(entries: Iterable[Any]) -> Any:
    """Return the primary entry, or else the first."""
    return next((entry for entry in entries if entry.get("primary")), _first(entries))


def _value_of(binding: AttributeBinding) -> Callable[[Any], Any]:
    """Return what makes values comparable: times as times, text folded unless it is caseExact."""
    if binding.target_type is datetime:
        return lambda value: value and datetime.fromisoformat(value)
    # References compare by case (RFC 7643, section 2.3.7); this one is text to the library.
    is_exact = binding.case_exact or binding.urn.endswith(":meta.location")
    prepare = normalize if is_exact else fold
    return lambda value: prepare(value) if isinstance(value, str) else value


def _comparison(binding: AttributeBinding, op: CompareOperator, value: Any) -> Test:
    if value is None:
        return {CompareOperator.eq: _is_missing, CompareOperator.ne: _is_given}.get(op, _never)
    if _is_primary(binding):
        return _primary_comparison(op, value)
    value_of = _value_of(binding)
    wanted = value if isinstance(value, datetime) else value_of(value)
    if op is CompareOperator.ne:
        return lambda given: given is None or value_of(given) != wanted
    holds = _OPERATIONS[op]

    def compare(given: Any) -> bool:
        try:
            return given is not None and holds(value_of(given), wanted)
        except TypeError:
            return False  # values that have no order between them

    return compare


def _is_primary(binding: AttributeBinding) -> bool:
    return binding.target_type is bool and binding.urn.endswith(".primary")


def _primary_comparison(op: CompareOperator, value: Any) -> Test:
    """An entry that does not say so is not the primary one (RFC 7643, section 2.4)."""
    if op is CompareOperator.ne:
        return lambda given: bool(given) != value
    return lambda given: op is CompareOperator.eq and bool(given) == value


def _is_missing(value: Any) -> bool:
    return value is None


def _is_given(value: Any) -> bool:
    return value is not None


def _is_present(value: Any) -> bool:
    """Tell whether there is anything in a value; False and 0 are values (RFC 7644, section 3.4.2.2, `pr`)."""
    if value is None or value == "":
        return False
    if isinstance(value, dict):
        return any(_is_present(part) for part in value.values())
    return any(_is_present(part) for part in value) if isinstance(value, list) else True
