"""Sorting: in SQL by columns, in Python by everything else, in one order on both databases."""

import pytest
from scim2_models import SearchRequest
from scim2_models.path import AttrPath

from connector.directory.rows import Kind
from connector.scim.evaluate import Evaluator
from connector.scim.projection import known_attributes
from connector.scim.schemas import resource_model, schemas_of
from connector.scim.sorting import parse_order
from connector.store.reading.reader import DirectoryReader
from connector.store.reading.sql_filters import Sort, UnsupportedFilter
from tests.store.folk import BASE_URL, publish_folk, search, served
from tests.store.population import Directory, person, publish_directory

COMPLEX = {"name", "meta", "addresses", "identities", "customattributes"}


@pytest.fixture
def reader(database):
    """A store with a few people in three groups, the newest of three generations."""
    return publish_folk(database)


def sortable(kind):
    """Return every name by which a list can be sorted."""
    schemas = {"", *(schema["id"].lower() for schema in schemas_of(kind))}
    names = {name for name in known_attributes(kind) if name not in schemas}
    return sorted(name for name in names if name.rpartition(":")[2] not in COMPLEX)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_attribute_sorts_as_the_reference_does(reader, kind):
    """RFC 7644, section 3.4.2.3: case, primary values and missing ones; the id comes last in either direction."""
    resources = sorted(served(reader, kind), key=lambda resource: str(resource.id))

    for name in sortable(kind):
        for order in ("ascending", "descending"):
            reference = SearchRequest[resource_model(kind)](sort_by=name, sort_order=order)
            expected = [resource.id for resource in reference.sort(resources)]
            sort = Sort(parse_order(name, kind), descending=order == "descending")

            assert (name, order, expected) == (name, order, search(reader, kind, sort=sort))


@pytest.mark.parametrize("path", ["userName", "title"])
@pytest.mark.parametrize("where", ['userName ne "ann"', 'emails[type eq "work"]'])
def test_a_filter_and_an_order_go_together(reader, path, where):
    """RFC 7644, section 3.4.2: whichever of the two SQL can answer."""
    sort = Sort(AttrPath(path), descending=True)
    found = set(search(reader, Kind.USERS, where))

    assert [one for one in search(reader, Kind.USERS, sort=sort) if one in found] == search(
        reader, Kind.USERS, where, sort
    )


@pytest.mark.parametrize("path", ["displayName", "title"])
def test_pages_of_an_order_fit_together(database, path):
    """P34: equal values never let a resource come twice or not at all."""
    folk = [person(f"u{number:03}", display_name="Same", title="Same") for number in range(25)]
    publish_directory(database, Directory(folk))
    reader = DirectoryReader(database, Evaluator(BASE_URL))
    sort = Sort(AttrPath(path), descending=True)

    pages = [reader.page(Kind.USERS, reader.newest(), start=start, count=10, sort=sort) for start in (1, 11, 21, 31)]

    assert [page.total for page in pages] == [25] * 4
    assert [one.id for one in folk] == [found.id for page in pages for found in page.resources]


def test_without_an_interpreter_an_order_without_a_column_is_refused(database):
    """An order that cannot be given is an error, never another order."""
    publish_folk(database)

    with pytest.raises(UnsupportedFilter):
        search(DirectoryReader(database), Kind.USERS, sort=Sort(AttrPath("title"), descending=False))
