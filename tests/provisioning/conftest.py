"""An empty account, the administrator's shell, and the command line."""

import logging
import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

from connector import logs
from connector.bootstrap import aws_side
from connector.provisioning.account import caller
from connector.provisioning.account.waiting import Consistency
from connector.rotation.engine.backoff import Backoff
from tests.cli.conftest import Done, folder, run
from tests.fakes.aws_account.account import Account

HASTE = Backoff(delays=(0.001,), sleep=lambda _seconds: None)


@pytest.fixture(autouse=True)
def _logging_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(logs, "_secrets", set())
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def account_for_all() -> Iterator[Account]:
    """One server for all tests of a process."""
    with Account() as made:
        yield made


@pytest.fixture
def account(account_for_all: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a pool and an administrator whose shell this is; nobody waits for real."""
    monkeypatch.setattr(caller, "READING", HASTE)
    for module in ("apply", "upkeep"):
        monkeypatch.setattr(f"connector.cli.aws.{module}.Consistency", hurried())
    monkeypatch.setattr(aws_side, "open_caller", partial(_open_caller, account_for_all))
    account_for_all.begin_anew()
    for name, value in account_for_all.environment.items():
        monkeypatch.setenv(name, value)
    return account_for_all


def _open_caller(account: Account, profile: str, region: str) -> caller.Caller:
    """Return the administrator with clients that are made once for all tests, anybody else anew."""
    if profile or os.environ.get("AWS_ACCESS_KEY_ID") != account.key.access_key_id:
        return caller.open_caller(profile, region)
    return _administrator(account.key.access_key_id, region)


@cache
def _administrator(_access_key_id: str, region: str) -> caller.Caller:
    return caller.open_caller("", region)


def hurried() -> Callable[..., Consistency]:
    """Return what makes a wait of ten attempts that takes no time."""
    return partial(Consistency, seconds=30, pause=3, sleep=lambda _seconds: None)


Run = Callable[..., Done]
__all__ = ["Done", "Path", "Run", "folder", "hurried", "run"]
