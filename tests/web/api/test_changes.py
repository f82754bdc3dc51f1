"""`/api/v1/runs/{id}/changes` and `…/discard`, over a real store: who would change, and that it never will."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.changes.changes_reader import ChangesReader
from connector.store.migrations import open_database
from connector.store.runs.queue import Runs
from connector.store.sql.database import Database
from connector.web.app import create_app
from tests.store.changes.test_changes_reader import AFTER, BEFORE, refused
from tests.store.population import publish_directory
from tests.web.conftest import BASE_URL, MAX_RESULTS, document
from tests.web.described import DescribedClient
from tests.web.fakes import OPERATOR_TOKEN, FakeClients, sample_reader, services_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """A store in which run 1 published, and run 2 was refused."""
    database = open_database(f"sqlite:///{tmp_path}/store.db")
    publish_directory(database, BEFORE)
    with refused(database, AFTER):
        pass
    yield database
    database.close()


@pytest.fixture
def api(store: Database) -> DescribedClient:
    """An operator."""
    parts = {"runs": Runs(store), "changes": ChangesReader(store)}
    app = create_app(services_of(sample_reader(), FakeClients(), BASE_URL, MAX_RESULTS, **parts))
    return DescribedClient(app, f"Bearer {OPERATOR_TOKEN}")


def test_changes_come_in_pages_that_name_the_next(api: DescribedClient) -> None:
    """The contract: every change once, in the shape of the command's JSON, the last page naming no next."""
    found, address = [], "/runs/2/changes?count=4"
    while address:
        answer = document(api.get(address))
        found += answer["changes"]
        address = answer["next"] and answer["next"].removeprefix(f"{BASE_URL}/api/v1")

    assert len(found) == 17
    assert found[0]["was"]["userName"] == "ann"
    assert found[-1].keys() == {"kind", "group", "user", "change", "was", "now"}


def test_changes_can_be_asked_for_by_kind_what_became_of_them_and_text(api: DescribedClient) -> None:
    """The contract: as the command's options; what was asked for goes on over the pages."""
    answer = document(api.get("/runs/2/changes", query_string={"change": "updated", "filter": "E", "count": 1}))

    assert "change=updated&filter=E&count=1&after=users%2F" in answer["next"]
    answer = document(api.get("/runs/2/changes", query_string={"kind": "groups", "change": "removed"}))
    assert [change["name"] for change in answer["changes"]] == ["former"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=roles", "kind"),
        ("change=renamed2", "change"),
        ("count=0", "count"),
        ("count=1001", "count"),
        ("after=users", "after"),
        ("after=memberships/a", "after"),
        (f"filter={'x' * 501}", "filter"),
        ("page=2", "page"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(api: DescribedClient, query: str, field: str) -> None:
    """The contract: a mistyped question is never answered with everything."""
    answer = api.get(f"/runs/2/changes?{query}")

    assert (answer.status_code, document(answer)["field"]) == (400, field)


def test_a_run_without_changes_to_show_says_why(api: DescribedClient, store: Database) -> None:
    """The contract: 404 for a run that is not there, 409 for one that has no list yet."""
    queued = Runs(store).request("check", cause="api")  # type: ignore[arg-type]

    assert api.get("/runs/99/changes").status_code == 404
    assert "is a check" in document(api.get(f"/runs/{queued.id}/changes"))["detail"]


def test_a_refused_plan_is_discarded_with_a_reason(api: DescribedClient) -> None:
    """P03: once; who comes second is told who was first; nobody can approve it any more."""
    digest = document(api.get("/runs/2"))["result"]["digest"]
    first = api.post("/runs/2/discard", json={"reason": "the export was broken"})
    second = api.post("/runs/2/discard", json={"reason": "me too"})
    approved = api.post("/runs", json={"kind": "sync", "approve": digest[:12].upper()})

    told = document(first)["result"]["discarded"]
    assert (first.status_code, told["by"], told["reason"]) == (200, "ops", "the export was broken")
    assert (second.status_code, "discarded by ops" in document(second)["detail"]) == (409, True)
    assert approved.status_code == 409


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 1}, {"reason": "x" * 1001}])
def test_a_plan_is_discarded_for_a_reason_only(api: DescribedClient, body: dict[str, object]) -> None:
    """The contract: the history says why."""
    answer = api.post("/runs/2/discard", json=body)

    assert (answer.status_code, document(answer)["field"]) == (400, "reason")


def test_only_a_refused_plan_can_be_discarded(api: DescribedClient) -> None:
    """P03: what was published stays so."""
    assert api.post("/runs/1/discard", json={"reason": "why not"}).status_code == 409
    assert api.post("/runs/99/discard", json={"reason": "why not"}).status_code == 404
