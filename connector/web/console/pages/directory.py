"""The published directory: users and groups by name, by the beginning of a name, or by a SCIM filter; and each of them.

What is shown is what importers are served, read by the same readers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from flask import Response, request
from scim2_models import SCIMException

from connector.directory.changes import Change, ChangeKind, difference
from connector.directory.changes import attributes_of as changed_attributes
from connector.directory.rows import Kind
from connector.scim.bodies import Bodies
from connector.scim.encoding import decode_body
from connector.scim.filters import parse_filter
from connector.scim.urns import COGNITO_GROUP, COGNITO_USER
from connector.store.generations import Generation
from connector.store.reading.lookup import Lookup, Version
from connector.store.reading.reader import DirectoryReader, Stored
from connector.store.reading.sql_filters import UnsupportedFilter
from connector.web.console.access import PageRefused
from connector.web.console.pages.page_requests import asked_number, asked_text
from connector.web.console.pages.routes import Views
from connector.web.console.parts import ConsoleParts
from connector.web.console.rendering import Renderer, Said
from connector.web.console.user_attributes import attributes_of, facts_of
from connector.web.services import Services

PAGE = 50
MEMBERS = 100
VERSIONS = 30
SHOWN_MEMBERS = 1000
"""Members that the SCIM text of a group shows; more would make a page of many megabytes."""


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A user or a group in a list."""

    id: str
    name: str
    display: str
    email: str
    status: str
    active: bool
    description: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a list.

    Args:
        rows: the resources.
        total: how many there are in all, None where nobody counted.
        next: the query of the next part, None at the end.
        more: whether there are more, of which only the first are shown.
        fault: what is wrong with the filter, empty if nothing is.
    """

    rows: Sequence[ResourceRow]
    total: int | None = None
    next: dict[str, Any] | None = None
    more: bool = False
    fault: str = ""


class DirectoryPages:
    """Answers what is about users and groups.

    Args:
        renderer: makes the pages.
        services: the directory.
        parts: looks resources up, and knows the mapping.
    """

    def __init__(self, renderer: Renderer, services: Services, parts: ConsoleParts) -> None:
        self._renderer = renderer
        self._reader: DirectoryReader = services.reader
        self._lookup: Lookup = parts.lookup
        self._sources = parts.sources
        self._bodies = Bodies(services.scim_base_url)

    def views(self) -> Views:
        """Return the views behind each rule."""
        return {
            "/users": {"GET": self.list_users},
            "/users/<identifier>": {"GET": self.show_user},
            "/groups": {"GET": self.list_groups},
            "/groups/<identifier>": {"GET": self.show_group},
        }

    def list_users(self) -> Response:
        """Show users."""
        return self._list(Kind.USERS)

    def list_groups(self) -> Response:
        """Show groups."""
        return self._list(Kind.GROUPS)

    def show_user(self, identifier: str) -> Response:
        """Show one user, as importers see it."""
        generation = self._newest()
        stored = self._find(Kind.USERS, identifier, generation)
        resource = self._resource(stored)
        return self._renderer.page(
            "user.html",
            user=Said(resource),
            cognito=Said(resource.get(COGNITO_USER, {})),
            attributes=attributes_of(resource, self._sources),
            facts=list(facts_of(resource)),
            document=json.dumps(resource, indent=2, ensure_ascii=False),
            generation=generation,
            versions=_with_differences(self._lookup.versions(Kind.USERS, stored.id, count=VERSIONS)),
        )

    def show_group(self, identifier: str) -> Response:
        """Show one group and a page of its members."""
        generation = self._newest()
        stored = self._find(Kind.GROUPS, identifier, generation)
        resource = self._resource(stored)
        members = self._lookup.members(stored.id, generation, after=asked_text("after"), count=MEMBERS + 1)
        size = self._lookup.count_members(stored.id, generation)
        return self._renderer.page(
            "group.html",
            group=Said(resource),
            cognito=Said(resource.get(COGNITO_GROUP, {})),
            members=members[:MEMBERS],
            more=members[MEMBERS - 1].id if len(members) > MEMBERS else None,
            size=size,
            document=self._group_text(stored, generation) if size <= SHOWN_MEMBERS else "",
            generation=generation,
            versions=_with_differences(self._lookup.versions(Kind.GROUPS, stored.id, count=VERSIONS)),
        )

    def _list(self, kind: Kind) -> Response:
        generation = self._reader.newest()
        text, where = asked_text("q"), asked_text("filter", most=4096)
        listing = Listing([])
        if generation:
            listing = self._listing(kind, generation, text, where)
        total = 0 if generation is None else generation.users if kind is Kind.USERS else generation.groups
        return self._renderer.page(
            "resources.html",
            status=400 if listing.fault else 200,
            kind=kind.value,
            noun=kind.value[:-1],
            listing=listing,
            generation=generation,
            total=total,
            text=text,
            where=where,
        )

    def _listing(self, kind: Kind, generation: Generation, text: str, where: str) -> Listing:
        if where:
            return self._filtered(kind, generation, where)
        if text:
            found = self._lookup.begins_with(kind, generation, text, count=PAGE + 1)
            return Listing([self._row(kind, stored) for stored in found[:PAGE]], more=len(found) > PAGE)
        after = (request.args.get("after", ""), request.args.get("id", ""))
        named = self._lookup.by_name(kind, generation, after=after, count=PAGE + 1)
        rows = [self._row(kind, one.stored) for one in named[:PAGE]]
        more = {"after": named[PAGE - 1].key, "id": named[PAGE - 1].stored.id} if len(named) > PAGE else None
        return Listing(rows, next=more)

    def _filtered(self, kind: Kind, generation: Generation, where: str) -> Listing:
        start = asked_number("start") or 1
        try:
            page = self._reader.page(kind, generation, start=start, count=PAGE, where=parse_filter(where, kind))
        except SCIMException as fault:
            return Listing([], fault=str(fault.detail))
        except UnsupportedFilter as fault:
            return Listing([], fault=f"The filter cannot be answered: {fault}.")
        stored = list(map(Stored._make, chain.from_iterable(page.slices)))
        more = {"filter": where, "start": start + PAGE} if start + PAGE <= page.total else None
        return Listing([self._row(kind, one) for one in stored], total=page.total, next=more)

    def _newest(self) -> Generation:
        generation = self._reader.newest()
        if generation is None:
            raise PageRefused(404, "Nothing is published yet.", "Sync first; then the directory is here.")
        return generation

    def _find(self, kind: Kind, identifier: str, generation: Generation) -> Stored:
        stored = self._reader.find(kind, identifier, generation) if "\0" not in identifier else None
        if stored is None:
            raise PageRefused(
                404,
                f"This {kind.value[:-1]} is not in the published directory.",
                "“Who is missing?” says what became of people who are not here.",
            )
        return stored

    def _resource(self, stored: Stored) -> dict[str, Any]:
        resource: dict[str, Any] = decode_body(self._bodies.fill(stored.body))
        return resource

    def _row(self, kind: Kind, stored: Stored) -> ResourceRow:
        resource = self._resource(stored)
        emails = resource.get("emails", [])
        return ResourceRow(
            id=stored.id,
            name=str(resource.get("userName" if kind is Kind.USERS else "displayName", "")),
            display=str(resource.get("displayName", "")),
            email=str(emails[0].get("value", "")) if emails else "",
            status=str(resource.get(COGNITO_USER, {}).get("status", "")),
            active=bool(resource.get("active", True)),
            description=str(resource.get(COGNITO_GROUP, {}).get("description", "")),
        )

    def _group_text(self, stored: Stored, generation: Generation) -> str:
        members = self._lookup.members(stored.id, generation, count=SHOWN_MEMBERS)
        body = "".join(self._bodies.body(Kind.GROUPS, stored, lambda _: members))
        return json.dumps(decode_body(self._bodies.fill(body)), indent=2, ensure_ascii=False)


def _with_differences(versions: Sequence[Version]) -> list[tuple[Version, list[tuple[str, str, str]]]]:
    """Return versions, newest first, each with what it changed of the one before: attribute, old and new value."""
    changed = []
    for newer, older in pairwise([*versions, None]):
        differences: list[tuple[str, str, str]] = []
        if newer and older:
            was, now = difference(changed_attributes(older.stored.body), changed_attributes(newer.stored.body))
            differences = list(Change(ChangeKind.USERS, "updated", was=was, now=now).attributes())
        if newer:
            changed.append((newer, differences))
    return changed
