"""The database's own time in milliseconds since 1970; runs on several machines agree on no other."""

from typing import Any

from sqlalchemy import BigInteger, Connection, FunctionElement, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

_MILLISECONDS = {
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)",
}


class _Clock(FunctionElement[int]):
    inherit_cache = True
    type = BigInteger()


@compiles(_Clock)
def _tell_time(_element: _Clock, compiler: SQLCompiler, **_options: Any) -> str:
    return _MILLISECONDS[compiler.dialect.name]


CLOCK = _Clock()
"""The time, as a part of a statement."""


def read_clock(connection: Connection) -> int:
    """Return the time."""
    return connection.execute(select(CLOCK)).scalar_one()
