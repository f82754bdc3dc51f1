"""Conversations of real importers with a published directory, in the words that each of them uses."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.store.migrations import open_database
from connector.store.reading.reader import DirectoryReader
from connector.web.app import create_app
from tests.store.population import Directory, people, person, publish_directory, team
from tests.web.conftest import BASE_URL, document
from tests.web.fakes import TOKEN, FakeClients, services_of

BASE = "/scim/v2"
USERS, GROUPS = f"{BASE}/Users", f"{BASE}/Groups"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ODD = "Zoë Ångström 李"
TEAMS = [team(f"g{number}", f"Team {number}") for number in range(1, 4)]
MEMBERS = {"g1": [f"u{number:05}" for number in range(1, 138)], "g2": ["u00001", "u00137"]}
Publish = Callable[[Directory], object]


def _directory() -> Directory:
    folk = people(137)
    folk[0] = person("u00001", "zoe", family_name=ODD, given_name="Zoë", enterprise={"department": "R&D"})
    folk[1] = person("u00002", active=False)
    return Directory(folk, TEAMS, MEMBERS)


class Importer:
    """An importer with its headers, which it sends with every request."""

    def __init__(self, http: FlaskClient, publish: Publish) -> None:
        self._http = http
        self.publish = publish
        self.headers: dict[str, str] = {}

    def send(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        """Send a request."""
        headers = {"Authorization": f"Bearer {TOKEN}", **self.headers, **options.pop("headers", {})}
        return self._http.open(path, method=method, headers=headers, **options)

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON of an answer, which must be 200."""
        answer = self.send(path)
        assert answer.status_code == 200, (path, answer.text)
        return document(answer)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Return the resources of a page."""
        return list(self.get(path)["Resources"])


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[Importer]:
    """An importer of a published directory: 137 people, one of them inactive; teams of all, of two, of none."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    app = create_app(services_of(DirectoryReader(database), FakeClients(), f"{BASE_URL}/", 1000))
    made = Importer(app.test_client(), partial(publish_directory, database))
    made.publish(_directory())
    yield made
    database.close()


def _walk_until_short(importer: Importer, address: str, count: int) -> list[dict[str, Any]]:
    """Page as ConnId's and Oracle's connectors do, which never read totalResults."""
    found: list[dict[str, Any]] = []
    while True:
        rows = importer.rows(f"{address}startIndex={len(found) + 1}&count={count}")
        found += rows
        if len(rows) < count:
            return found


EVERYBODY = {f"u{number:05}" for number in range(1, 138)}


@pytest.mark.parametrize("media_type", ["application/scim+json", "application/json"])
@pytest.mark.parametrize("count", [25, 136, 137, 138, 200])
def test_oci_imports_everybody(importer: Importer, count: int, media_type: str) -> None:
    """OCI: a test of one user, then pages until a short one, with the attributes that are mapped (P34)."""
    importer.headers = {"Accept": media_type, "Content-Type": media_type}
    mapped = "userName,name.familyName,name.givenName,displayName,active,emails,groups,externalId,meta.lastModified,id"

    assert importer.get(f"{USERS}?count=1")["itemsPerPage"] == 1
    rows = _walk_until_short(importer, f"{BASE}//Users?attributes={mapped}&", count)

    assert [row["id"] for row in rows] == sorted(EVERYBODY)
    assert all(row["emails"][0]["primary"] and row["name"]["familyName"] and row["userName"] for row in rows)
    assert [row["active"] for row in rows].count(False) == 1
    assert {entry["value"]: entry["display"] for entry in rows[0]["groups"]} == {"g1": "Team 1", "g2": "Team 2"}
    assert rows[0].keys() == {
        *("schemas", "id", "externalId", "userName", "name", "displayName", "active", "emails", "groups", "meta")
    }


def test_oci_reads_names_whatever_character_set_it_takes(importer: Importer) -> None:
    """OCI: a body that is decoded as ISO-8859-1 still holds every name, projected or not."""
    for query in ("", "?attributes=name,userName", "?excludedAttributes=groups"):
        body = json.loads(importer.send(f"{USERS}/u00001{query}").data.decode("iso-8859-1"))

        assert body["name"]["familyName"] == ODD


def test_oci_sends_parameters_without_values(importer: Importer) -> None:
    """OCI: nothing mapped and nothing to sort by is no restriction."""
    page = importer.get(f"{USERS}?attributes=&startIndex=1&count=200&sortBy=&filter=")

    assert page["Resources"] == importer.rows(f"{USERS}?startIndex=1&count=200")
    assert (page["totalResults"], page["itemsPerPage"]) == (137, 137)


def test_oci_reads_the_schemas_to_their_end(importer: Importer) -> None:
    """OCI: pages of schemas end only with one that is no multiple of 200, and need every characteristic."""
    assert {entry["endpoint"] for entry in importer.rows(f"{BASE}/ResourceTypes")} == {"/Users", "/Groups"}
    schemas = importer.rows(f"{BASE}/Schemas?startIndex=1&count=200")

    assert len(schemas) % 200 != 0
    assert {schema["id"].rpartition(":")[2] for schema in schemas} == {"User", "Group"}
    for attribute in (attribute for schema in schemas for attribute in schema["attributes"]):
        assert isinstance(attribute["multiValued"], bool)
        assert attribute["type"] != "complex" or all("required" in part for part in attribute["subAttributes"])


def _changes(importer: Importer, collection: str, literal: str) -> set[str]:
    rows = importer.rows(f'{collection}?filter=meta.lastModified gt "{literal}"&startIndex=1&count=200')
    return {row["id"] for row in rows}


@pytest.mark.parametrize("name", ["OCI", "SailPoint", "SAP"])
def test_a_delta_is_what_changed_since_the_newest_time_seen(importer: Importer, name: str) -> None:
    """OCI, SailPoint, SAP: the literal is our own `meta.lastModified`, for users and groups, memberships included."""
    importer.headers = {"User-Agent": name}
    seen = max(row["meta"]["lastModified"] for row in importer.rows(USERS) + importer.rows(GROUPS))
    assert (_changes(importer, USERS, seen), _changes(importer, GROUPS, seen)) == (set(), set())

    before = _directory()
    importer.publish(Directory(before.people, TEAMS, {**MEMBERS, "g3": ["u00007"]}))

    assert (_changes(importer, USERS, seen), _changes(importer, GROUPS, seen)) == ({"u00007"}, {"g3"})


def _okta(importer: Importer) -> Importer:
    importer.headers = {
        "User-Agent": "Okta SCIM Client 1.0.0",
        "Accept": "application/scim+json",
        "Accept-Charset": "utf-8",
        "Content-Type": "application/scim+json; charset=utf-8",
    }
    return importer


def test_okta_imports_by_the_total(importer: Importer) -> None:
    """Okta: a test of two users, then as many pages of 100 as the total tells, and groups with their members."""
    okta = _okta(importer)
    assert len(okta.rows(f"{USERS}?startIndex=1&count=2")) == 2
    total = okta.get(f"{USERS}?startIndex=1&count=100")["totalResults"]

    pages = [okta.get(f"{USERS}?startIndex={1 + 100 * page}&count=100") for page in range(math.ceil(total / 100))]
    groups = okta.rows(f"{GROUPS}?startIndex=1&count=100")

    assert [page["itemsPerPage"] for page in pages] == [100, 37]
    assert {row["id"] for page in pages for row in page["Resources"]} == EVERYBODY
    assert {group["id"]: sorted(entry["value"] for entry in group.get("members", [])) for group in groups} == {
        **MEMBERS,
        "g3": [],
    }


def test_okta_passes_its_own_test(importer: Importer) -> None:
    """Okta: the assertions of its published test of a SCIM server that concern reads."""
    okta = _okta(importer)
    page = okta.get(f"{USERS}?count=1&startIndex=1")
    first = page["Resources"][0]

    assert "urn:ietf:params:scim:api:messages:2.0:ListResponse" in page["schemas"]
    assert all(type(page[name]) is int for name in ("itemsPerPage", "startIndex", "totalResults"))
    assert all((first["id"], first["name"]["familyName"], first["userName"], first["emails"][0]["value"]))
    assert type(first["active"]) is bool
    assert okta.get(f"{USERS}/{first['id']}")["id"] == first["id"]
    assert okta.get(f'{USERS}?filter=userName eq "nobody"')["totalResults"] == 0
    for path, headers, status in ((f"{USERS}/nobody", {}, 404), (USERS, {"Authorization": "Bearer bad"}, 401)):
        answer = okta.send(path, headers=headers)
        assert (answer.status_code, document(answer)["status"], bool(document(answer)["detail"])) == (
            status,
            str(status),
            True,
        )


def test_okta_asks_past_the_end(importer: Importer) -> None:
    """Okta: itemsPerPage is what came, which is nothing past the end."""
    page = _okta(importer).get(f"{USERS}?startIndex=201&count=100")

    assert (page["itemsPerPage"], page["totalResults"], page["Resources"]) == (0, 137, [])


def test_sailpoint_finds_all_its_prerequisites(importer: Importer) -> None:
    """SailPoint: compliant mode needs five documents, the resource types under exactly these ids."""
    config = importer.get(f"{BASE}/ServiceProviderConfig")
    kinds = [importer.get(f"{BASE}/ResourceTypes/{name}") for name in ("User", "Group")]

    assert config["filter"]["supported"] is True
    assert config["etag"]["supported"] is True
    assert [kind["id"] for kind in kinds] == [kind["name"] for kind in kinds] == ["User", "Group"]
    for kind in kinds:
        assert importer.get(f"{BASE}/Schemas/{kind['schema']}")["id"] == kind["schema"]


def test_sailpoint_aggregates_accounts_and_entitlements(importer: Importer) -> None:
    """SailPoint: attributes of the schema, a filter of its own, and an identity attribute in every row."""
    importer.headers = {"Accept": "application/scim+json", "Content-Type": "application/scim+json"}
    accounts = importer.rows(f"{USERS}?filter=active eq true&attributes=id,userName,groups&startIndex=1&count=200")
    entitlements = importer.rows(f"{GROUPS}?attributes=id,displayName&startIndex=1&count=200")

    assert {row["id"] for row in accounts} == EVERYBODY - {"u00002"}
    assert [row["displayName"] for row in entitlements] == ["Team 1", "Team 2", "Team 3"]
    assert all(row.keys() == {"schemas", "id", "displayName"} for row in entitlements)


def _connid(importer: Importer) -> Importer:
    importer.headers = {"Accept": "application/json", "Content-Type": "application/json"}
    return importer


def test_connid_reads_everything_in_one_response(importer: Importer) -> None:
    """ConnId: without a page size the one response is everything, as plain JSON."""
    connid = _connid(importer)
    assert connid.send(f"{USERS}?startIndex=1&count=1&attributes=userName").content_type == "application/json"

    assert {row["id"] for row in connid.rows(USERS)} == EVERYBODY
    assert len(connid.rows(GROUPS)) == 3


@pytest.mark.parametrize("count", [10, 137])
def test_connid_pages_by_what_came(importer: Importer, count: int) -> None:
    """ConnId: the next page begins after the rows of this one, and comes only after a full one."""
    connid, found, cookie = _connid(importer), [], 1
    wanted = f"userName,name,emails,emails,{ENTERPRISE}:department,"
    while cookie:
        page = connid.get(f"{USERS}?attributes={wanted}&startIndex={cookie}&count={count}")
        found += page["Resources"]
        cookie = page["startIndex"] + len(page["Resources"]) if len(page["Resources"]) >= count else 0

    assert {row["id"] for row in found} == EVERYBODY
    assert found[0][ENTERPRISE] == {"department": "R&D"}
    assert found[0].keys() == {"schemas", "id", "userName", "name", "emails", ENTERPRISE}


def test_connid_looks_people_up(importer: Importer) -> None:
    """ConnId: by id, else by name in lower case; what is not there is 404."""
    connid = _connid(importer)

    assert connid.get(f"{USERS}/u00001")["userName"] == "zoe"
    assert [row["id"] for row in connid.rows(f'{USERS}?filter=username eq "ZOE"')] == ["u00001"]
    assert [row["id"] for row in connid.rows(f'{GROUPS}?filter=displayName eq "team 2"')] == ["g2"]
    assert connid.send(f"{USERS}/nobody").status_code == 404
    assert "Errors" not in document(connid.send(f"{USERS}/nobody"))


def test_midpoint_starts_with_the_schemas(importer: Importer) -> None:
    """midPoint: Schemas and ResourceTypes are mandatory, characteristics included."""
    names = {entry["name"]: entry["endpoint"] for entry in importer.rows(f"{BASE}/ResourceTypes")}
    attributes = [attribute for schema in importer.rows(f"{BASE}/Schemas") for attribute in schema["attributes"]]

    assert names == {"User": "/Users", "Group": "/Groups"}
    assert all({"multiValued", "required", "mutability", "returned"} <= attribute.keys() for attribute in attributes)


def test_midpoint_follows_references_on_both_sides(importer: Importer) -> None:
    """midPoint: value, display and `$ref` under the configured base URL, in lists, or its connector breaks."""
    entries = [entry for row in importer.rows(f"{GROUPS}?startIndex=1&count=25") for entry in row.get("members", [])]
    entries += [entry for row in importer.rows(f"{USERS}?startIndex=2&count=25") for entry in row["groups"]]

    assert len(entries) == 139 + 25
    for entry in entries:
        assert entry["$ref"].startswith(f"{BASE_URL}{BASE}/")
        assert entry["$ref"].endswith(f"/{entry['value']}")
        assert entry["display"]


@pytest.mark.parametrize("space", ["%20", "+", " "])
def test_exclamation_looks_names_up(importer: Importer, space: str) -> None:
    """Exclamation: spaces as `%20` or `+`."""
    rows = importer.rows(f"{USERS}?filter=userName{space}eq{space}%22zoe%22")

    assert [row["id"] for row in rows] == ["u00001"]


@pytest.mark.parametrize(("user", "found"), [("u00137", ["g2"]), ("u00007", [])])
def test_exclamation_asks_for_each_membership(importer: Importer, user: str, found: list[str]) -> None:
    """Exclamation: a group and a user, one pair at a time."""
    assert {"User", "Group"} <= {entry["name"] for entry in importer.rows(f"{BASE}/ResourceTypes")}

    rows = importer.rows(f'{GROUPS}?filter=id eq "g2" and members eq "{user}"')

    assert [row["id"] for row in rows] == found


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_exclamation_is_told_that_it_cannot_write(importer: Importer, method: str) -> None:
    """Exclamation: takes 404 and 501 for success, and errors only as plain JSON."""
    importer.headers = {"Accept": "application/json"}

    answer = importer.send(f"{USERS}/nobody", method, json={})

    assert (answer.status_code, answer.content_type) == (405, "application/json")
    assert "POST" not in answer.headers["Allow"]


@pytest.mark.parametrize("search", [False, True], ids=["query", "search"])
def test_scim_sdk_pages_by_index(importer: Importer, search: object) -> None:
    """SCIM-SDK: startIndex + itemsPerPage up to totalResults, by GET or `.search`; no cursor unasked for."""
    found: list[str] = []
    total = 1
    while len(found) < total:
        asked = {"startIndex": len(found) + 1, "count": 50}
        answer = (
            importer.send(f"{USERS}/.search", "POST", data=json.dumps(asked), content_type="application/scim+json")
            if search
            else importer.send(USERS, query_string=asked)
        )
        page = document(answer)
        assert answer.content_type.startswith("application/scim+json")
        assert "nextCursor" not in page
        found += [row["id"] for row in page["Resources"]]
        total = page["totalResults"]

    assert found == sorted(EVERYBODY)


def test_keycloak_plugins_list_without_paging(importer: Importer) -> None:
    """Keycloak plugins: one request without parameters is everybody."""
    assert len(importer.rows(USERS)) == importer.get(USERS)["totalResults"] == 137


def test_microsoft_counts_from_zero_and_from_the_year_one(importer: Importer) -> None:
    """Microsoft's importer: names in any case, seven digits of a second, the year 1, startindex 0."""
    where = (
        'ActiVe eq true and (meta.lastmodified ge "0001-01-03T00:00:00.0000000Z" '
        'and meta.lastmodified le "9999-01-03T00:00:00.0000000Z")'
    )
    page = importer.get(f"{USERS}?filter={where}&startindex=0&count=100")

    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (136, 1, 100)


@pytest.mark.parametrize("path", ["//Users", "/Users/", "/users", "//users//"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/json"},
        {"Accept": "application/scim+json", "Content-Type": "application/json"},
        {"Accept": "text/html, image/gif, *; q=.2", "Content-Type": "text/plain"},
        {"Accept": "application/xml", "Content-Type": ""},
    ],
)
def test_addresses_and_headers_are_taken_as_they_come(
    importer: Importer, path: str, headers: Mapping[str, str]
) -> None:
    """Importers put slashes and cases as they like, and a content type on a GET; never 406 or 415."""
    importer.headers = dict(headers)

    assert importer.get(f"{BASE}{path}?count=1")["totalResults"] == 137


@pytest.mark.parametrize("path", [BASE, f"{BASE}/", f"{BASE}//", "/scim//v2/"])
def test_the_base_path_is_the_whole_directory(importer: Importer, path: str) -> None:
    """Some importers test the base URL itself; it lists users and groups (RFC 7644, section 3.4.2.1)."""
    page = importer.get(path)

    assert page["totalResults"] == 140
    assert [row["meta"]["resourceType"] for row in page["Resources"]] == ["User"] * 137 + ["Group"] * 3


@pytest.mark.parametrize("count", [1, 7, 100, 136, 137, 138, 139, 140, 200])
def test_a_walk_over_the_base_path_crosses_the_border(importer: Importer, count: int) -> None:
    """P34: pages of users and groups are exact, whichever page holds both."""
    everything = [row["id"] for row in importer.rows(BASE)]

    rows = _walk_until_short(importer, f"{BASE}?attributes=displayName&", count)

    assert [row["id"] for row in rows] == everything
    assert rows[-1] == {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g3", "displayName": "Team 3"}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('userName eq "zoe"', ["u00001"]),
        ('members eq "u00137"', ["g1", "g2"]),
        ('id eq "u00001" or members eq "u00001"', ["u00001", "g1", "g2"]),
        ('displayName eq "Team 3"', ["g3"]),
        ('userName eq "zoe" and members pr', []),
        ("not (userName pr) and not (members pr)", ["g3"]),
    ],
)
def test_a_search_over_everything_asks_each_kind_what_it_knows(
    importer: Importer, where: str, found: list[str]
) -> None:
    """RFC 7644, section 3.4.2.1: an attribute that only one kind has matches only that kind."""
    searched = document(importer.send(f"{BASE}/.search", "POST", json={"filter": where}))

    assert [row["id"] for row in searched["Resources"]] == found
    assert searched == importer.get(f"{BASE}?filter={where}")
    assert searched["totalResults"] == len(found)
