"""Our lists against those of scim2-server: one directory behind both, and any request for a list is answered alike.

The other server holds its resources in memory and shares neither SQL nor paging nor projection with ours; what a
filter says is read by scim2-models on both sides.
"""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ResourceType, Schema, ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_service_provider_config

from connector.directory.rows import Kind
from connector.scim.schemas import schemas_of
from connector.store.migrations import open_database
from tests.store.folk import FOLK, MEMBERS, TEAMS
from tests.store.population import Directory, person, publish_directory, team
from tests.store.reading.test_search_oracle import expressions, in_any_case, terms
from tests.web.endpoint import BASE_URL, connect

OTHERS = [
    person(
        f"v{number:02}",
        f"{'Visitor' if number % 2 else 'visitor'}-{number}",
        active=number % 3 > 0,
        title=("", "Engineer", "engineer")[number % 3],
        display_name=("Same", "same", "Other")[number % 3],
        email="" if number % 4 == 0 else f"{number}@example.com",
        given_name="Ann" if number % 5 == 0 else "",
        enterprise={"department": "R&D"} if number % 7 == 0 else {},
        created=None if number % 6 == 0 else FOLK[0].created,
    )
    for number in range(1, 15)
]
DIRECTORY = Directory(
    [*FOLK, *OTHERS], [*TEAMS, team("g4", "admins of old")], {**MEMBERS, "g4": [one.id for one in OTHERS[::2]]}
)

COGNITO_USER = "urn:ietf:params:scim:schemas:extension:cognito:2.0:User"
COGNITO_NAME = "username"
UNIQUE = {Kind.USERS: ("id", "userName", "externalId"), Kind.GROUPS: ("id", "displayName", "externalId")}
SHARED = {
    Kind.USERS: ("title", "displayName", "emails", "active", "name.givenName", "meta.created", "groups"),
    Kind.GROUPS: ("meta.created", "meta.resourceType"),
}
EXCLUDED_IN_EXTENSIONS_TOO = {"username"}
"""What the other server leaves out of an extension as well (see DIFFERENCES)."""
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 5, 10, 19, 20, 21, 1000])


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """A client of our endpoint."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('oracle')}/store.db")
    publish_directory(database, DIRECTORY)
    yield connect(database)
    database.close()


@pytest.fixture(scope="module")
def theirs(ours):
    """A client of the other server, which has our schemas and what an import from our endpoint brought."""

    def listed(path):
        return ours.request("GET", path).json()["Resources"]

    schemas = [Schema.model_validate(found) for found in listed("/Schemas")]
    types = [ResourceType.model_validate(found) for found in listed("/ResourceTypes")]
    provider = ScimProvider.from_discovery(schemas, types, config=load_default_service_provider_config())
    storage = InMemoryStorage()
    storage.resources = [
        provider.model_for(one).model_validate(found) for one in types for found in listed(one.endpoint)
    ]
    return WSGISCIMClient(WSGIApplication(storage, provider), f"{BASE_URL}/v2")


def names(kind):
    """Return a way to name an attribute: bare, with the URN of its schema, in any case, or one of its parts."""
    core, *extensions = schemas_of(kind)
    bare = [attribute["name"] for attribute in core["attributes"]]
    parts = [f"{one['name']}.{part['name']}" for one in core["attributes"] for part in one.get("subAttributes", ())]
    qualified = [f"{schema['id']}:{one['name']}" for schema in schemas_of(kind) for one in schema["attributes"]]
    whole = [schema["id"] for schema in extensions]
    return st.sampled_from(
        [*bare, *parts, *qualified, *whole, "id", "schemas", "meta", "meta.location", "externalId", "nobody"]
    ).flatmap(in_any_case)


def orders(kind):
    """Return parameters for an order: descending only by what no two resources share (see DIFFERENCES)."""
    unique = st.sampled_from(UNIQUE[kind]).flatmap(in_any_case)
    shared = st.sampled_from(UNIQUE[kind] + SHARED[kind])
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries({"sortBy": shared}),
        st.fixed_dictionaries({"sortBy": unique, "sortOrder": st.sampled_from(["ascending", "descending"])}),
    )


@st.composite
def requests(draw, kind, newest):
    """Return the parameters of a request for a list."""
    asked = draw(orders(kind))
    if draw(st.booleans()):
        text = draw(expressions(terms(kind)))
        asked["filter"] = text.replace('{newest}"', newest + 'Z"').replace("{newest}", newest)
    for name in ("startIndex", "count"):
        if draw(st.booleans()):
            asked[name] = draw(NUMBERS)
    selection = draw(st.sampled_from(["", "attributes", "excludedAttributes"]))
    if selection:
        wanted = names(kind)
        if selection == "excludedAttributes":
            wanted = wanted.filter(lambda name: name.lower() not in EXCLUDED_IN_EXTENSIONS_TOO)
        asked[selection] = ",".join(draw(st.lists(wanted, min_size=1, max_size=4)))
    return asked


def ask(client, kind, parameters):
    """Return the answer to a request for a list."""
    return client.request("GET", f"/{kind.value.title()}?{urlencode(parameters)}")


def shape(value):
    """Return the names in a value, all the way down, without what they stand for."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


def seen(answer):
    """Return what is compared of an answer: its numbers, the ids in order, and the names in each resource."""
    body = answer.json()
    rows = body.get("Resources", [])
    numbers = [body.get(name) for name in ("totalResults", "startIndex", "itemsPerPage")]
    return answer.status_code, numbers, [(row["id"], row["schemas"], shape(row)) for row in rows]


@pytest.mark.parametrize("kind", list(Kind))
def test_any_request_for_a_list_is_answered_as_the_other_server_does(ours, theirs, kind):
    """P30, P34; RFC 7644, sections 3.4.2 and 3.9: the matches, the order, the page and the attributes are the same."""
    newest = ask(ours, kind, {"count": 1}).json()["Resources"][0]["meta"]["lastModified"].removesuffix("Z")

    @given(asked=requests(kind, newest))
    def answer_the_same(asked):
        assert seen(ask(theirs, kind, asked)) == seen(ask(ours, kind, asked))

    answer_the_same()


ALL = [one.id for one in DIRECTORY.people]
TIED = [one.id for one in DIRECTORY.people if not one.title]
NO_TEXT = "RFC 7644, section 3.12: invalidFilter where the comparison does not go with the attribute"
NO_ZONE = "RFC 7643, section 2.3.5: a time as XML Schema writes it, whose zone may be missing; here it is UTC"
TIES = "RFC 7644, section 3.4.2.3, leaves equals in any order; here the lower id is first, whichever way the rest runs"
ANY_CASE = "RFC 7644, section 3.4.2, in the spelling of some importers: names of parameters in any case"
EMPTY = "An empty parameter restricts nothing, as some importers send it; RFC 7644, section 3.4.2, is silent about it"
DIFFERENCES = [
    ({"filter": 'name co "a"'}, (400, []), (200, []), NO_TEXT),
    ({"filter": "userName co 5"}, (400, []), (200, []), NO_TEXT),
    ({"filter": 'meta.lastModified sw "2"'}, (400, []), (200, []), NO_TEXT),
    ({"filter": 'meta.lastModified gt "2000-01-01T00:00:00"'}, (200, ALL), (200, []), NO_ZONE),
    ({"sortBy": "title", "sortOrder": "descending", "count": len(TIED)}, (200, TIED), (200, TIED[::-1]), TIES),
    ({"STARTINDEX": 20}, (200, ALL[19:]), (200, ALL), ANY_CASE),
    ({"filter": ""}, (200, ALL), (400, []), EMPTY),
    ({"sortBy": ""}, (200, ALL), (400, []), EMPTY),
]


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_difference_from_the_other_server_is_known(ours, theirs, difference):
    """P30: where the two answers differ, it is for the reason listed, and stays as it is listed."""
    asked, here, there, reason = difference
    answers = [seen(ask(client, Kind.USERS, asked)) for client in (ours, theirs)]

    assert [(status, [row[0] for row in rows]) for status, _, rows in answers] == [here, there], reason


def test_a_bare_name_leaves_the_extensions_alone(ours, theirs):
    """RFC 7644, section 3.10: extended attributes go by their URN; the other server takes userName for username too."""
    here, there = (
        ask(one, Kind.USERS, {"excludedAttributes": "userName"}).json()["Resources"] for one in (ours, theirs)
    )

    assert [COGNITO_NAME in row[COGNITO_USER] for row in here] == [True] * len(ALL)
    assert [COGNITO_NAME in row[COGNITO_USER] for row in there] == [False] * len(ALL)
    assert [row for row in here + there if "userName" in row] == []
