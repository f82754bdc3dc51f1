"""A refused plan: who is concerned, found and downloaded; approved as it was shown, and once (P02, P03)."""

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.directory.safeguard import Limit
from connector.store.migrations import open_database
from tests.fakes.population import a_user, people
from tests.fakes.simulated_pool import SimulatedPool
from tests.sync.syncing import Connector
from tests.web.console.conftest import Browser, Console, make_console

FORMULA = "=cmd|'/c calc'!A1"
REMOVED = 12
RUN = "/console/runs/2"


@pytest.fixture(scope="module")
def refused_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store in which a plan that removes twelve people, one named as a formula, was refused."""
    path = tmp_path_factory.mktemp("refused") / "store.db"
    database = open_database(f"sqlite:///{path}")
    with SimulatedPool([*people(30), a_user("f", name=FORMULA, preferred_username=FORMULA)], {"staff": ["p1"]}) as pool:
        connector = Connector(pool, database)
        connector.sync()
        for name in [f"p{number}" for number in range(REMOVED - 1)] + ["f"]:
            pool.directory.remove_user(name)
        assert connector.limited(max_removed_users=Limit(1)).sync().outcome == "refused"
    database.close()
    return path


@pytest.fixture
def refusing(refused_store: Path, tmp_path: Path) -> Iterator[Console]:
    """A console over a copy of it."""
    shutil.copy(refused_store, tmp_path / "copy.db")
    database = open_database(f"sqlite:///{tmp_path}/copy.db")
    yield make_console(database)
    database.close()


@pytest.fixture
def operator(refusing: Console) -> Browser:
    """The browser of an operator who is signed in."""
    return refusing.signed_in()


def test_a_refused_plan_is_the_state_of_the_connector(operator: Browser):
    """P02: the first page says that a plan waits, why, and where to decide."""
    page = operator.get("/console").text

    assert "A refused plan waits" in page
    assert "max_removed_users" in page
    assert f'href="{RUN}"' in page


def test_counts_of_a_run_lead_to_as_many_rows(operator: Browser):
    """Every count of a plan is a link to its rows, and there are as many."""
    page = operator.get(RUN).text
    links = re.findall(r'href="(/console/runs/2/changes\?[^"]+)">([\d,]+)<', page)

    assert links
    for link, count in links:
        rows = operator.get(link.replace("&amp;", "&")).text.count('<th scope="row"')
        assert rows == int(count), link


def test_one_person_is_found_among_those_concerned(operator: Browser):
    """P02: whoever asks about one person finds them, with what would become of them."""
    page = operator.get(f"{RUN}/changes?q=p7&change=removed").text

    assert page.count('<th scope="row"') == 1
    assert "Removed" in page
    assert "Nothing of the kind" in operator.get(f"{RUN}/changes?q=p29&change=removed").text


def test_a_download_is_the_whole_list_and_no_formula(operator: Browser):
    """P02: the file has every row of the list, none of its cells is a formula, and its values can be read back."""
    answer = operator.get(f"{RUN}/changes.csv?kind=users&change=removed")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    exact = [
        json.loads(line) for line in operator.get(f"{RUN}/changes.json?kind=users&change=removed").text.splitlines()
    ]

    assert answer.headers["Content-Disposition"] == 'attachment; filename="changes-run-2.csv"'
    assert len(rows) == len(exact) == REMOVED
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert sorted(row["id"] for row in rows) == sorted(one["id"] for one in exact)
    assert FORMULA in json.dumps([one["was"] for one in exact])
    assert [json.loads(row["was"]) for row in rows] == [one["was"] for one in exact]


def test_an_approval_names_the_number_of_removals(refusing: Console, operator: Browser):
    """P03: where many go, whoever approves types how many; another number approves nothing, and both are shown."""
    page = operator.get(RUN).text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest

    wrong = operator.send(f"{RUN}/approve", {"digest": digest[1], "removals": "11"})
    right = operator.send(f"{RUN}/approve", {"digest": digest[1], "removals": "12"})

    assert wrong.status_code == 409
    assert "removes 12; you typed 11" in wrong.text
    assert right.headers["Location"] == "/console/runs/3"
    approval = refusing.services.runs.find(3).as_json()
    assert (approval["kind"], approval["cause"], approval["asked_by"]) == ("sync", "console", "ops")


def test_two_approvals_make_one_run(refusing: Console, operator: Browser):
    """P03: the second operator arrives at the approval of the first."""
    page = operator.get(RUN).text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest
    fields = {"digest": digest[1], "removals": "12"}
    other = refusing.signed_in("night")
    operator.send(f"{RUN}/approve", fields)

    answer = other.send(f"{RUN}/approve", fields)

    assert answer.headers["Location"] == "/console/runs/3?note=already"


def test_a_plan_is_discarded_for_a_reason_that_the_history_keeps(refusing: Console, operator: Browser):
    """P03: a plan that was discarded cannot be approved any more; its page says by whom and why."""
    page = operator.get(RUN).text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest
    assert operator.send(f"{RUN}/discard", {"reason": " "}).status_code == 400

    after = operator.submit(f"{RUN}/discard", reason="Wrong export").text

    assert "discarded by" in after
    assert "Wrong export" in after
    assert "Approve exactly" not in after
    operator.get("/console")
    assert operator.send(f"{RUN}/approve", {"digest": digest[1], "removals": "12"}).status_code == 409
    assert "A refused plan waits" not in operator.get("/console").text
    assert refusing.services.runs.find(2).as_json()["result"]["discarded"]["by"] == "ops"


def test_another_digest_is_refused(operator: Browser):
    """P03: a plan that does not wait cannot be approved."""
    operator.get(RUN)

    answer = operator.send(f"{RUN}/approve", {"digest": "0" * 64, "removals": "12"})

    assert answer.status_code == 409
    assert "waits for approval" in answer.text


def test_generations_are_compared(operator: Browser):
    """What changed between two kept generations is a list like any other; one that is not kept says so."""
    assert operator.get("/console/generations").status_code == 200
    assert operator.get("/console/generations?from=1&to=9").status_code == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [("p20", "p20</bdi></a> is served"), ("nobody-at-all", "Nobody like"), ("", "Why is this person not there?")],
)
def test_why_not_says_what_it_found(operator: Browser, text: str, expected: str):
    """Whoever is served is found; of whom nothing is known, the page says what is left to look at."""
    assert expected in operator.get(f"/console/missing?q={text}").text


def test_why_not_finds_who_was_removed(refusing: Console, operator: Browser):
    """Who is gone is named with the time at which they went."""
    with SimulatedPool(people(29), {"staff": ["p1"]}) as pool:
        Connector(pool, refusing.database).sync()

    page = operator.get("/console/missing?q=p29").text

    assert "was removed" in page


def test_a_credential_is_shown_once(refusing: Console, operator: Browser):
    """P29: the answer to the form shows it, no address does, and who loads the page again sees none."""
    operator.get("/console/importers/oci")

    made = operator.send("/console/importers/oci", {"name": "oci-1", "grant": "bearer", "lifetime": "90"})
    token = re.search(r"ccs_[\w-]{40,}", made.text)

    assert token
    assert made.headers["Cache-Control"] == "no-store"
    assert token[0] not in operator.get("/console/importers").text + operator.get("/console/importers/oci").text
    importer = refusing.services.clients.authenticate(token[0])
    assert importer
    assert (importer.name, importer.role) == ("oci-1", "importer")
    again = operator.send("/console/importers/oci", {"name": "oci-1", "grant": "bearer", "lifetime": ""})
    assert again.status_code == 409


@pytest.mark.parametrize("importer", ["oci", "okta", "sailpoint", "midpoint", "generic"])
def test_every_importer_has_its_form(operator: Browser, importer: str):
    """The form of each importer is filled in with our addresses, for each way in which it can sign in."""
    page = operator.get(f"/console/importers/{importer}").text

    assert "scim.example.com" in page
    assert "Make the credential" in page


def test_an_importer_is_revoked_by_a_button_and_an_operator_is_not(refusing: Console, operator: Browser):
    """P29: a button shuts an importer out; the page of importers has no power over operators."""
    operator.get("/console/importers")

    assert operator.send("/console/importers/revoke", {"name": "night"}).status_code == 404
    operator.submit("/console/importers/revoke", name="importer")

    assert refusing.services.clients.authenticate(refusing.tokens["importer"]) is None
