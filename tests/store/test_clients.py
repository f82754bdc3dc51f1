import dataclasses
import time

import pytest
from sqlalchemy import select, text

from connector.errors import ConfigError, NoSuchClient
from connector.store.client_secrets import new_secret
from connector.store.clients import MOST_TOKENS, ClientCredentials, Clients, Grant
from connector.store.sql.tables import access_tokens
from connector.store.sql.tables import clients as clients_table

ODD_TEXTS = ["", "ccs_", "cca_", "\ud800", "\xff", "x" * 100_000, "ccs_\0", "cca_\0"]
HOUR = 3600


def secrets_of(made: ClientCredentials) -> list[str]:
    """Return what must not be kept, without the prefixes."""
    return [secret[4:] for secret in (made.token, made.client_secret, made.password) if secret]


@pytest.mark.parametrize(
    ("grant", "parts"),
    [
        (Grant.BEARER, {"token": ("ccs_", 47)}),
        (Grant.BASIC, {"client_id": ("cci_", 26), "client_secret": ("cck_", 47)}),
        (Grant.CLIENT_CREDENTIALS, {"client_id": ("cci_", 26), "client_secret": ("cck_", 47)}),
        (
            Grant.PASSWORD,
            {
                "client_id": ("cci_", 26),
                "client_secret": ("cck_", 47),
                "username": ("ccu_", 26),
                "password": ("ccp_", 47),
            },
        ),
    ],
)
def test_a_client_gets_what_its_grant_needs(database, grant, parts):
    """P29: 256 random bits behind a prefix; letters, digits, - and _ only, because ConnId encodes nothing."""
    made = Clients(database).create("oci", grant=grant).parts()

    assert {name: (value[:4], len(value)) for name, value in made.items()} == parts
    assert all(value.isascii() and value.replace("-", "").replace("_", "").isalnum() for value in made.values())


def test_a_token_lets_its_client_in_until_it_is_revoked(open_store):
    """P29: revocation takes effect at once, in every process."""
    here, elsewhere = Clients(open_store()), Clients(open_store())
    assert not here.any()

    token = here.create("oci").token

    assert elsewhere.authenticate(token).name == "oci"
    here.revoke("oci")
    assert elsewhere.authenticate(token) is None
    assert [(client.name, client.revoked_at is None) for client in here.list()] == [("oci", False)]


def test_id_and_secret_let_their_client_in_until_it_is_revoked(open_store):
    """P29: likewise for every grant with a secret; the two belong together."""
    here, elsewhere = Clients(open_store()), Clients(open_store())
    made, other = (here.create(name, grant=Grant.BASIC) for name in ("oci", "okta"))

    assert elsewhere.verify(made.client_id, made.client_secret).name == "oci"
    assert elsewhere.verify(other.client_id, made.client_secret) is None
    assert elsewhere.verify(made.client_id, made.client_id) is None
    here.revoke("oci")
    assert elsewhere.verify(made.client_id, made.client_secret) is None


def test_each_secret_is_good_for_its_own_use_alone(database):
    """P28: a client secret is no bearer token, and a bearer token no client secret."""
    clients = Clients(database)
    bearer, basic = clients.create("a"), clients.create("b", grant=Grant.BASIC)

    assert clients.authenticate(basic.client_secret) is None
    assert clients.verify("", bearer.token) is None


def test_user_name_and_password_belong_to_one_client(database):
    """RFC 6749, section 4.3: a client that knows another's user is not let in by it."""
    clients = Clients(database)
    made, other = (clients.create(name, grant=Grant.PASSWORD) for name in ("oci", "okta"))
    without = clients.create("sap", grant=Grant.BASIC)
    oci, sap = clients.verify(made.client_id, made.client_secret), clients.verify(*list(without.parts().values()))

    assert clients.verify_user(oci, made.username, made.password)
    assert not clients.verify_user(oci, other.username, other.password)
    assert not clients.verify_user(oci, other.username, made.password)
    assert not clients.verify_user(oci, made.username, made.client_secret)
    assert not clients.verify_user(sap, "", "")


def test_an_access_token_is_good_on_every_replica_until_it_expires(open_store):
    """RFC 6749, section 5.1: on the database's clock, since replicas agree on no other."""
    here, elsewhere = Clients(open_store()), Clients(open_store())
    made = here.create("oci", grant=Grant.CLIENT_CREDENTIALS)
    client = here.verify(made.client_id, made.client_secret)

    token, expired = here.issue_token(client, seconds=HOUR), here.issue_token(client, seconds=0)

    assert (token[:4], len(token)) == ("cca_", 47)
    assert elsewhere.authenticate(token) == client
    assert elsewhere.authenticate(expired) is None


def test_revoking_a_client_ends_its_access_tokens_at_once(open_store):
    """P29: on every replica, and nobody else's."""
    here, elsewhere = Clients(open_store()), Clients(open_store())
    tokens = {}
    for name in ("oci", "okta"):
        made = here.create(name, grant=Grant.CLIENT_CREDENTIALS)
        tokens[name] = here.issue_token(here.verify(made.client_id, made.client_secret), seconds=HOUR)

    elsewhere.revoke("oci")

    assert here.authenticate(tokens["oci"]) is None
    assert here.authenticate(tokens["okta"]).name == "okta"


def test_a_client_is_let_in_until_it_expires(open_store):
    """P29: on the database's clock, in every process; with it go the access tokens it holds."""
    here, elsewhere = Clients(open_store()), Clients(open_store())
    living = here.create("oci", lifetime=90 * 24 * HOUR).token
    expired = here.create("okta", lifetime=0).token
    made = here.create("sap", grant=Grant.CLIENT_CREDENTIALS, lifetime=0.5)
    token = here.issue_token(here.verify(made.client_id, made.client_secret), seconds=HOUR)
    time.sleep(0.6)

    assert elsewhere.authenticate(living).expires_at == here.list()[0].expires_at > here.list()[0].created_at
    assert [elsewhere.authenticate(secret) for secret in (expired, token)] == [None, None]
    assert elsewhere.verify(made.client_id, made.client_secret) is None


def test_a_client_that_expired_lets_nobody_in(database):
    """P28: whoever starts to serve is told so."""
    clients = Clients(database)
    clients.create("oci", lifetime=0)

    assert not clients.any()


def test_expired_access_tokens_go_when_new_ones_come(database):
    """P23: the table holds what is good and little else."""
    clients = Clients(database)
    made = clients.create("oci", grant=Grant.CLIENT_CREDENTIALS)
    client = clients.verify(made.client_id, made.client_secret)
    for seconds in (HOUR, 0, -1, 0, HOUR):
        clients.issue_token(client, seconds=seconds)

    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM access_tokens")).scalar_one() == 2


def test_a_client_holds_a_bounded_number_of_access_tokens(database):
    """P23: an importer that fetches one for every request keeps its newest, and takes none from another."""
    clients = Clients(database)
    tokens = {}
    for name, number in (("other", 1), ("greedy", MOST_TOKENS + 5)):
        made = clients.create(name, grant=Grant.CLIENT_CREDENTIALS)
        client = clients.verify(made.client_id, made.client_secret)
        tokens[name] = [clients.issue_token(client, seconds=HOUR + later) for later in range(number)]

    living = [token for token in tokens["greedy"] if clients.authenticate(token)]
    assert living == tokens["greedy"][5:]
    assert clients.authenticate(tokens["other"][0]).name == "other"


@pytest.mark.parametrize("grant", Grant)
def test_only_digests_of_secrets_are_stored(database, grant):
    """P27, P29: who reads the database cannot call the endpoint, nor does a repr tell."""
    clients = Clients(database)
    made = clients.create("oci", grant=grant)
    token = clients.issue_token(clients.list()[0], seconds=HOUR)

    with database.reading() as connection:
        rows = [connection.execute(select(table)).all() for table in (clients_table, access_tokens)]
    for secret in (*secrets_of(made), token[4:]):
        assert secret not in f"{rows} {made!r} {clients.list()!r}"


@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_any_other_text_lets_nobody_in(database, odd):
    """P29: odd bytes are a wrong credential, not a fault."""
    clients = Clients(database)
    made = clients.create("oci", grant=Grant.PASSWORD)
    client = clients.verify(made.client_id, made.client_secret)

    assert clients.authenticate(odd) is None
    assert clients.verify(odd, odd) is None
    assert clients.verify(odd, made.client_secret) is None
    assert not clients.verify_user(client, odd, made.password)
    assert not clients.verify_user(client, made.username, odd)


def test_a_secret_that_was_never_made_lets_nobody_in(database):
    """P29: the shape of a secret opens nothing."""
    clients = Clients(database)
    clients.create("oci")

    assert [clients.authenticate(new_secret(prefix)) for prefix in ("ccs_", "cca_")] == [None, None]


def test_names_of_clients_are_in_use_once(database):
    """Two live clients of one name could not be told apart; a revoked one gives its name back."""
    clients = Clients(database)
    clients.create("oci")

    with pytest.raises(ConfigError, match="oci"):
        clients.create("oci", grant=Grant.BASIC)
    with pytest.raises(NoSuchClient, match="nobody"):
        clients.revoke("nobody")
    clients.revoke("oci")
    clients.create("oci")
    assert [client.name for client in clients.list()] == ["oci", "oci"]


def test_old_and_new_credentials_of_an_importer_work_side_by_side(database):
    """P29: rotation is to make a new client, switch over and revoke the old one."""
    clients = Clients(database)
    old, new = clients.create("oci-2025").token, clients.create("oci-2026").token

    assert [clients.authenticate(token).name for token in (old, new)] == ["oci-2025", "oci-2026"]
    clients.revoke("oci-2025")
    assert [client and client.name for client in map(clients.authenticate, (old, new))] == [None, "oci-2026"]


def test_the_list_tells_clients_apart_and_no_secret(database):
    """The id of a client is shown, so that one can tell which credential an importer holds."""
    clients = Clients(database)
    made = clients.create("oci", grant=Grant.BASIC)
    clients.create("okta")

    known = [dataclasses.asdict(client) for client in clients.list()]

    assert [(one["name"], one["grant"], one["client_id"]) for one in known] == [
        ("oci", "basic", made.client_id),
        ("okta", "bearer", None),
    ]
