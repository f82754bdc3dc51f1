"""The endpoint over a real store, as a SCIM client in this process reaches it."""

from scim2_client.engines.wsgi import WSGISCIMClient

from connector.scim.evaluate import Evaluator
from connector.store.audit import AuditTrail
from connector.store.changes.changes_reader import ChangesReader
from connector.store.clients import Clients
from connector.store.reading.pins import Pins
from connector.store.reading.reader import DirectoryReader
from connector.store.runs.figures import Measures
from connector.store.runs.queue import Runs
from connector.store.sql.database import Database
from connector.web.app import create_app
from connector.web.services import Services

BASE_URL = "https://scim.example.com"
SCIM_URL = f"{BASE_URL}/scim/v2"


def connect(database: Database) -> WSGISCIMClient:
    """Return a client that has a token and knows nothing else about the endpoint."""
    clients = Clients(database)
    reader = DirectoryReader(database, Evaluator(SCIM_URL))
    pins, measures = Pins(database, timeout=3600), Measures(database, walk_timeout=3600)
    parts = (reader, pins, clients, Runs(database), ChangesReader(database), measures, AuditTrail(database))
    app = create_app(Services(*parts, BASE_URL, 1000, lending=database.lending))
    token = clients.create("reference").token
    return WSGISCIMClient(app.wsgi_app, SCIM_URL, {"Authorization": f"Bearer {token}"})
