"""Small directories for the contract tests, and the way they get published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from connector.directory.change_plan import ChangePlan, DirectorySource
from connector.directory.people import Person, Team
from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.scim.render import group_row, user_row
from connector.store.generations import Generation
from connector.store.publishing.compare import note_changes
from connector.store.publishing.harvest_plan import read_plan
from connector.store.publishing.publish import publish
from connector.store.publishing.user_names import Renamed, renamed_users, settle_names
from connector.store.runs.run import begin
from connector.store.sql.database import Database
from connector.store.staging import Staging

POOL = DirectorySource("111122223333", "eu-west-1", "eu-west-1_A")
START = datetime(2026, 1, 1, tzinfo=UTC)


def person(identifier: str, name: str = "", *, age: int = 0, **attributes) -> Person:
    """Return a person; a greater `age` means an older account."""
    name = name or f"user-{identifier}"
    usual: dict[str, Any] = {
        "names": (name, name, identifier),
        "active": True,
        "status": "CONFIRMED",
        "family_name": name,
        "display_name": name,
        "email": f"{name}@example.com",
        "created": START - timedelta(days=age),
        "modified": START,
    }
    given = usual | attributes
    return Person(id=identifier, username=given["names"][1], **given)


def people(number: int) -> list[Person]:
    """Return so many people, in the order of their ids."""
    return [person(f"u{count:05}") for count in range(1, number + 1)]


def team(identifier: str, name: str = "") -> Team:
    """Return a team."""
    return Team(id=identifier, name=name or f"group-{identifier}", created=START)


@dataclass(frozen=True)
class Directory:
    """What a harvest found."""

    people: Iterable[Person] = ()
    teams: Iterable[Team] = ()
    members: Mapping[str, Iterable[str]] = field(default_factory=dict)
    source: DirectorySource = POOL


@dataclass(frozen=True)
class Published:
    """How a publish went; no generation when nothing changed."""

    plan: ChangePlan
    generation: Generation | None
    renamed: list[Renamed]


def stage(database: Database, run: int, directory: Directory) -> Staging:
    """Stage a complete harvest."""
    staging = Staging(database, run)
    rows = map(user_row, directory.people)
    while page := list(islice(rows, 1000)):
        staging.add_users(page)
    staging.add_groups(group_row(team) for team in directory.teams)
    for group_id, user_ids in directory.members.items():
        staging.add_members(group_id, user_ids)
    staging.flush()
    staging.drop_unknown_members()
    return staging


def result_of(generation: Generation) -> dict[str, object]:
    """Return what is recorded of a run that published a generation."""
    return {"outcome": "published", "generation": generation.number}


def publish_directory(database: Database, directory: Directory) -> Published:
    """Publish a directory as a sync does, without asking the safeguard."""
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        staging = stage(database, run.id, directory)
        settle_names(database, run.id)
        renamed = renamed_users(database, run.id, most=100)
        note_changes(database, run.id)
        plan = read_plan(database, staging, directory.source, rejects=0)
        generation = (
            None if plan.changes_nothing else publish(database, run.id, plan, under=run.lease, record=result_of)
        )
        staging.clear()
        run.end(RunOutcome.PUBLISHED if generation else RunOutcome.UNCHANGED, {"run": run.id})
    return Published(plan, generation, renamed)
