"""P28: names from the directory never become markup, an attribute or an address, on any page."""

from pathlib import Path

import pytest

from connector.directory.runs import Cause, RunKind, RunOutcome
from connector.store.aws_verification import record_verification
from connector.store.clients import Clients
from connector.store.migrations import open_database
from connector.store.runs.run import begin
from tests.store.population import Directory, person, publish_directory, team
from tests.web.console.conftest import Elements, make_console

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</title></textarea></style></script><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- --><a href=//evil.example>x</a>",
    "//evil.example/\\..",
    "&lt;b&gt;&#60;b&#62;",
    "n" * 300,
)
PLAIN = tuple(f"plain-{number}" for number in range(len(HOSTILE)))
PAGES = (
    "",
    "/users",
    "/users?filter=userName pr",
    "/users/h00",
    "/users/h01",
    "/groups",
    "/groups/g00",
    "/groups/g04",
    "/runs",
    "/runs/3",
    "/runs/3/rejects",
    "/runs/2/changes",
    "/generations?from=1&to=2",
    "/importers",
    "/audit",
    "/aws",
    "/rotation",
    "/sessions",
)
ASKED = ("/users?q={}", "/groups?q={}", "/missing?q={}", "/audit?who={}", "/runs/2/changes?q={}", "/users?filter={}")


def pages_of(path: Path, names: tuple[str, ...]) -> dict[str, Elements]:
    """Return every page of a console in which whatever comes from outside is called by one of these names."""
    database = open_database(f"sqlite:///{path}")
    folk = [
        person(
            f"h{number:02}",
            name,
            names=(f"{number}{name}", name, f"h{number:02}"),
            email=f"{name}@x.example",
            title=name,
            enterprise={"department": name},
            custom_attributes={"custom:x": name},
        )
        for number, name in enumerate(names)
    ]
    teams = [team(f"g{number:02}", f"{number}{name}") for number, name in enumerate(names)]
    ids = [one.id for one in folk]
    publish_directory(database, Directory(folk, teams, {one.id: ids for one in teams}))
    publish_directory(database, Directory(folk[:-1], teams, {one.id: ids[:-1] for one in teams}))
    with begin(database, RunKind.SYNC, cause=Cause.COMMAND) as run:
        told = {
            "cause": names[0],
            "remedy": names[1],
            "rejects": [{"kind": "user", "source": name, "reason": name} for name in names],
            "rejected": len(names),
            "renamed": [{"id": "h00", "wanted": name, "served": name} for name in names],
            "notes": dict.fromkeys(names, 1),
            "hint": names[4],
        }
        run.end(RunOutcome.FAILED, told)
    findings = [{"name": name, "severity": "error", "detail": name, "remedy": name} for name in names]
    record_verification(database, names[0], findings)
    for name in names:
        Clients(database).create(name)
    browser = make_console(database).signed_in()
    asked = [pattern.format(name.replace("&", "%26").replace("#", "%23")) for pattern in ASKED for name in names[:6]]
    answers = {path: browser.get(f"/console{path}") for path in (*PAGES, *asked)}
    database.close()
    assert {answer.status_code for answer in answers.values()} <= {200, 400}
    return {
        path: Elements(answer.text)
        for path, answer in zip((*PAGES, *(f"asked {n}" for n in range(len(asked)))), answers.values(), strict=True)
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Elements]:
    """The pages with hostile names."""
    return pages_of(tmp_path_factory.mktemp("hostile") / "store.db", HOSTILE)


def test_hostile_names_make_the_same_elements_as_plain_ones(hostile: dict[str, Elements], tmp_path: Path):
    """P28: page by page, the same elements with the same attributes in the same order, whatever people are called."""
    plain = pages_of(tmp_path / "store.db", PLAIN)

    for path in PAGES:
        assert sorted(set(hostile[path].shape())) == sorted(set(plain[path].shape())), path


def test_no_address_on_any_page_leaves_the_console(hostile: dict[str, Elements]):
    """P28: no link, form or picture has an address that a name chose, and nothing handles an event."""
    for path, elements in hostile.items():
        for tag, attributes in elements.found:
            for name in ("href", "src", "action", "hx-get"):
                address = attributes.get(name)
                assert address is None or address.startswith(("/console", "#")), (path, tag, address)
            assert not any(name.startswith("on") or name == "style" for name in attributes), (path, tag)
