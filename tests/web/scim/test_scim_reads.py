import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import ListResponse, Resource, ResourceType, Schema, ServiceProviderConfig

from connector.directory.rows import Kind
from connector.scim.schemas import resource_model
from connector.web.app import create_app
from tests.web.conftest import BASE_URL, MAX_RESULTS, Ask, document
from tests.web.fakes import PUBLISHED_AT, TOKEN, FakeClients, FakeReader, sample_reader, services_of

USERS = "/scim/v2/Users"
GROUPS = "/scim/v2/Groups"


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(body["Resources"])


def test_a_user_is_served_with_both_sides_of_its_memberships(ask: Ask, reader: FakeReader) -> None:
    """P18, RFC 7643: a single read shows the whole user, its groups with addresses under the public base URL."""
    person = reader.people[0]

    answer = ask(f"{USERS}/{person.id}")

    assert answer.status_code == 200
    assert {name: document(answer)[name] for name in ("id", "userName", "active", "displayName")} == {
        "id": person.id,
        "userName": "user1",
        "active": True,
        "displayName": "Person 1",
    }
    assert document(answer)["groups"] == [
        {
            "value": team.id,
            "$ref": f"{BASE_URL}/scim/v2/Groups/{team.id}",
            "display": team.name,
            "type": "direct",
        }
        for team in reader.teams[:2]
    ]
    assert document(answer)["meta"] == {
        "resourceType": "User",
        "location": f"{BASE_URL}/scim/v2/Users/{person.id}",
        "lastModified": PUBLISHED_AT,
        "version": answer.headers["ETag"],
    }


def test_a_group_is_served_with_its_members(ask: Ask, reader: FakeReader) -> None:
    """P18, RFC 7643: a single read shows every member; a group without members has no such attribute."""
    everyone, _, nobody = reader.teams

    assert document(ask(f"{GROUPS}/{everyone.id}"))["members"] == [
        {
            "value": person.id,
            "$ref": f"{BASE_URL}/scim/v2/Users/{person.id}",
            "display": person.names[0],
            "type": "User",
        }
        for person in reader.people
    ]
    assert "members" not in document(ask(f"{GROUPS}/{nobody.id}"))


@pytest.mark.parametrize(("collection", "kind"), [(USERS, Kind.USERS), (GROUPS, Kind.GROUPS)])
def test_a_row_of_a_list_is_the_resource_as_read_alone(ask: Ask, collection: str, kind: Kind) -> None:
    """RFC 7644, section 3.4.2: importers read memberships in lists, so nothing is left out there."""
    listed = _rows(document(ask(f"{collection}?count=3")))

    assert listed == [document(ask(f"{collection}/{row['id']}")) for row in listed]
    assert [resource_model(kind).model_validate(row).id for row in listed] == [row["id"] for row in listed]


@pytest.mark.parametrize("count", [1, 2, 7, 12, MAX_RESULTS])
def test_a_walk_sees_everybody_exactly_once(ask: Ask, reader: FakeReader, count: int) -> None:
    """P34: an importer that stops at the first short page has collected the whole directory."""
    collected: list[str] = []
    while True:
        rows = _rows(document(ask(f"{USERS}?startIndex={len(collected) + 1}&count={count}")))
        collected += [row["id"] for row in rows]
        if len(rows) < count:
            break

    assert collected == [person.id for person in reader.people]


@given(
    total=st.integers(0, 25),
    start=st.none() | st.integers(-3, 30),
    count=st.none() | st.integers(-3, 30),
)
def test_a_page_is_never_short(total: int, start: int | None, count: int | None) -> None:
    """P34: a page holds min(count, rows remaining) rows and says so; over the bound it is 400 tooMany."""
    everybody = sample_reader().people[:total]
    http = create_app(services_of(FakeReader(everybody), FakeClients(), BASE_URL, MAX_RESULTS)).test_client()
    query = {name: value for name, value in (("startIndex", start), ("count", count)) if value is not None}
    first = max(1, 1 if start is None else start)
    remaining = everybody[first - 1 :]
    wanted = remaining if count is None else remaining[: max(0, count)]

    answer = http.get(USERS, query_string=query, headers={"Authorization": f"Bearer {TOKEN}"})

    if len(wanted) > MAX_RESULTS:
        assert (answer.status_code, document(answer)["scimType"]) == (400, "tooMany")
    else:
        assert [row["id"] for row in document(answer)["Resources"]] == [person.id for person in wanted]
        assert {name: document(answer)[name] for name in ("totalResults", "startIndex", "itemsPerPage")} == {
            "totalResults": total,
            "startIndex": first,
            "itemsPerPage": len(wanted),
        }


@pytest.mark.parametrize(
    "path",
    [
        f"{USERS}?count=1",
        f"{USERS}?startIndex=1&count=2",
        f"{USERS}?startIndex=1&count=1&attributes=userName",
        "/scim/v2/ResourceTypes",
        "/scim/v2/ResourceTypes/User",
        "/scim/v2/ResourceTypes/Group",
        "/scim/v2/Schemas?startIndex=1&count=200",
        f"{USERS}?attributes=&startIndex=1&count=20&sortBy=",
        f"{GROUPS}?startIndex=1&count=100",
        GROUPS,
        f"{USERS}?startIndex=2&count=20",
        f'{USERS}?filter=username eq "user3"',
        f"{USERS}?filter=userName+eq+%22user3%22",
        f"{USERS}?cursor=&count=5",
    ],
)
def test_requests_of_real_importers_are_answered(ask: Ask, path: str) -> None:
    """RFC 7644: tests and first pages as importers send them, with a Content-Type on a GET."""
    answer = ask(path, headers={"Content-Type": "application/scim+json; charset=utf-8", "Accept": "*/*"})

    assert answer.status_code == 200


def test_nobody_found_is_an_empty_list(ask: Ask) -> None:
    """RFC 7644, section 3.4.2: no match is 200, zero in all and `[]`."""
    answer = ask(f'{USERS}?filter=userName eq "nobody"')

    assert (answer.status_code, document(answer)["totalResults"], document(answer)["itemsPerPage"]) == (200, 0, 0)
    assert document(answer)["Resources"] == []


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ('filter=password eq "x"', "invalidFilter"),
        ("filter=userName", "invalidFilter"),
        ('filter=title eq "x"', "invalidFilter"),
        ("count=many", "invalidCount"),
        ("count=1&count=2", "invalidCount"),
        ("filter=%FF", "invalidSyntax"),
    ],
)
def test_what_cannot_be_answered_is_refused(ask: Ask, query: str, scim_type: str) -> None:
    """P30, P31: a query that cannot be honoured is a SCIM error, never all rows."""
    answer = ask(f"{USERS}?{query}")

    assert (answer.status_code, document(answer)["status"], document(answer)["scimType"]) == (400, "400", scim_type)


@pytest.mark.parametrize("identifier", ["user1", "user1@corp.local", "Everyone", "nobody", "%00", "..", "a" * 129, "é"])
@pytest.mark.parametrize("collection", [USERS, GROUPS])
def test_an_id_is_looked_up_as_nothing_else(ask: Ask, reader: FakeReader, collection: str, identifier: str) -> None:
    """P15: names, addresses and other text are no ids; what cannot be one never reaches the store."""
    answer = ask(f"{collection}/{identifier}")

    assert (answer.status_code, document(answer)["status"]) == (404, "404")
    assert set(reader.asked_ids) <= {identifier}


def test_a_user_is_not_found_among_groups(ask: Ask, reader: FakeReader) -> None:
    """P15: an id belongs to one collection."""
    assert ask(f"{GROUPS}/{reader.people[0].id}").status_code == 404


def test_bodies_are_plain_ascii(ask: Ask) -> None:
    """RFC 8259: readers that guess the character set still read every name."""
    answer = ask(USERS + "?count=1")

    assert answer.data.isascii()
    assert _rows(document(answer))[0]["name"] == {"familyName": "Nämé 1"}


def test_head_answers_like_get_without_a_body(ask: Ask) -> None:
    """RFC 9110, section 9.3.2: HEAD has the headers of GET."""
    answer, body = ask(USERS + "?count=2", "HEAD"), ask(USERS + "?count=2")

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == body.headers["Content-Length"]


def _strict(ask: Ask, path: str, model: type[Resource[Any]]) -> dict[str, Any]:
    body: dict[str, Any] = document(ask(path))
    assert model.model_validate(body).model_dump() == body
    return body


def test_the_service_provider_config_is_one(ask: Ask) -> None:
    """RFC 7643, section 5: a strict reader understands all of it, and limits are those of this server."""
    config = _strict(ask, "/scim/v2/ServiceProviderConfig", ServiceProviderConfig)

    assert config["filter"] == {"supported": True, "maxResults": MAX_RESULTS}


@pytest.mark.parametrize(("name", "model"), [("Schemas", Schema), ("ResourceTypes", ResourceType)])
def test_discovery_documents_are_listed_and_read_by_id(
    ask: Ask, name: str, model: type[Schema] | type[ResourceType]
) -> None:
    """RFC 7644, section 4: a strict reader understands each, in the list and alone, at its own location."""
    listing = document(ask(f"/scim/v2/{name}"))
    bound: Any = ListResponse

    assert bound[model].model_validate(listing).total_results == len(_rows(listing)) > 0
    for listed in _rows(listing):
        assert _strict(ask, listed["meta"]["location"].removeprefix(BASE_URL), model) == listed


@pytest.mark.parametrize("path", ["/scim/v2/Schemas/urn:nothing", "/scim/v2/ResourceTypes/Device", "/scim/v2/Nothing"])
def test_unknown_addresses_are_scim_errors(ask: Ask, path: str) -> None:
    """RFC 7644, section 3.12: unknown documents and endpoints are 404 with a SCIM error."""
    assert (ask(path).status_code, document(ask(path))["status"]) == (404, "404")


@pytest.mark.parametrize("path", ["ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas"])
def test_discovery_refuses_filters_and_ignores_paging(ask: Ask, path: str) -> None:
    """RFC 7644, section 4: a filter on discovery is 403, other parameters change nothing."""
    assert ask(f"/scim/v2/{path}?filter=id pr").status_code == 403
    assert document(ask(f"/scim/v2/{path}?startIndex=5&count=0")) == document(ask(f"/scim/v2/{path}"))


def test_a_large_group_is_whole_before_it_leaves() -> None:
    """P23, P34: a body over a mebibyte waits in a file, and its length is told."""
    someone = sample_reader().people[0]
    team = sample_reader().teams[0]
    reader = FakeReader([someone], [team], {team.id: [someone] * 9000})
    http = create_app(services_of(reader, FakeClients(), BASE_URL, MAX_RESULTS)).test_client()

    answer = http.get(f"{GROUPS}/{team.id}", headers={"Authorization": f"Bearer {TOKEN}"}, buffered=False)

    body = b"".join(answer.iter_encoded())
    answer.close()

    assert answer.content_length == len(body)
    assert len(json.loads(body)["members"]) == 9000
