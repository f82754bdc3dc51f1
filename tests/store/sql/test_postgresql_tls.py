"""Who may listen on the way to PostgreSQL: nobody, unless the URL allows it."""

from contextlib import closing

import pytest
from sqlalchemy import make_url

from connector.errors import StoreError
from connector.store.migrations import open_database
from connector.store.sql.postgresql import is_verified_by_default, make_postgresql


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("postgresql://db.example/scim", True),
        ("postgresql://192.0.2.1/scim", True),
        ("postgresql://localhost.example/scim", True),
        ("postgresql://u:p@/scim?host=db.example", True),
        ("postgresql://u@/scim?host=127.0.0.1:5432&host=db.example:5432", True),
        ("postgresql://127.1/scim", True),
        ("postgresql://db.example/scim?sslmode=disable", False),
        ("postgresql://db.example/scim?sslmode=require", False),
        ("postgresql://localhost/scim", False),
        ("postgresql://127.0.0.1:5433/scim", False),
        ("postgresql://[::1]/scim", False),
        ("postgresql:///scim", False),
        ("postgresql://u@/scim?host=/run/postgresql", False),
        ("postgresql://u@/scim?host=localhost:5432", False),
    ],
)
def test_tls_to_another_machine_is_verified_unless_the_url_says_otherwise(url: str, *, verified: bool) -> None:
    """P39: the default trusts no network; what the URL says is done."""
    assert is_verified_by_default(make_url(url)) == verified


def test_what_the_url_leaves_out_reaches_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """P39: certificates are checked against what this machine trusts; the URL that errors name stays as it was."""
    engine = make_postgresql(make_url("postgresql://u@db.example/scim"), 1)
    asked = []
    monkeypatch.setattr(engine.dialect, "connect", lambda *_, **given: asked.append(given))
    with pytest.raises(AttributeError):
        engine.raw_connection()

    assert {name: asked[0][name] for name in ("host", "sslmode", "sslrootcert")} == {
        "host": "db.example",
        "sslmode": "verify-full",
        "sslrootcert": "system",
    }
    assert dict(engine.url.query) == {}


def test_a_server_without_tls_is_refused_and_the_way_out_told(postgresql_url: str) -> None:
    """P39: nothing is sent to it; `127.1` is this machine under a name that nobody lists."""
    elsewhere = make_url(postgresql_url).set(host="127.1")
    with pytest.raises(StoreError, match="SSL") as caught:
        open_database(elsewhere.render_as_string())

    assert "?sslmode=require" in caught.value.remedy
    allowed = elsewhere.update_query_dict({"sslmode": "disable"})
    with pytest.raises(StoreError, match="db migrate"), closing(open_database(allowed.render_as_string())):
        pass
