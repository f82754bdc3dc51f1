"""Statements whose text is made once: running one costs what the driver costs, a tenth of what Core adds to it.

For the few reads behind every request; all others go through `Database.reading`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import PoolProxiedConnection, Select
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


class _Text:
    """A statement in the words of one dialect."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert not compiled.post_compile_params
        self.sql = compiled.string
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._order: Sequence[str] | None = compiled.positiontup

    def arrange(self, values: Mapping[str, Any]) -> Any:
        """Return the parameters as the driver takes them."""
        named = {**self._constants, **values}
        return named if self._order is None else [named[name] for name in self._order]
