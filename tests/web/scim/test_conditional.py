import gzip
import json

import pytest
from werkzeug.test import TestResponse

from connector.web.app import create_app
from tests.web.conftest import BASE_URL, Ask, document
from tests.web.fakes import TOKEN, FakeClients, FakeReader, sample_reader, services_of

USERS, GROUPS = "/scim/v2/Users", "/scim/v2/Groups"
ONE_USER = f"{USERS}/00000000-0000-4000-8000-000000000001"
ONE_GROUP = f"{GROUPS}/11111111-0000-5000-8000-000000000000"
READS = [
    ONE_USER,
    ONE_GROUP,
    f"{ONE_USER}?attributes=userName",
    f"{USERS}?count=5",
    f"{GROUPS}?count=2",
    "/scim/v2?count=9",
]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_current_state_is_told_so(ask: Ask, path: str, method: str) -> None:
    """RFC 7644, section 3.14: If-None-Match with the tag gives 304 with the tag and without a body."""
    tag = ask(path, method).headers["ETag"]
    again = ask(path, method, headers={"If-None-Match": tag})

    assert tag.startswith('W/"')
    assert (again.status_code, again.headers["ETag"], again.data) == (304, tag, b"")
    assert "Content-Type" not in again.headers
    assert again.headers["Vary"] == "Accept-Encoding, Accept"


@pytest.mark.parametrize("condition", ['W/"x", {tag}', "{tag},", "*", "{strong}"])
def test_tags_are_compared_weakly(ask: Ask, condition: str) -> None:
    """RFC 9110, section 13.1.2: any tag of the list will do, weak or strong, and `*` is any state at all."""
    tag = ask(ONE_USER).headers["ETag"]
    header = condition.format(tag=tag, strong=tag.removeprefix("W/"))

    assert ask(ONE_USER, headers={"If-None-Match": header}).status_code == 304


@pytest.mark.parametrize("condition", ['W/"x"', "x", '"', "", "W/", "\xff", ","])
def test_any_other_tag_gets_the_body(ask: Ask, condition: str) -> None:
    """P31: what is no known tag is no condition that holds, whatever its bytes."""
    assert ask(ONE_USER, headers={"If-None-Match": condition}).status_code == 200


def test_a_current_list_costs_no_rows(ask: Ask, reader: FakeReader) -> None:
    """P23: 304 comes before anything is read, and that of a group before its members."""
    for path in (f"{USERS}?count=5", ONE_GROUP):
        tag = ask(path).headers["ETag"]
        read = (reader.pages_read, reader.members_read)

        assert ask(path, headers={"If-None-Match": tag}).status_code == 304
        assert (reader.pages_read, reader.members_read) == read


def test_the_version_in_the_body_is_the_tag(ask: Ask) -> None:
    """RFC 7643, section 3.1: `meta.version` equals the entity tag, so a row of a list tells the tag of its resource."""
    for collection in (USERS, GROUPS):
        for row in document(ask(f"{collection}?count=3"))["Resources"]:
            alone = ask(f"{collection}/{row['id']}")

            assert row["meta"]["version"] == alone.headers["ETag"] == document(alone)["meta"]["version"]
            assert (
                ask(f"{collection}/{row['id']}", headers={"If-None-Match": row["meta"]["version"]}).status_code == 304
            )


def test_another_request_has_another_tag(ask: Ask) -> None:
    """RFC 9110, section 8.8.3: paging, filter, order and projection are part of the tag, the way of writing is not."""
    different = ["", "count=5", "startIndex=9", "count=5&attributes=userName", "count=5&excludedAttributes=groups"]
    different += [
        'filter=userName eq "user1"',
        "sortBy=userName&count=5",
        "sortBy=userName&sortOrder=descending&count=5",
    ]
    same = ["count=5", "COUNT=05&startIndex=1&attributes=&unknown=x", "count=5&startIndex=-3"]

    assert len({_tag(ask, f"{USERS}?{query or 'count=20'}") for query in different}) == len(different)
    assert len({_tag(ask, f"{USERS}?{query}") for query in same}) == 1
    assert _tag(ask, f"{USERS}?count=3") != _tag(ask, f"{GROUPS}?count=3") != _tag(ask, "/scim/v2?count=3")
    assert _tag(ask, f"{USERS}?count=3&attributes=userName,active") == _tag(
        ask, f"{USERS}?count=3&attributes=ACTIVE,,userName"
    )


def _tag(ask: Ask, path: str) -> str:
    return ask(path).headers["ETag"]


@pytest.mark.parametrize("path", [ONE_USER, f"{USERS}?count=5"])
def test_another_address_of_the_server_has_other_tags(ask: Ask, reader: FakeReader, path: str) -> None:
    """RFC 9110, section 8.8.1: links in a body follow the public base URL, and so do tags."""
    moved = create_app(services_of(reader, FakeClients(), "https://other.example.com", 20)).test_client()

    assert moved.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).headers["ETag"] != _tag(ask, path)


def test_a_search_is_never_not_modified(ask: Ask) -> None:
    """RFC 9110, section 13.1.2: only reads by GET and HEAD are answered with 304."""
    answer = ask(f"{USERS}/.search", "POST", json={"count": 1}, headers={"If-None-Match": "*"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", [*READS, "/scim/v2/Schemas"])
def test_bodies_are_compressed_for_who_accepts_it(ask: Ask, path: str) -> None:
    """RFC 9110, section 12.5.3: the same body and the same tag, smaller, unless it is small anyhow."""
    plain, packed = ask(path), ask(path, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding, Accept"
    assert packed.headers.get("ETag") == plain.headers.get("ETag")
    assert _unpacked(packed) == plain.data
    assert ("Content-Encoding" in packed.headers) == (len(plain.data) >= 1024)
    assert int(packed.headers["Content-Length"]) == len(packed.data) <= len(plain.data)


def _unpacked(answer: TestResponse) -> bytes:
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(answer.data) if packed else answer.data


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br", True),
        ("*", True),
        ("gzip;q=0.1", True),
        ("identity;q=0, gzip", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity;q=0", False),
        ("identity, gzip;q=0.5", False),
        (";,=gzip\xff", False),
    ],
)
def test_compression_is_what_the_caller_prefers(ask: Ask, accepted: str, packed: object) -> None:
    """RFC 9110, section 12.5.3: weights count, and 406 is never an answer."""
    answer = ask(f"{USERS}?count=5", headers={"Accept-Encoding": accepted})

    assert (answer.status_code, answer.headers.get("Content-Encoding") == "gzip") == (200, packed)
    assert len(json.loads(_unpacked(answer))["Resources"]) == 5


def test_a_large_body_is_compressed_as_it_leaves() -> None:
    """P23: neither the body nor what it is packed to lies in memory as a whole."""
    someone, team = sample_reader().people[0], sample_reader().teams[0]
    reader = FakeReader([someone], [team], {team.id: [someone] * 9000})
    http = create_app(services_of(reader, FakeClients(), BASE_URL, 20)).test_client()
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"}

    answer = http.get(f"{GROUPS}/{team.id}", headers=headers, buffered=False)
    packed = b"".join(answer.iter_encoded())
    answer.close()

    assert int(answer.headers["Content-Length"]) == len(packed)
    assert len(json.loads(gzip.decompress(packed))["members"]) == 9000


def test_excluded_members_are_never_read(ask: Ask, reader: FakeReader) -> None:
    """P23: whoever leaves members out, or asks for something else, costs no memberships."""
    for path in (GROUPS, ONE_GROUP, "/scim/v2"):
        for query in ("excludedAttributes=members", "attributes=displayName"):
            assert ask(f"{path}?{query}&count=5").status_code == 200
    for body in ({"excludedAttributes": ["members"]}, {"attributes": ["id"]}):
        assert ask(f"{GROUPS}/.search", "POST", json=body).status_code == 200

    assert reader.members_read == 0


@pytest.mark.parametrize("path", [USERS, ONE_USER, f"{USERS}/nobody", GROUPS, "/scim/v2"])
def test_attributes_and_excluded_attributes_exclude_each_other(ask: Ask, path: str) -> None:
    """RFC 7644, section 3.9: who gives both is told so."""
    answer = ask(f"{path}?attributes=userName&excludedAttributes=groups")

    assert (answer.status_code, document(answer)["scimType"]) == (400, "invalidValue")


@pytest.mark.parametrize(
    ("data", "content_type", "status", "scim_type"),
    [
        (b'{"count": 1}', "application/scim+json", 200, None),
        (b'{"count": 1}', "application/json; charset=utf-8", 200, None),
        (b'{"count": 1}', None, 200, None),
        (b'{"count": 1}', "application/x-www-form-urlencoded", 200, None),
        (b"{", "application/json", 400, "invalidSyntax"),
        (b'{"count": 1, "count": 2}', "application/json", 400, "invalidSyntax"),
        (b'{"count": 1, "COUNT": 2}', "application/json", 400, "invalidCount"),
        (b'{"filter": "bogus pr"}', "application/json", 400, "invalidFilter"),
        (b'{"sortBy": "bogus"}', "application/json", 400, "invalidPath"),
        (b'{"attributes": ["id"], "excludedAttributes": ["name"]}', "application/json", 400, "invalidValue"),
        (b"{" + b" " * (64 << 10), "application/json", 413, None),
    ],
)
@pytest.mark.parametrize(
    "path", [f"{USERS}/.search", f"{GROUPS}/.search", "/scim/v2/.search", "/scim/v2//users//.search/"]
)
def test_a_search_is_answered_or_refused(  # noqa: PLR0917 - parameters of the test
    ask: Ask, path: str, data: bytes, content_type: str | None, status: int, scim_type: str | None
) -> None:
    """RFC 7644, section 3.4.3: what the body says counts, whatever the content type; bodies are bounded."""
    answer = ask(path, "POST", data=data, content_type=content_type)

    assert (answer.status_code, document(answer).get("scimType")) == (status, scim_type)


@pytest.mark.parametrize("collection", ["/Users", "/Groups", ""])
def test_a_search_is_a_query_in_a_body(ask: Ask, collection: str) -> None:
    """RFC 7644, section 3.4.3: the same answer either way."""
    searched = ask(
        f"/scim/v2{collection}/.search",
        "POST",
        json={"startIndex": 2, "Count": 2, "attributes": ["displayName", "members.value"], "sortOrder": "Ascending"},
    )

    assert document(searched) == document(
        ask(f"/scim/v2{collection}?startIndex=2&count=2&attributes=displayName,members.value")
    )


def test_an_order_reaches_the_store(ask: Ask, reader: FakeReader) -> None:
    """RFC 7644, section 3.4.2.3: what cannot be sorted by is left to its own order, among both kinds."""
    ask(f"{USERS}?sortBy=emails&sortOrder=descending&count=1")
    ask("/scim/v2?sortBy=userName&count=1")

    assert [(sort and str(sort.path), bool(sort and sort.descending)) for sort in reader.sorts] == [
        ("emails.value", True),
        ("userName", False),
        (None, False),
    ]


@pytest.mark.parametrize("data", [b"", b" "])
def test_a_search_without_a_body_asks_for_everything(ask: Ask, data: bytes) -> None:
    """RFC 7644, section 3.4.3: SCIM-SDK sends nothing where it restricts nothing."""
    assert document(ask(f"{GROUPS}/.search", "POST", data=data))["totalResults"] > 0
