"""A set-up in this process, with clients that are made once, and faults before and after each call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError

from connector.bootstrap import aws_side
from connector.bootstrap.aws_side import AwsOptions, ConfigPlace, vault_of, wishes_of
from connector.provisioning.account.caller import Caller
from connector.provisioning.changes.set_up import SetUp
from connector.provisioning.changes.tear_down import TearDown
from connector.provisioning.design.arns import parse_pool_arn
from connector.provisioning.design.object_names import Names
from tests.fakes.aws_account.account import Account
from tests.provisioning.conftest import hurried


class Crash(BaseException):
    """The process is gone."""


class Mishap(Enum):
    """What happens at a call."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    UNHEARD = "unheard"
    REPLY_LOST = "reply lost"


@dataclass
class Workplace:
    """Where one set-up is made over and over, as new processes would."""

    account: Account
    folder: Path
    asked: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def place(self) -> ConfigPlace:
        """The configuration."""
        return ConfigPlace(self.folder / "config.yaml", {})

    @property
    def caller(self) -> Caller:
        """The administrator."""
        opened: Caller = aws_side.open_caller("", self.account.region)  # type: ignore[attr-defined]  # tests put one there
        return opened

    def set_up(self) -> SetUp:
        """Return the set-up."""
        asked = AwsOptions(pool_arn=self.account.pool_arn, **self.asked)
        pool = parse_pool_arn(self.account.pool_arn)
        vault = vault_of(asked, pool, self.caller, self.place)
        wishes = wishes_of(asked, pool, self.place)
        return SetUp(self.caller, wishes, vault, hurried()(self.said.append), asked.adopt)

    def tear_down(self) -> None:
        """Plan and remove."""
        asked = AwsOptions(pool_arn=self.account.pool_arn)
        pool = parse_pool_arn(self.account.pool_arn)
        vault = vault_of(asked, pool, self.caller, self.place)
        tear_down = TearDown(self.caller, pool, Names(), vault, hurried()(self.said.append))
        tear_down.carry_out(tear_down.plan())

    def apply(self) -> SetUp:
        """Plan and carry out."""
        set_up = self.set_up()
        set_up.carry_out(set_up.plan())
        return set_up


@contextmanager
def failing(mishap: Mishap, number: int, counts: Callable[[str], bool]) -> Iterator[list[str]]:
    """Let the k-th call that counts meet a mishap; yields the operations that were called.

    Args:
        mishap: what happens.
        number: which call, from 0.
        counts: tells which operations count.
    """
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]  # the one place through which every call goes
    called: list[str] = []

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if not counts(operation):
            return real(client, operation, parameters)
        called.append(operation)
        if len(called) - 1 != number:
            return real(client, operation, parameters)
        if mishap is Mishap.KILLED_BEFORE:
            raise Crash
        if mishap is Mishap.UNHEARD:
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")
        real(client, operation, parameters)
        if mishap is Mishap.KILLED_AFTER:
            raise Crash
        raise ConnectionClosedError(endpoint_url="http://127.0.0.1")

    with patch.object(BaseClient, "_make_api_call", call):
        yield called


def writes(operation: str) -> bool:
    """Tell whether an operation changes something."""
    return not operation.startswith(("Get", "List", "Describe", "Simulate", "AssumeRole"))
