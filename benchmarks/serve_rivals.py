"""The rivals of `serve`, behind the very server it has; each says where it listens and serves until terminated.

    python -m benchmarks.serve_rivals bare|scim2-server FILE

`bare` joins 100 stored rows of a SQLite file and does nothing else: no authentication, no query, no tags.
`scim2-server` keeps the users of a JSON file in its in-memory storage.
"""

import json
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

from scim2_models import EnterpriseUser, Resource, User
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider

from connector.config.settings import Server
from connector.server import address, server

_OPENING = '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"Resources":['
_COGNITO = "urn:ietf:params:scim:schemas:extension:cognito"


class Bare:
    """Joins stored rows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer with the page that begins at `startIndex`."""
        start = int(parse_qs(environ["QUERY_STRING"])["startIndex"][0])
        rows = self._connection().execute("SELECT body FROM bodies WHERE position >= ? LIMIT 100", (start,))
        body = f"{_OPENING}{','.join(body for (body,) in rows)}]}}".encode()
        headers = [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._file)
        return cast("sqlite3.Connection", self._local.connection)


def in_memory(file: Path) -> WSGIApplication:
    """Return scim2-server's own application, which holds the users of a file, without the Cognito extension."""
    storage = InMemoryStorage()
    users: list[Resource[Any]] = []
    for document in json.loads(file.read_text()):
        kept = {name: value for name, value in document.items() if not name.startswith(_COGNITO)}
        kept["schemas"] = [name for name in document["schemas"] if not name.startswith(_COGNITO)]
        users.append(User[EnterpriseUser].model_validate(kept))
    storage.resources = users
    return WSGIApplication(storage, load_default_provider())


def do_nothing(_is_wanted: Callable[[], bool]) -> Callable[[], None]:
    """Do nothing beside serving."""
    return lambda: None


def main(name: str, file: str) -> None:
    """Serve one of them on a free port of the loopback address."""
    make: Callable[[Path], Any] = {"bare": Bare, "scim2-server": in_memory}[name]
    shipped = {key: getattr(Server(), key) for key in address.Exposure.__slots__}
    exposure = address.Exposure(**shipped | {"host": "127.0.0.1", "port": 0})
    listener = address.listen(exposure)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{'/v2' if name == 'scim2-server' else ''}"
    server.serve(lambda: make(Path(file)), do_nothing, listener, exposure, lambda: print(url, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
