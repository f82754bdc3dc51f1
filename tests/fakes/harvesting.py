"""A whole harvest of a simulated pool into a store of its own, with what came of it."""

import threading
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from connector.cognito.meter import Meter
from connector.cognito.pool import UserPool
from connector.directory.mapping import Rules
from connector.store.migrations import open_database
from connector.store.sql.database import Database
from connector.store.sql.tables import staged_groups, staged_memberships, staged_users
from connector.store.staging import Staging
from connector.sync.harvest import Harvest, Tally
from connector.sync.progress import Silence


@dataclass(frozen=True)
class Harvested:
    """What a harvest staged: users by username, groups by name with the usernames of their members."""

    users: list[str]
    groups: dict[str, list[str]]
    tally: Tally


class Barn:
    """A store for harvests, which are told apart by their numbers."""

    def __init__(self, folder: Path) -> None:
        self.database: Database = open_database(f"sqlite:///{folder}/harvests.db")
        self._run = 0

    def harvest(self, pool: UserPool, *chosen: str, meter: Meter | None = None) -> Harvested:
        """Read a pool; no thread of the harvest may live when it ends, however it does."""
        self._run += 1
        staging = Staging(self.database, self._run)
        reading = Harvest(pool, staging, Rules(), meter or Meter(), Silence())
        try:
            tally = reading.read(chosen)
        finally:
            assert [thread.name for thread in threading.enumerate() if thread.name.startswith("walk")] == []
        return self._staged(self._run, tally)

    def _staged(self, run: int, tally: Tally) -> Harvested:
        with self.database.reading() as connection:
            users = dict(
                connection.execute(
                    select(staged_users.c.id, staged_users.c.external_id).where(staged_users.c.run == run)
                ).all()
            )
            names = dict(
                connection.execute(
                    select(staged_groups.c.id, staged_groups.c.name).where(staged_groups.c.run == run)
                ).all()
            )
            groups: dict[str, list[str]] = {name: [] for name in names.values()}
            members = select(staged_memberships.c.group_id, staged_memberships.c.user_id)
            for group, user in connection.execute(members.where(staged_memberships.c.run == run)):
                groups[names[group]].append(users[user])
        return Harvested(sorted(users.values()), {name: sorted(of) for name, of in groups.items()}, tally)
