"""Whatever is wrong with a token, it is not believed; whatever we believe, a kept library believes as well."""

import hashlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from connector.provisioning.proxy.id_token import IdTokens, TokenRefused, TokenSubject
from connector.provisioning.proxy.signing_keys import KeysUnavailable, SigningKeys, read_keys
from tests.fakes.issuer import TokenIssuer, base64url

POOL_ID = "eu-west-1_Strict123"
ISSUER = TokenIssuer(POOL_ID, "app")
STRANGER = TokenIssuer(POOL_ID, "app")
"""Has another key under the same id."""
TOKENS = IdTokens(ISSUER.claims()["iss"], frozenset({"app", "second"}), SigningKeys(ISSUER.jwks))
GOOD = ISSUER.token()


def reason(token) -> str:
    """Return why a token is refused."""
    with pytest.raises(TokenRefused) as caught:
        TOKENS.verify(token)
    return str(caught.value)


def test_token_of_the_pool_is_believed():
    """Only verified claims are handed on."""
    assert TokenSubject("b1a7c0de-0000-4000-8000-00000000a11e", "ann") == TOKENS.verify(GOOD)
    assert TOKENS.verify(ISSUER.token(ISSUER.claims(aud="second"))).username == "ann"


def unsigned(algorithm: str) -> str:
    """Return a token that says it needs no signature."""
    header = base64url(json.dumps({"kid": "key-1", "alg": algorithm}).encode())
    return f"{header}.{base64url(json.dumps(ISSUER.claims('ceo')).encode())}."


def with_hmac_of_the_public_key() -> str:
    """Return a token signed with HS256, the public key as its secret (CVE-2015-9235)."""
    pem = ISSUER.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = base64url(b'{"kid":"key-1","alg":"HS256"}')
    signed = f"{header}.{base64url(json.dumps(ISSUER.claims('ceo')).encode())}"
    return f"{signed}.{base64url(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


FORGED = {
    "alg none": (unsigned("none"), "algorithm"),
    "alg None": (unsigned("NONE"), "algorithm"),
    "alg RS256 without a signature": (unsigned("RS256"), "signature"),
    "HS256 with the public key": (with_hmac_of_the_public_key(), "algorithm"),
    "another key under the same id": (STRANGER.token(), "signature"),
    "unknown key id": (ISSUER.token(kid="key-2"), "unknown key"),
    "key id of another type": (ISSUER.token(kid=["key-1"]), "algorithm"),
    "no key id": (ISSUER.token(kid=None), "algorithm"),
    "key of its own": (STRANGER.token(jwk=STRANGER.jwk()), "signature"),
    "critical extension": (ISSUER.token(crit=["exp"]), "algorithm"),
    "signature of another token": (
        f"{GOOD.rpartition('.')[0]}.{ISSUER.token(ISSUER.claims('bo')).rpartition('.')[2]}",
        "signature",
    ),
    "truncated": (GOOD[:-6], "signature"),
    "one part": ("abc", "not a signed token"),
    "four parts": (f"{GOOD}.x", "not a signed token"),
    "encrypted form": ("a.b.c.d.e", "not a signed token"),
    "padding": (f"{GOOD}=", "unreadable"),
    "white space": (f"{GOOD}\n", "unreadable"),
    "header twice": (ISSUER.sign(b'{"kid":"key-1","alg":"none","alg":"RS256"}', b"{}"), "unreadable"),
    "claims are a list": (ISSUER.sign(b'{"kid":"key-1","alg":"RS256"}', b"[]"), "unreadable"),
    "claims are no text": (ISSUER.sign(b'{"kid":"key-1","alg":"RS256"}', b"\xff"), "unreadable"),
    "claims too deep": (ISSUER.sign(b'{"kid":"key-1","alg":"RS256"}', b'{"a":' * 3000), "unreadable"),
    "too long": ("a" * 40_000, "no token"),
    "not a text": (7, "no token"),
    "nothing": ("", "not a signed token"),
    "not ASCII": (f"{GOOD}é", "no token"),
}


@pytest.mark.parametrize(("token", "why"), FORGED.values(), ids=FORGED)
def test_forged_token_is_refused(token, why):
    """The seed's proxy opened a session of any role for a token with alg=none."""
    assert why == reason(token)


NOW = int(time.time())
WRONG_CLAIMS = {
    "issuer of another pool": ({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"}, "issuer"),
    "issuer with a slash": ({"iss": f"{TOKENS.issuer}/"}, "issuer"),
    "no issuer": ({"iss": None}, "issuer"),
    "another client": ({"aud": "other"}, "audience"),
    "list of clients": ({"aud": ["app"]}, "audience"),
    "no client": ({"aud": None, "client_id": "app"}, "audience"),
    "access token": ({"token_use": "access"}, "token use"),
    "no use": ({"token_use": None}, "token use"),
    "expired": ({"exp": NOW - 3600}, "expired"),
    "no expiry": ({"exp": None}, "exp"),
    "expiry as text": ({"exp": str(NOW + 3600)}, "exp"),
    "expiry true": ({"exp": True}, "exp"),
    "not before tomorrow": ({"nbf": NOW + 86_400}, "not yet valid"),
    "issued tomorrow": ({"iat": NOW + 86_400}, "not yet valid"),
    "issued as text": ({"iat": "now"}, "iat"),
    "no subject": ({"sub": None}, "subject"),
    "empty subject": ({"sub": ""}, "subject"),
    "subject with a wildcard": ({"sub": "*"}, "subject"),
    "subject with a slash": ({"sub": "a/../b"}, "subject"),
    "subject of another type": ({"sub": 7}, "subject"),
}


@pytest.mark.parametrize(("claims", "why"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_token_for_something_else_is_refused(claims, why):
    """The pool has signed it, but not for this (Cognito developer guide, "Verifying JSON web tokens")."""
    assert why == reason(ISSUER.token(ISSUER.claims(**claims)))


@pytest.mark.parametrize("text", [b'{"exp": NaN}', b'{"exp": Infinity}', b'{"exp": 1e999}', b'{"exp": "x"}'])
def test_number_that_is_none_is_refused(text):
    """A time that compares with nothing must not be taken for one in the future."""
    assert reason(ISSUER.sign(b'{"kid":"key-1","alg":"RS256"}', text)) in {"unreadable", "issuer"}


def test_clocks_may_differ_by_a_minute():
    """More is refused, either way."""
    now = int(time.time())
    late, early = ISSUER.claims(exp=now - 30), ISSUER.claims(iat=now + 30, nbf=now + 30)

    assert TOKENS.verify(ISSUER.token(late)).username == TOKENS.verify(ISSUER.token(early)).username == "ann"


PUBLIC_KEY = jwk.RSAKey.import_key(dict(ISSUER.jwk()))


def accepted_by_joserfc(token: str) -> bool:
    """Say what a kept library thinks of the signature and the claims."""
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": TOKENS.issuer},
        aud={"essential": True, "value": "app"},
        token_use={"essential": True, "value": "id"},
        exp={"essential": True},
        sub={"essential": True},
        leeway=60,
    )
    try:
        claims.validate(jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"]).claims)
    except (JoseError, ValueError, TypeError, UnicodeError, KeyError):
        return False
    return True


def accepted_by_us(token: str) -> bool:
    """Say what we think."""
    try:
        TOKENS.verify(token)
    except TokenRefused:
        return False
    return True


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("ABCxyz019-_.=+/ \n"))
def test_changed_token_is_never_accepted_by_us_alone(place, letter):
    """Differential: ours is at least as strict as joserfc, wherever a token is touched."""
    changed = GOOD[:place] + letter + GOOD[place + 1 :]

    assert accepted_by_us(changed) == (changed == GOOD)
    assert accepted_by_joserfc(changed) or not accepted_by_us(changed)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "iss": st.sampled_from([TOKENS.issuer, "https://other", 1]),
            "aud": st.sampled_from(["app", "other", ["app"]]),
            "token_use": st.sampled_from(["id", "access", 1]),
            "exp": st.sampled_from([NOW + 600, NOW - 600, "soon", True, 0]),
            "nbf": st.sampled_from([NOW - 600, NOW + 600]),
            "sub": st.sampled_from(["b1a7c0de", "", 5]),
            "custom:colour": st.text(max_size=5),
        },
    )
)
def test_any_claims_we_accept_are_accepted_by_joserfc(changes):
    """Differential over claims; the library is laxer about the type of `sub` and of `aud`, never stricter."""
    token = ISSUER.token(ISSUER.claims(**changes))

    assert accepted_by_joserfc(token) or not accepted_by_us(token)


def test_tokens_of_joserfc_are_accepted():
    """Another implementation's tokens, with other white space and order, are the same to us."""
    key = jwk.RSAKey.import_key(ISSUER.private_key)
    token = jwt.encode({"kid": "key-1", "alg": "RS256"}, ISSUER.claims("bo"), key)

    assert TOKENS.verify(token).username == "bo"


def test_unknown_key_id_is_looked_for_once_a_minute():
    """A pool replaces its keys; whoever invents ids does not make us ask for each."""
    clock, fetched, documents = [0.0], [], [ISSUER.jwks()]

    def fetch():
        fetched.append(clock[0])
        return documents[-1]

    keys = SigningKeys(fetch, monotonic=lambda: clock[0])
    assert keys.find("key-1")
    for number in range(50):
        assert keys.find(f"invented-{number}") is None
    documents.append(TokenIssuer(POOL_ID, "app", key_id="key-9").jwks())
    clock[0] = 61.0

    assert keys.find("key-9")
    assert keys.find("key-1") is None
    assert fetched == [0.0, 61.0]


def test_keys_once_known_outlive_an_outage():
    """A pool that cannot be reached for a moment does not lock everybody out."""
    clock, documents = [0.0], [ISSUER.jwks()]

    def fetch():
        if not documents:
            raise OSError("unreachable")
        return documents.pop()

    keys = SigningKeys(fetch, monotonic=lambda: clock[0])
    keys.find("key-1")
    clock[0] = 61.0

    assert keys.find("other") is None
    assert keys.find("key-1")
    with pytest.raises(KeysUnavailable):
        SigningKeys(fetch).find("key-1")


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [7, {"kid": "a", "kty": "EC"}]}', b"\xff"],
)
def test_what_is_not_a_set_of_keys_is_not_taken_for_one(document):
    """A sign-in page of a proxy, an empty set, keys of other kinds."""
    with pytest.raises(ValueError):  # noqa: PT011 - whichever way it is no set of keys
        read_keys(document)
