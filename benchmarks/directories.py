"""A generated directory of any size, published into a SQLite store as a sync publishes it, without a pool to read."""

import random
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connector.directory.people import Person
from connector.store.clients import Clients
from connector.store.migrations import open_database
from tests.store.population import Directory, person, publish_directory, team


@dataclass(frozen=True, slots=True)
class Shape:
    """How a directory is made: groups of one size, but for the largest; everybody is in `each` of them."""

    users: int
    groups: int
    largest: int
    each: int = 5

    def user_id(self, number: int) -> str:
        """Return the id of a user, as Cognito makes them."""
        return str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4))

    def user_name(self, number: int) -> str:
        """Return the user name; every hundred of them begin alike."""
        return f"user{number:07}"

    def people(self) -> Iterator[Person]:
        """Make the users."""
        for number in range(self.users):
            name = self.user_name(number)
            yield person(
                self.user_id(number),
                name,
                display_name=f"Given{number % 977} Family{number % 1009}",
                given_name=f"Given{number % 977}",
                family_name=f"Family{number % 1009}",
                phone_number=f"+4144{number:07}",
                email_verified=True,
                locale="de-CH",
                timezone="Europe/Zurich",
                title="Engineer",
            )

    def members(self) -> dict[str, Iterable[str]]:
        """Return who is in which group: `g0` has the largest number, its users fewer of the others."""
        ids = [self.user_id(number) for number in range(self.users)]
        found: dict[str, Iterable[str]] = {"g0": ids[: self.largest]}
        inside: dict[str, list[str]] = {f"g{number}": [] for number in range(1, self.groups)}
        names = list(inside)
        for number, identifier in enumerate(ids):
            others = self.each - (number < self.largest)
            for choice in range(others):
                inside[names[(number * others + choice) % len(names)]].append(identifier)
        return found | inside

    def __str__(self) -> str:
        return (
            f"{self.users:,} users and {self.groups:,} groups, {self.each} memberships a user, "
            f"one group of {min(self.largest, self.users):,}"
        )


def publish_shape(shape: Shape, store: Path) -> str:
    """Publish a directory into a new store, and return the token of a client."""
    with closing(open_database(f"sqlite:///{store}")) as database:
        teams = [team(f"g{number}") for number in range(shape.groups)]
        publish_directory(database, Directory(shape.people(), teams, shape.members()))
        return Clients(database).create("benchmark").token


COPY = """
CREATE TABLE bodies (position INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO bodies SELECT position, replace(body, char(2), 'http://127.0.0.1')
FROM store.users ORDER BY position;
"""
"""Copies the users of an attached store, near enough as they are served, for who only joins them; char(2) is BASE."""
