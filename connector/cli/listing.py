"""`list`: the published directory, as a table or as the resources themselves."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import click
from scim2_models import InvalidFilterException
from scim2_models.path import FilterNode

from connector.bootstrap.serving import reader_of
from connector.cli.invocation import Invocation, json_option, pass_invocation, print_json, print_table, say
from connector.directory.rows import Kind
from connector.errors import StoreError
from connector.scim.base_url import scim_base_url
from connector.scim.bodies import Bodies
from connector.scim.filters import parse_filter
from connector.store.generations import Generation
from connector.store.reading.reader import DirectoryReader, Stored
from connector.store.reading.sql_filters import UnsupportedFilter
from connector.store.sql.time_limit import TooExpensive

_COLUMNS = {
    Kind.USERS: ("userName", "displayName", "email", "active", "groups"),
    Kind.GROUPS: ("displayName", "members"),
}


@click.command("list")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--filter", "where", default="", metavar="EXPR", help="SCIM filter, such as 'userName sw \"ann\"'.")
@click.option("--count", type=click.IntRange(min=0), default=100, show_default=True, help="Resources at most.")
@json_option
@pass_invocation
def listing(invocation: Invocation, kind: str, where: str, count: int) -> None:
    """Show the published users or groups."""
    settings = invocation.settings(reads_pool=False)
    base = scim_base_url(settings.server.base_url())
    with reader_of(settings) as reader:
        _show(invocation, reader, ListQuery(Kind(kind), where, count, base))


class ListQuery:
    """What was asked for."""

    def __init__(self, kind: Kind, where: str, count: int, base: str) -> None:
        self.kind = kind
        self.where = _parse(where, kind) if where else None
        self.count = count
        self._bodies = Bodies(base)

    def resources(self, reader: DirectoryReader, generation: Generation) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return how many resources match, and the first of them as they are served."""
        try:
            page = reader.page(self.kind, generation, start=1, count=self.count, where=self.where)
        except (UnsupportedFilter, TooExpensive) as error:
            raise click.BadParameter(f"it cannot be answered: {error}", param_hint="--filter") from error
        return page.total, (self._served(reader, generation, stored) for stored in page.resources)

    def _served(self, reader: DirectoryReader, generation: Generation, stored: Stored) -> dict[str, Any]:
        pieces = self._bodies.body(self.kind, stored, partial(reader.members, generation=generation))
        served: dict[str, Any] = json.loads(self._bodies.fill("".join(pieces)))
        return served


def _parse(text: str, kind: Kind) -> FilterNode:
    try:
        return parse_filter(text, kind)
    except InvalidFilterException as error:
        raise click.BadParameter(str(error.detail), param_hint="--filter") from error


def _show(invocation: Invocation, reader: DirectoryReader, asked: ListQuery) -> None:
    generation = reader.newest()
    if generation is None:
        raise StoreError("No directory is published yet.", remedy="Run: cognito-scim sync")
    total, resources = asked.resources(reader, generation)
    if invocation.json:
        print_json(
            {
                "generation": generation.number,
                "published_at": generation.published_at,
                "total": total,
                "resources": list(resources),
            }
        )
        return
    rows = [_row(asked.kind, resource) for resource in resources]
    print_table(_COLUMNS[asked.kind], rows)
    say(f"{len(rows)} of {total} {asked.kind} in generation {generation.number} of {generation.published_at}.")


def _row(kind: Kind, resource: dict[str, Any]) -> tuple[str, ...]:
    if kind is Kind.GROUPS:
        return resource["displayName"], str(len(resource.get("members", ())))
    emails, groups = resource.get("emails", ()), resource.get("groups", ())
    return (
        resource["userName"],
        resource.get("displayName", ""),
        emails[0]["value"] if emails else "",
        "yes" if resource["active"] else "no",
        ", ".join(group["display"] for group in groups),
    )
