"""The console over a store on SQLite, and an operator's browser without JavaScript."""

import html
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.directory.schedule import Schedules, parse_schedule
from connector.scim.evaluate import Evaluator
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import ClientRole, Clients
from connector.store.imports import Imports
from connector.store.migrations import open_database
from connector.store.reading.lookup import Lookup
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.store.runs.rotated_accounts import RotatedAccounts
from connector.store.sessions import Sessions
from connector.store.sql.database import Database
from connector.web.app import create_app
from connector.web.console.parts import ConsoleParts, Setting
from connector.web.services import Services
from tests.store.population import Directory, people, publish_directory, team

BASE_URL = "https://scim.example.com"
OPERATOR, OTHER = "ops", "night"
SETTINGS = (
    Setting("cognito.user_pool_id", '"eu-west-1_A"', "config.yaml, line 3", "Id of the user pool."),
    Setting("aws.secret_access_key", "set", "COGNITO_SCIM_AWS__SECRET_ACCESS_KEY", "Secret of the service user."),
)


def parts_of(database: Database, **more: Any) -> ConsoleParts:
    """Return what the console uses of a store."""
    return ConsoleParts(
        sessions=Sessions(database),
        clients=Clients(database),
        runs=Runs(database),
        changes=ChangesReader(database),
        lookup=Lookup(database),
        imports=Imports(database),
        accounts=RotatedAccounts(database),
        schedules=Schedules(parse_schedule("every 6h"), None),
        audit=AuditTrail(database),
        settings=SETTINGS,
        pool_id="eu-west-1_A",
        sources={"email": '"email"', "fallbacks.email": '"{id}@no-email.example.com"', "user_name": '"auto"'},
        **more,
    )


def services_of(database: Database, base_url: str = BASE_URL, **more: Any) -> Services:
    """Return what the application uses of a store."""
    return Services(
        reader=DirectoryReader(database, Evaluator(f"{base_url}/scim/v2")),
        pins=Pins(database, timeout=3600),
        clients=Clients(database),
        runs=Runs(database),
        measures=Measures(database, walk_timeout=3600),
        changes=ChangesReader(database),
        audit=AuditTrail(database),
        public_base_url=base_url,
        max_results=1000,
        lending=database.lending,
        console=parts_of(database),
        **more,
    )


@dataclass
class Browser:
    """A browser without JavaScript: keeps cookies, follows redirects, and sends forms from the pages that hold them."""

    http: FlaskClient
    base_url: str = BASE_URL
    page: TestResponse | None = None
    visited: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page, and follow where it leads."""
        answer = self.http.get(path, base_url=self.base_url, headers=headers)
        self.visited.append(path)
        while answer.status_code == 303:
            self.visited.append(answer.headers["Location"])
            answer = self.http.get(answer.headers["Location"], base_url=self.base_url, headers=headers)
        self.page = answer
        return answer

    def send(self, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
        """Send a form, with the token of the page that is open; answer without following."""
        assert self.page
        sent = {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin", **headers}
        data = {"form_token": form_token(self.page), **fields}
        return self.http.post(path, base_url=self.base_url, data=data, headers=sent)

    def submit(self, path: str, **fields: str) -> TestResponse:
        """Send a form and open the page that it leads to."""
        answer = self.send(path, fields)
        return self.get(answer.headers["Location"]) if answer.status_code == 303 else answer

    def sign_in(self, name: str, token: str) -> TestResponse:
        """Sign in as an operator."""
        self.get("/console/sign-in")
        return self.submit("/console/sign-in", name=name, token=token)


def form_token(page: TestResponse) -> str:
    """Return the token of the forms of a page."""
    found = re.search(r'name="form_token" value="([^"]*)"', page.text)
    return html.unescape(found[1]) if found else ""


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.found.append((tag, dict(attrs)))

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the names of the elements and of their attributes."""
        return [(tag, tuple(sorted(attributes))) for tag, attributes in self.found]


@dataclass
class Console:
    """A console, its store, and the credentials that there are."""

    database: Database
    services: Services
    tokens: dict[str, str]
    browser: Callable[[], Browser]

    def signed_in(self, name: str = OPERATOR) -> Browser:
        """Return the browser of an operator who is signed in."""
        browser = self.browser()
        assert browser.sign_in(name, self.tokens[name]).status_code == 200
        return browser


def make_console(database: Database, **more: Any) -> Console:
    """Return a console over a store, with two operators and an importer."""
    clients = Clients(database)
    tokens = {name: clients.create(name, role=ClientRole.OPERATOR).token for name in (OPERATOR, OTHER)}
    tokens["importer"] = clients.create("importer").token
    services = services_of(database, **more)
    app = create_app(services)
    base_url = services.public_base_url
    return Console(database, services, tokens, lambda: Browser(app.test_client(), base_url))


@pytest.fixture
def console_store(tmp_path: Path) -> Iterator[Database]:
    """An empty store."""
    database = open_database(f"sqlite:///{tmp_path}/console.db")
    yield database
    database.close()


@pytest.fixture(scope="session")
def published_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with 120 people, all of whom are in one of two groups, two operators and an importer."""
    path = tmp_path_factory.mktemp("published") / "console.db"
    database = open_database(f"sqlite:///{path}")
    everybody = people(120)
    directory = Directory(everybody, [team("g1", "Staff"), team("g2", "Nobody")], {"g1": [one.id for one in everybody]})
    publish_directory(database, directory)
    database.close()
    return path


@pytest.fixture
def console(published_store: Path, tmp_path: Path) -> Iterator[Console]:
    """A console over a copy of that store."""
    shutil.copy(published_store, tmp_path / "copy.db")
    database = open_database(f"sqlite:///{tmp_path}/copy.db")
    yield make_console(database)
    database.close()


@pytest.fixture
def operator(console: Console) -> Browser:
    """The browser of an operator who is signed in."""
    return console.signed_in()
