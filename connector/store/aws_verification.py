"""The last look at the AWS side: when it was, and what it found; metrics and console read it here.

Whoever looks needs reads of IAM that the connector must not have, so a command writes it, and `serve` only reads.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from connector.store.sql.clock import read_clock
from connector.store.sql.database import Database
from connector.store.sql.tables import aws_verifications as verifications


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """The last look.

    Args:
        at: when it was, in seconds since 1970 on the database's clock.
        role_arn: the role that was looked at.
        findings: each with `name`, `severity`, `detail` and `remedy`, the worst first.
    """

    at: float
    role_arn: str
    findings: tuple[Mapping[str, str], ...]

    def count(self, severity: str) -> int:
        """Return how many findings are of a severity."""
        return sum(finding["severity"] == severity for finding in self.findings)


def record_verification(database: Database, role_arn: str, findings: Sequence[Mapping[str, str]]) -> None:
    """Keep a look in the place of the one before.

    Raises:
        StoreError: it is not kept.
    """
    with database.writing() as connection:
        connection.execute(delete(verifications))
        row = {"at": read_clock(connection), "role_arn": role_arn, "findings": json.dumps(list(findings))}
        connection.execute(insert(verifications).values(row))


def read_verification(connection: Connection) -> VerificationRecord | None:
    """Return the last look, None before the first."""
    row = connection.execute(select(verifications)).first()
    return VerificationRecord(row.at / 1000, row.role_arn, tuple(json.loads(row.findings))) if row else None


def last_verification(database: Database) -> VerificationRecord | None:
    """Return the last look, None before the first.

    Raises:
        StoreError: the store does not answer.
    """
    with database.reading() as connection:
        return read_verification(connection)
