"""Walks by index and by cursor over the endpoint, while the directory changes under them."""

import pytest
from sqlalchemy import event, text

from connector.scim.evaluate import Evaluator
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.store.publishing.cleanup import Retention, collect
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.web.app import create_app
from connector.web.services import Services
from tests.store.population import Directory, people, publish_directory, team

BASE = "https://scim.example.com"


@pytest.fixture
def store(tmp_path):
    """A store with a first generation of five people."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    publish_directory(database, Directory(people(5), [team("g1")], {"g1": ["u00001", "u00005"]}))
    yield database
    database.close()


@pytest.fixture
def get(store):
    """Ask as an importer, each time another replica."""
    token = Clients(store).create("idp").token

    def ask(path, *, headers=None, address="127.0.0.1", **query):
        reader, pins = DirectoryReader(store, Evaluator(f"{BASE}/scim/v2")), Pins(store, timeout=3600)
        measures = Measures(store, walk_timeout=3600)
        parts = (reader, pins, Clients(store), Runs(store), ChangesReader(store), measures, AuditTrail(store))
        services = Services(*parts, BASE, 1000, lending=store.lending)
        http = create_app(services).test_client()
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        return http.get(f"/scim/v2{path}", query_string=query, headers=sent, environ_base={"REMOTE_ADDR": address})

    return ask


def ids(answer):
    """Return the ids of a page."""
    return [row["id"] for row in answer.get_json()["Resources"]]


def test_a_walk_by_index_ends_in_the_generation_it_began_with(store, get):
    """P14: on any replica, and groups name only the users that were shown."""
    first = get("/Users", startIndex=1, count=2)
    publish_directory(store, Directory(people(3), [team("g1")], {"g1": ["u00001"]}))

    rest = [get("/Users", startIndex=start, count=2) for start in (3, 5)]
    groups = get("/Groups", startIndex=1, count=10).get_json()

    assert [one for answer in (first, *rest) for one in ids(answer)] == [one.id for one in people(5)]
    assert [member["value"] for member in groups["Resources"][0]["members"]] == ["u00001", "u00005"]
    assert get("/Users", startIndex=1, count=2).get_json()["totalResults"] == 3


def test_a_cached_first_page_pins_its_walk_too(store, get):
    """P14: a 304 is an answer like any other."""
    tag = get("/Users", startIndex=1, count=2).headers["ETag"]
    assert tag
    publish_directory(store, Directory(people(3)))

    assert ids(get("/Users", startIndex=3, count=2)) == ["u00003", "u00004"]


def test_a_walk_by_cursor_ends_in_the_generation_it_began_with(store, get):
    """RFC 9865, section 2: nextCursor on all pages but the last, and no startIndex."""
    pages = [get("/Users", cursor="", count=2).get_json()]
    publish_directory(store, Directory(people(1)))
    while cursor := pages[-1].get("nextCursor"):
        pages.append(get("/Users", cursor=cursor, count=2).get_json())

    assert [row["id"] for page in pages for row in page["Resources"]] == [one.id for one in people(5)]
    assert [(page["totalResults"], page["itemsPerPage"], "startIndex" in page) for page in pages] == [
        (5, 2, False),
        (5, 2, False),
        (5, 1, False),
    ]


def test_a_page_without_rows_keeps_its_cursor(get):
    """RFC 9865, section 2: more rows are waiting, so the walk goes on where it is."""
    cursor = get("/Users", cursor="", count=0).get_json()["nextCursor"]
    again = get("/Users", cursor=cursor, count=0).get_json()["nextCursor"]

    assert len(ids(get("/Users", cursor=again, count=9))) == 5


def test_a_cursor_is_sent_only_to_who_asked_for_one(get):
    """RFC 9865: some clients change to cursors as soon as they see one."""
    assert "nextCursor" not in get("/Users", count=2).get_json()


@pytest.mark.parametrize("cursor", ["x", "MS4xLmFi", "\u00e4", "a" * 500, "MTA.", "..", "%00"])
def test_a_made_up_cursor_is_refused(get, cursor):
    """RFC 9865, section 2.1: invalidCursor."""
    answer = get("/Users", cursor=cursor)

    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidCursor")


def test_a_cursor_belongs_to_its_query(get):
    """RFC 9865, section 2: a cursor is used with the query it came from."""
    cursor = get("/Users", cursor="", count=2).get_json()["nextCursor"]

    assert get("/Users", cursor=cursor, count=2, filter="active eq true").get_json()["scimType"] == "invalidCursor"
    assert get("/Groups", cursor=cursor, count=2).get_json()["scimType"] == "invalidCursor"


def test_a_cursor_of_a_collected_generation_has_expired(store, get):
    """RFC 9865, section 2.1: expiredCursor."""
    cursor = get("/Users", cursor="", count=2).get_json()["nextCursor"]
    publish_directory(store, Directory(people(3)))
    collect(store, Retention(walks=0.0, past=0.0))

    answer = get("/Users", cursor=cursor, count=2)

    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "expiredCursor")


def test_a_walk_whose_generation_is_gone_begins_again(store, get):
    """P14: a clear 400, never a mixture."""
    get("/Users", startIndex=1, count=2)
    publish_directory(store, Directory(people(3)))
    reader = DirectoryReader(store)
    with store.writing() as connection:
        connection.execute(text("UPDATE generations SET published_at = '2026-01-01T00:00:00.000Z'"))
    collect(store, Retention(walks=0.0, past=3600.0))
    assert reader.generation(1) is None

    late = get("/Users", startIndex=3, count=2)
    assert (late.status_code, late.get_json()["scimType"]) == (400, "invalidValue")
    assert get("/Users", startIndex=1, count=2).get_json()["totalResults"] == 3


@pytest.mark.parametrize("probe", [{"count": 0}, {"count": 1}, {"filter": 'id eq "u00005"'}, {}])
def test_an_importer_that_probes_first_reads_everybody(store, get, probe):
    """P14: a total that was learned while an older generation was served is not learned again."""
    for number in (5, 6, 3):
        publish_directory(store, Directory(people(number)))
        get("/Users", **probe)

        total = get("/Users", count=1).get_json()["totalResults"]
        assert sorted(ids(get("/Users", startIndex=1, count=total))) == [one.id for one in people(number)]


def test_a_request_for_no_rows_counts_as_no_page(store, get):
    """P14: `count=0` reads the newest total, wherever it begins, and leaves the walk where it was."""
    get("/Users", count=2)
    publish_directory(store, Directory(people(9)))

    assert [get("/Users", count=0, startIndex=start).get_json()["totalResults"] for start in (1, 3)] == [9, 9]
    assert ids(get("/Users", startIndex=3, count=2)) == ["u00003", "u00004"]


def test_a_conditional_first_page_notices_every_publish(store, get):
    """P14: 304 only while the answer that would be given is the one that the tag names."""
    for number in (6, 7, 8):
        tag = get("/Users", count=2).headers["ETag"]
        assert get("/Users", headers={"If-None-Match": tag}, count=2).status_code == 304
        publish_directory(store, Directory(people(number)))

        answer = get("/Users", headers={"If-None-Match": tag}, count=2)
        assert (answer.status_code, answer.get_json()["totalResults"]) == (200, number)


def test_a_walk_read_from_two_addresses_is_a_warning(get, caplog):
    """P14: one credential is one importer, and the log says whose is two."""
    get("/Users", count=2)
    for start in (3, 5):
        get("/Users", startIndex=start, count=2, address="192.0.2.7")

    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [("'idp'" in line, "192.0.2.7" in line, "127.0.0.1" in line) for line in warned] == [(True, True, True)]


def test_a_page_takes_one_connection_for_all_it_reads(store, get):
    """P23: the token, the walk and the rows come through it, and it is given back."""
    moves = []
    event.listen(store.engine, "checkout", lambda *_: moves.append("taken"))
    event.listen(store.engine, "checkin", lambda *_: moves.append("given back"))
    get("/Users", startIndex=2, count=2)
    moves.clear()

    assert get("/Users", startIndex=2, count=2).status_code == 200
    assert moves == ["taken", "given back"]
