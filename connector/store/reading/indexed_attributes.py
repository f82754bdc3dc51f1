"""The promoted attributes: those with a column and an index of their own, and how each compares in SQL (P30).

Names are compared in the folded form they are stored in. No column is NULL, a missing value is empty text, and what
holds for it is what scim2-models holds: it equals only null, and no text is contained in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from scim2_models.path import AttrPath, CompareOperator
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from connector.directory.rows import Kind, fold, normalize
from connector.directory.times import rfc3339
from connector.store.sql.tables import FULL_KEY, groups, memberships, users

Op = CompareOperator
Condition = ColumnElement[bool]
_CORE = "urn:ietf:params:scim:schemas:core:"


class UnsupportedFilter(ValueError):
    """The filter asks for what no column holds."""


class Promoted(Protocol):
    """An attribute that SQL can compare."""

    def compare(self, op: CompareOperator, value: Any) -> Condition:
        """Return the condition of a comparison, or raise UnsupportedFilter."""

    def present(self) -> Condition:
        """Return the condition of having a value."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text, compared exactly or folded."""

    column: Column[Any]
    prepare: Callable[[str], str]

    def compare(self, op: CompareOperator, value: Any) -> Condition:
        """Return the condition of a comparison."""
        if not isinstance(value, str):
            return self._compare_other(op, value)
        wanted = self.prepare(value)
        if op is Op.ne:
            return self.column != wanted if wanted else true()
        condition = _compare_text(self.column, op, wanted)
        # All these could hold for the empty text that stands for no value.
        return and_(condition, self.present()) if op in {Op.lt, Op.le} or not wanted else condition

    def present(self) -> Condition:
        """Return the condition of having a value."""
        return self.column != ""

    def order(self) -> tuple[ColumnElement[Any], ...]:
        """Return what to sort by: what has no value comes last."""
        return self.column == "", self.column

    def _compare_other(self, op: CompareOperator, value: Any) -> Condition:
        """A value of another type equals nothing; null equals what is missing."""
        if value is None and op in {Op.eq, Op.ne}:
            return self.column == "" if op is Op.eq else self.present()
        return true() if op is Op.ne else false()


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean that is always there."""

    column: Column[Any]

    def compare(self, op: CompareOperator, value: Any) -> Condition:
        """Return the condition of a comparison."""
        if op not in {Op.eq, Op.ne}:
            raise UnsupportedFilter(f"{op.value} does not apply to a boolean")
        if not isinstance(value, bool):
            return true() if op is Op.ne else false()
        return self.column.is_(value) if op is Op.eq else self.column.is_not(value)

    def present(self) -> Condition:
        """Return the condition of having a value."""
        return true()

    def order(self) -> tuple[ColumnElement[Any], ...]:
        """Return what to sort by."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that is always there, in milliseconds; what lies between two of them is rounded the right way."""

    column: Column[Any]

    def compare(self, op: CompareOperator, value: Any) -> Condition:
        """Return the condition of a comparison."""
        if value is None:
            return true() if op is Op.ne else false()
        if not isinstance(value, datetime) or op in {Op.co, Op.sw, Op.ew}:
            raise UnsupportedFilter(f"{op.value} {value!r} does not apply to a dateTime")
        if value.microsecond % 1000 and op in {Op.eq, Op.ne}:
            return true() if op is Op.ne else false()
        if value.microsecond % 1000:
            op = {Op.ge: Op.gt, Op.lt: Op.le}.get(op, op)
        return _ordered(self.column, op, rfc3339(value))

    def present(self) -> Condition:
        """Return the condition of having a value."""
        return true()

    def order(self) -> tuple[ColumnElement[Any], ...]:
        """Return what to sort by."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Related:
    """Text at the other end of memberships.

    Args:
        own: the id at this end.
        reached: ids at this end, from the rows in which the text is found.
        text: what is compared.
    """

    own: Column[Any]
    reached: Select[Any]
    text: Text

    def compare(self, op: CompareOperator, value: Any) -> Condition:
        """Return the condition of a comparison."""
        if value is None:
            return {Op.eq: not_(self.present()), Op.ne: self.present()}.get(op, false())
        if op is Op.ne:
            return not_(self.compare(Op.eq, value))
        return self._reach(self.text.compare(op, value))

    def present(self) -> Condition:
        """Return the condition of having a value."""
        return self._reach(true())

    def _reach(self, which: Condition) -> Condition:
        # A list of ids keeps the index on either side in use, for a user in few groups as for a group of many users.
        return self.own.in_(self.reached.where(which))


def promoted_attribute(kind: Kind, path: AttrPath) -> Promoted | None:
    """Return the promoted attribute of this name, None when it has no column."""
    if path.uri and not path.uri.lower().startswith(_CORE):
        return None
    name = f"{path.attr}.{path.sub_attr}" if path.sub_attr else path.attr
    return _ATTRIBUTES[kind].get(name.lower())


def alive(table: Any) -> Condition:
    """Return the condition for the rows of one generation, the parameter `generation`."""
    return and_(table.c.since <= _GENERATION, table.c.until > _GENERATION)


def _user_attributes() -> Mapping[str, Promoted]:
    email = Text(users.c.email_key, fold)
    reached = select(memberships.c.user_id).where(alive(memberships))
    by_name = reached.join(groups, and_(groups.c.id == memberships.c.group_id, alive(groups)))
    by_id = Related(users.c.id, reached, Text(memberships.c.group_id, normalize))
    return {
        "id": Text(users.c.id, normalize),
        "externalid": Text(users.c.external_key, normalize),
        "username": Text(users.c.name_key, fold),
        "displayname": Text(users.c.display_key, fold),
        "emails": email,
        "emails.value": email,
        "active": Flag(users.c.active),
        "groups": by_id,
        "groups.value": by_id,
        "groups.display": Related(users.c.id, by_name, Text(groups.c.name_key, fold)),
        "meta.lastmodified": Moment(users.c.modified),
    }


def _group_attributes() -> Mapping[str, Promoted]:
    reached = select(memberships.c.group_id).where(alive(memberships))
    by_name = reached.join(users, and_(users.c.id == memberships.c.user_id, alive(users)))
    by_id = Related(groups.c.id, reached, Text(memberships.c.user_id, normalize))
    return {
        "id": Text(groups.c.id, normalize),
        "externalid": Text(groups.c.external_key, normalize),
        "displayname": Text(groups.c.name_key, fold),
        "members": by_id,
        "members.value": by_id,
        "members.display": Related(groups.c.id, by_name, Text(users.c.name_key, fold)),
        "meta.lastmodified": Moment(groups.c.modified),
    }


_GENERATION = bindparam("generation", type_=BigInteger())
_ATTRIBUTES = {Kind.USERS: _user_attributes(), Kind.GROUPS: _group_attributes()}


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


def _compare_text(column: Column[Any], op: CompareOperator, wanted: str) -> Condition:
    if op is Op.co:
        return _position(column, wanted) > 0
    if op is Op.sw:
        return and_(_starts_with(_beginning(column), wanted[:FULL_KEY]), _starts_with(column, wanted))
    if op is Op.eq:
        return and_(_beginning(column) == wanted[:FULL_KEY], column == wanted)
    if op is Op.ew:
        rest = func.length(column) - len(wanted)
        return and_(rest >= 0, func.substr(column, rest + 1) == wanted)
    return _ordered(column, op, wanted)


def _ordered(column: Column[Any], op: CompareOperator, wanted: str) -> Condition:
    comparisons: dict[CompareOperator, Callable[[], Condition]] = {
        Op.eq: lambda: column == wanted,
        Op.ne: lambda: column != wanted,
        Op.gt: lambda: column > wanted,
        Op.ge: lambda: column >= wanted,
        Op.lt: lambda: column < wanted,
        Op.le: lambda: column <= wanted,
    }
    return comparisons[op]()


def _beginning(column: Column[Any]) -> ColumnElement[str]:
    """Return what PostgreSQL indexes of a long text."""
    return func.substr(column, 1, FULL_KEY)


def _starts_with(column: ColumnElement[Any], prefix: str) -> Condition:
    """Return a range over the index: all texts from the prefix up to, not including, the next prefix of its length."""
    if not prefix:
        return true()
    last = ord(prefix[-1])
    if last >= 0x10FFFF:  # noqa: PLR2004 - the last code point of Unicode
        return func.substr(column, 1, len(prefix)) == prefix
    following = 0xE000 if last == 0xD7FF else last + 1  # noqa: PLR2004 - the surrogates between them are no characters
    return and_(column >= prefix, column < prefix[:-1] + chr(following))
