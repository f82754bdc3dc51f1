"""The JSON of a secret: both shapes are read, and whatever else it holds goes through unchanged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import VaultUnfit
from connector.rotation.model.secret import Secret
from connector.rotation.sign_in.flows import Flow
from connector.rotation.vaults.secret_document import SecretDocument

GUIDE = {"clientid": "app", "username": "ann", "password": "0ld-Passw0rd!"}
KNOWN = {
    *("username", "password", "clientid", "clientId", "client_id", "client_secret", "clientSecret"),
    *("user_pool_id", "userPoolId", "mode", "auth_flow", "totp_secret_id"),
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)
PASSWORDS = st.text(min_size=1, alphabet=st.characters(codec="utf-8"))


@given(foreign=st.dictionaries(st.text().filter(lambda name: name not in KNOWN), ANYTHING), password=PASSWORDS)
def test_only_the_password_changes(foreign, password):
    """P26: all other keys are copied through, whatever they are, in their order."""
    before = {**foreign, **GUIDE}

    after = json.loads(SecretDocument.read(json.dumps(before)).with_password(Secret(password)))

    assert after == {**before, "password": password}
    assert list(after) == list(before)


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({"clientid": "a"}, {"client_id": "a"}),
        ({"clientId": "a", "userPoolId": "p"}, {"client_id": "a", "user_pool_id": "p"}),
        ({"client_id": "a", "clientid": "a"}, {"client_id": "a"}),
        ({"client_id": "", "clientid": "a"}, {"client_id": "a"}),
        (
            {"mode": "admin", "auth_flow": "USER_SRP_AUTH", "totp_secret_id": "t", "client_secret": "s"},
            {"mode": "admin", "flows": (Flow.USER_SRP_AUTH,), "totp_secret_id": "t", "client_secret": Secret("s")},
        ),
        (
            {"auth_flow": "auto"},
            {"flows": (Flow.USER_SRP_AUTH, Flow.USER_PASSWORD_AUTH, Flow.ADMIN_USER_PASSWORD_AUTH)},
        ),
        ({}, {"client_id": None, "client_secret": None, "user_pool_id": None, "mode": None, "flows": None}),
    ],
)
def test_keys_are_known_by_each_of_their_names(keys, names):
    """The guide writes clientid, its function reads clientId; empty is absent."""
    document = SecretDocument.read(json.dumps({"username": "ann", "password": "x", **keys}))

    assert {name: getattr(document, name) for name in names} == names


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "null", "[]", "7", '"text"', "{}", '{"username": "", "password": "x"}'),
        "[" * 100_000,
        '{"username": "ann", "password": "\\ud800"}',
        '{"username": "ann", "password": "x", "mode": "banana"}',
        '{"username": "ann", "password": "x", "auth_flow": "banana"}',
    ],
)
def test_unusable_text_is_refused_without_being_shown(text):
    """Fault table, create: fail before the put, and P27: the text may be a password itself."""
    with pytest.raises(VaultUnfit) as caught:
        SecretDocument.read(text)

    assert not text or text not in str(caught.value)


def test_password_is_not_in_its_repr():
    """P27: neither the password nor any other key."""
    document = SecretDocument.read(json.dumps({**GUIDE, "client_secret": "s3cret", "token": "t0ken"}))

    assert [canary for canary in ("0ld-Passw0rd!", "s3cret", "t0ken") if canary in repr(document)] == []


@pytest.mark.parametrize(
    "before",
    [
        '{"username": "ann", "password": "old", "port": 1.10, "big": 1e400, "long": 123456789012345678901234567890.0}',
        ' {\n\t"password" : "old" , "username":"ann", "same": {"password": "old"}, "list": ["password", "old"]}\n',
        f'{{"username": "ann", "deep": {"[" * 900}{"]" * 900}, "password": "old"}}',
        '{"username": "ann", "half": "\\ud800", "escaped": "\\u00e9", "pass\\u0077ord": "old"}',
    ],
)
def test_every_other_character_stays(before):
    """P26: numbers as they are written, white space, escapes, and whatever lies deep."""
    where = before.index('"old"')

    after = SecretDocument.read(before).with_password(Secret('n"ew'))

    assert after == before[:where] + '"n\\"ew"' + before[where + 5 :]


def test_key_that_is_there_twice_keeps_no_old_password():
    """P26: readers differ in which of two equal keys they take (RFC 8259 section 4)."""
    document = SecretDocument.read('{"password": "older", "username": "ann", "password": "old"}')

    assert document.password == Secret("old")
    assert document.with_password(Secret("new")) == '{"password": "new", "username": "ann", "password": "new"}'
