"""A process that publishes a directory and is killed on the way, before or after the k-th statement of the publish."""

import os
from itertools import count
from multiprocessing import get_context
from typing import Any

from sqlalchemy import event

from connector.directory.runs import Cause, RunKind
from connector.store.migrations import open_database
from connector.store.publishing import publish as publishing
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.user_names import settle_names
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from tests.store.population import POOL, Directory, result_of, stage

KILLED = 137
NEVER = 10**9
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.store.crashing"])


def publish_until_killed(url: str, directory: Directory, *, statement: int, when: str) -> int | None:
    """Publish in a process of its own and return its exit code.

    Args:
        url: the store.
        directory: what to publish.
        statement: which statement of the publish is the last one to be sent, counted from 0.
        when: "before_cursor_execute" or "after_cursor_execute".
    """
    child = _processes.Process(target=_publish, args=(url, directory, statement, when))
    child.start()
    child.join(60)
    return child.exitcode


def _publish(url: str, directory: Directory, statement: int, when: str) -> None:
    database = open_database(url)
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staging = stage(database, run.id, directory)
        settle_names(database, run.id)
        note_changes(database, run.id)
        plan = read_plan(database, staging, POOL, rejects=0)
        _kill_at(database, statement, when)
        publishing.publish(database, run.id, plan, under=run.lease, record=result_of)
        os._exit(KILLED if statement == NEVER else 0)


def _kill_at(database: Database, statement: int, when: str) -> None:
    seen = count()

    def kill(*_: Any) -> None:
        if next(seen) == statement:
            os._exit(KILLED)

    event.listen(database.engine, when, kill)
