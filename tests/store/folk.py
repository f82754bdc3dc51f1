"""A few people and teams who differ in everything that can be searched for, published on top of older generations."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connector.directory.people import Address, FederatedIdentity, Person, Team
from connector.directory.rows import Kind
from connector.scim.bodies import Bodies
from connector.scim.evaluate import Evaluator
from connector.scim.filters import parse_filter
from connector.scim.list_response import public_blocks
from connector.scim.schemas import resource_model
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.sql_filters import Sort
from connector.store.sql.database import Database
from tests.store.population import START, Directory, people, person, publish_directory

BASE_URL = "https://scim.example.com/scim/v2"

FOLK: list[Person] = [
    person(
        "u1",
        "Ann",
        email="Ann@Example.com",
        given_name="Ann",
        title="Engineer",
        locale="de-CH",
        profile_url="https://example.com/Ann",
        roles=("admin", "Reader"),
        email_verified=True,
        address=Address(formatted="1 Main Street", locality="Z\u00fcrich", country="CH"),
        enterprise={"department": "R&D", "employee_number": "0042"},
        identities=(
            FederatedIdentity("ACME", "SAML", "a1", primary=False),
            FederatedIdentity("Google", "Google", "g-1", primary=True),
        ),
        custom_attributes={"custom:team": "Blue", "custom:floor": "3"},
    ),
    person("u2", "zo\u00eb", email="", created=None, modified=None, title="engineer"),
    person(
        "u3",
        "100%_done",
        active=False,
        status="ARCHIVED",
        roles=("reader",),
        identities=(FederatedIdentity("Bing", "OIDC", "b", primary=True),),
    ),
    person("u4", "\U0001f600 smile", display_name="B\u00e4r", title="Ba\u0308r", nick_name="\u212bngstr\u00f6m"),
    person("u5", "annabel", email="x@corp.local", given_name="ANN", modified=START.replace(microsecond=5000)),
    replace(
        person("u6", "Cafe\u0301"), names=("Cafe\u0301", "Cafe\u0301", "u6"), display_name="", photo="https://a.b/c"
    ),
]
TEAMS = [
    Team("g1", "Admins", description="All of them", precedence=1, role_arn="arn:aws:iam::1:role/A", created=START),
    Team("g2", "eu-west-1_A_Google", created=datetime(2025, 5, 5, tzinfo=UTC), modified=START, provider=True),
    Team("g3", "Re\u0301serve", precedence=0, created=START),
]
MEMBERS = {"g1": ["u1", "u2", "u6"], "g2": ["u1", "u5"]}


def publish_folk(database: Database) -> DirectoryReader:
    """Publish the folk as the newest of three generations, and return a reader of it."""
    publish_directory(database, Directory(people(4)))
    publish_directory(database, Directory(FOLK[:4], TEAMS[1:], {"g2": ["u1", "u3"]}))
    publish_directory(database, Directory(FOLK, TEAMS, MEMBERS))
    return DirectoryReader(database, Evaluator(BASE_URL))


def search(reader: DirectoryReader, kind: Kind, where: str = "", sort: Sort | None = None) -> list[str]:
    """Return the ids that a filter matches, in the order asked for."""
    generation = reader.newest()
    assert generation
    node = parse_filter(where, kind) if where else None
    page = reader.page(kind, generation, start=1, count=100, where=node, sort=sort)
    ids = [one.id for one in page.resources]
    assert page.total == len(ids)
    return ids


def served(reader: DirectoryReader, kind: Kind) -> list[Any]:
    """Return everything as it is served, read back into the models of the schemas."""
    generation = reader.newest()
    assert generation
    bodies = Bodies(BASE_URL)
    found = []
    for stored in reader.page(kind, generation, start=1, count=100).resources:
        pieces = bodies.body(kind, stored, partial(reader.members, generation=generation))
        found.append(resource_model(kind).model_validate(json.loads(b"".join(public_blocks(pieces, bodies.places)))))
    return found
