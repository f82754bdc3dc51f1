"""Statements whose text is made once: running one costs what the driver costs, a tenth of what Core adds to it.

For the few reads behind every request, and for what a run writes by the thousand; all others go through Core.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, PoolProxiedConnection, Select
from sqlalchemy.engine import Dialect


class Prepared:
    """One statement with named parameters, whose columns are texts and numbers, for any dialect.

    Args:
        statement: the statement; each of its parameters is one value.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}

    def run(self, connection: PoolProxiedConnection, dialect: Dialect, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return all rows, as plain tuples."""
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = _Text(self._statement, dialect)
        cursor = connection.cursor()
        try:
            cursor.execute(text.sql, text.arrange(values))
            return cursor.fetchall()
        finally:
            cursor.close()


class Bulk:
    """An insert to be run for many rows, whose values are texts, numbers and truth values.

    Args:
        statement: the insert.
        names: the names of the values of a row; all of them are given.
    """

    def __init__(self, statement: Insert, names: Sequence[str]) -> None:
        self._statement = statement
        self._names = names
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each row, in the caller's transaction."""
        text = self._texts.get(connection.dialect.name)
        if text is None:
            text = self._texts[connection.dialect.name] = _Text(self._statement, connection.dialect, self._names)
        connection.exec_driver_sql(text.sql, text.arrange_all(rows))


class _Text:
    """A statement in the words of one dialect."""

    def __init__(self, statement: Select[Any] | Insert, dialect: Dialect, names: Sequence[str] = ()) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names or None)
        assert not compiled.post_compile_params
        self.sql = compiled.string
        given = {name: value for name, value in compiled.params.items() if value is not None}
        self._constants = {name: value for name, value in given.items() if name not in names}
        self._order: Sequence[str] | None = compiled.positiontup

    def arrange(self, values: Mapping[str, Any]) -> Any:
        """Return the parameters as the driver takes them."""
        named = {**self._constants, **values}
        return named if self._order is None else [named[name] for name in self._order]

    def arrange_all(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Return the parameters of many rows, where none is constant."""
        assert not self._constants
        return list(rows if self._order is None else map(itemgetter(*self._order), rows))
