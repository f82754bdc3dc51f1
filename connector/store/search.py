"""From a filter tree to SQL: bound parameters over indexed columns (P30, RFC 7644 section 3.4.2.2).

Names are compared in the folded form they are stored in. Nothing is NULL, so NOT means what it says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
from sqlalchemy import Column, ColumnElement, Integer, and_, false, func, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from connector.directory.rows import Kind, fold
from connector.directory.times import rfc3339
from connector.store.tables import FULL_KEY, groups, memberships, users

Op = CompareOperator


class UnsupportedFilter(ValueError):
    """The filter asks for an attribute, an operator or a type of value that is not indexed."""


def condition_of(kind: Kind, node: FilterNode, generation: int) -> ColumnElement[bool]:
    """Return the SQL condition of a filter over the resources of one generation.

    Raises:
        UnsupportedFilter: it cannot be answered from indexed columns.
    """
    return _Conditions(kind, generation).visit(node)


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class _Text:
    """A promoted attribute that is compared as text, exactly or folded."""

    column: Column[Any]
    prepare: Callable[[str], str]

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        if not isinstance(value, str):
            return _mismatch(op)
        wanted = self.prepare(value)
        if op is Op.ne:
            return self.column != wanted
        return and_(self.column != "", self._matches(op, wanted))

    def _matches(self, op: CompareOperator, wanted: str) -> ColumnElement[bool]:
        if op is Op.co:
            return _contains(self.column, wanted)
        if op is Op.sw:
            return _starts_with(self.column, wanted)
        if op is Op.ew:
            return and_(
                func.length(self.column) >= len(wanted),
                func.substr(self.column, func.length(self.column) - len(wanted) + 1) == wanted,
            )
        if op is Op.eq:
            return and_(func.substr(self.column, 1, FULL_KEY) == wanted[:FULL_KEY], self.column == wanted)
        return _ordered(self.column, op, wanted)


@dataclass(frozen=True, slots=True)
class _Flag:
    """A promoted boolean; some importers write it as text."""

    column: Column[Any]

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        wanted = {"true": True, "false": False}.get(str(value).lower())
        if op not in {Op.eq, Op.ne}:
            raise UnsupportedFilter(f"{op.value} does not apply to a boolean")
        if wanted is None:
            return _mismatch(op)
        return self.column.is_(wanted) if op is Op.eq else self.column.is_not(wanted)


@dataclass(frozen=True, slots=True)
class _Moment:
    """The time of the last change, stored in milliseconds; what lies between two of them is rounded the right way."""

    column: Column[Any]

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        moment = _parse_moment(value)
        wanted = rfc3339(moment)
        if moment.microsecond % 1000 and op in {Op.eq, Op.ne}:
            return _mismatch(op)
        if moment.microsecond % 1000:
            op = {Op.ge: Op.gt, Op.lt: Op.le}.get(op, op)
        if op in {Op.co, Op.sw, Op.ew}:
            raise UnsupportedFilter(f"{op.value} does not apply to a dateTime")
        return _ordered(self.column, op, wanted)


@dataclass(frozen=True, slots=True)
class _Related:
    """Memberships, asked by the id at the other end."""

    own: Column[Any]
    here: Column[Any]
    there: Column[Any]
    generation: int

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        if op is not Op.eq:
            raise UnsupportedFilter(f"only eq is supported on memberships, not {op.value}")
        return self._exists(self.there == str(value))

    def present(self) -> ColumnElement[bool]:
        return self._exists(true())

    def _exists(self, which: ColumnElement[bool]) -> ColumnElement[bool]:
        # A list of ids keeps the index on either side in use, for a user in few groups as for a group of many users.
        alive = and_(memberships.c.since <= self.generation, memberships.c.until > self.generation)
        return self.own.in_(select(self.here).where(which, alive))


_Promoted = _Text | _Flag | _Moment | _Related


def _promoted(kind: Kind, generation: int) -> dict[str, _Promoted]:
    if kind is Kind.USERS:
        belongs = _Related(users.c.id, memberships.c.user_id, memberships.c.group_id, generation)
        email = _Text(users.c.email_key, fold)
        return {
            "id": _Text(users.c.id, _same),
            "externalid": _Text(users.c.external_id, _same),
            "username": _Text(users.c.name_key, fold),
            "displayname": _Text(users.c.display_key, fold),
            "emails": email,
            "emails.value": email,
            "active": _Flag(users.c.active),
            "groups": belongs,
            "groups.value": belongs,
            "meta.lastmodified": _Moment(users.c.modified),
        }
    has = _Related(groups.c.id, memberships.c.group_id, memberships.c.user_id, generation)
    return {
        "id": _Text(groups.c.id, _same),
        "externalid": _Text(groups.c.name, _same),
        "displayname": _Text(groups.c.name_key, fold),
        "members": has,
        "members.value": has,
        "meta.lastmodified": _Moment(groups.c.modified),
    }


class _Conditions(FilterVisitor[ColumnElement[bool]]):
    def __init__(self, kind: Kind, generation: int) -> None:
        self._attributes = _promoted(kind, generation)

    def visit_comparison(self, node: Comparison) -> ColumnElement[bool]:
        return self._find(node.attr_path).compare(node.op, node.value)

    def visit_present(self, node: Present) -> ColumnElement[bool]:
        attribute = self._find(node.attr_path)
        if isinstance(attribute, _Related):
            return attribute.present()
        return attribute.column != "" if isinstance(attribute, _Text) else true()

    def visit_not(self, node: Not) -> ColumnElement[bool]:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> ColumnElement[bool]:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op is LogicalOperator.and_ else or_(*terms)

    def visit_value_path(self, node: ValuePath) -> ColumnElement[bool]:
        raise UnsupportedFilter(f"a filter inside {node.attr_path} is not supported")

    def _find(self, path: AttrPath) -> _Promoted:
        name = f"{path.attr}.{path.sub_attr}" if path.sub_attr else path.attr
        attribute = self._attributes.get(name.lower())
        if attribute is None or (path.uri and not path.uri.lower().startswith("urn:ietf:params:scim:schemas:core:")):
            raise UnsupportedFilter(f"a filter on {path} is not supported")
        return attribute


class _position(GenericFunction[int]):  # noqa: N801 - a function of SQL, named as one
    """Where a text begins in another: SQLite's instr, PostgreSQL's strpos. LIKE would fold ASCII on one of them."""

    type = Integer()
    inherit_cache = True


@compiles(_position, "sqlite")
def _instr(element: _position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_position, "postgresql")
def _strpos(element: _position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def _contains(column: Column[Any], part: str) -> ColumnElement[bool]:
    return _position(column, part) > 0


def _mismatch(op: CompareOperator) -> ColumnElement[bool]:
    """A value of another type equals nothing, so only `ne` holds against it."""
    return true() if op is Op.ne else false()


def _ordered(column: Column[Any], op: CompareOperator, wanted: str) -> ColumnElement[bool]:
    comparisons: dict[CompareOperator, Callable[[], ColumnElement[bool]]] = {
        Op.eq: lambda: column == wanted,
        Op.ne: lambda: column != wanted,
        Op.gt: lambda: column > wanted,
        Op.ge: lambda: column >= wanted,
        Op.lt: lambda: column < wanted,
        Op.le: lambda: column <= wanted,
    }
    return comparisons[op]()


def _starts_with(column: Column[Any], prefix: str) -> ColumnElement[bool]:
    """Return a range over the index: all texts from the prefix up to, not including, the next prefix of its length."""
    if not prefix:
        return true()
    last = ord(prefix[-1])
    if last >= 0x10FFFF:  # noqa: PLR2004 - the last code point of Unicode
        return func.substr(column, 1, len(prefix)) == prefix
    following = 0xE000 if last == 0xD7FF else last + 1  # noqa: PLR2004 - the surrogates between them are no characters
    return and_(column >= prefix, column < prefix[:-1] + chr(following))


def _parse_moment(value: Any) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnsupportedFilter(f"{value!r} is not a dateTime") from None
