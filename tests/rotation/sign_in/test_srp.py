"""SRP against published numbers; that both sides come to one key is tested against the strict pool."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.rotation.sign_in import srp
from connector.rotation.sign_in.srp import (
    GROUP,
    MULTIPLIER,
    NotProvable,
    SrpChallenge,
    SrpExchange,
    format_timestamp,
    pad,
)
from tests.fakes.rotation.srp_server import ServerExchange, Verifier

# The numbers of the tests of alexrudd/cognito-srp, a client that signs in to Cognito.
PUBLISHED_PRIVATE = 1234567890
PUBLISHED_K = 37772559067617796309459009502931177628717927509759535181635788491848250400486
PUBLISHED_KEY = "d96cde6c95dda17175c1293140c5a81f"
PUBLISHED_SIGNATURE = "tdvQu/Li/qWl8Nni0aFPs+MwY4rvKZm0kSMrGIMSUHk="
PUBLISHED = SrpChallenge("test", 1234567890, 1234567890, base64.b64encode(b"secretssecrestssecrets").decode())

# The numbers of the tests of simonmcallister0210/cognito-srp-helper.
HELPER_PRIVATE = 0xABCDEF0123456789
HELPER_PUBLIC_ENDS = ("362be8c4c29e414549c30c6679ddbb55", "e13c6538eea38132c9bc43c9b05690bb7")


def test_group_is_that_of_the_standard():
    """RFC 3526, section 5: 2^3072 - 2^3008 - 1 + 2^64 * ([2^2942 pi] + 1690314)."""
    expected = 2**3072 - 2**3008 - 1 + 2**64 * (scaled_pi(2942) + 1690314)

    assert expected == GROUP


def scaled_pi(bits: int) -> int:
    """Return [2^bits pi], by Machin's formula with 64 bits to spare."""
    unit = 1 << (bits + 64)

    def arctan_of_inverse(x: int) -> int:
        total, power, divisor, sign = 0, unit // x, 1, 1
        while power:
            total, power, divisor, sign = total + sign * (power // divisor), power // (x * x), divisor + 2, -sign
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64


def test_multiplier_is_the_published_one():
    """RFC 5054, section 2.5.3: k = H(N, g), padded as AWS's clients pad."""
    assert PUBLISHED_K == MULTIPLIER


def test_public_number_begins_and_ends_as_published():
    """RFC 5054, section 2.5.4: A = g^a."""
    public = SrpExchange("eu-west-2_bBpjKlyj6", private=HELPER_PRIVATE).public

    assert (public[:32], public[-33:]) == HELPER_PUBLIC_ENDS
    assert len(public) == 768


def test_key_and_signature_are_the_published_ones():
    """RFC 5054, section 2.6, and Cognito's claim over pool, user, block and time."""
    exchange = SrpExchange("eu-west-1_myPool", private=PUBLISHED_PRIVATE)
    at = format_timestamp(datetime(2018, 7, 10, 11, 1, tzinfo=UTC))

    assert exchange.derive_key(PUBLISHED, "test").hex() == PUBLISHED_KEY
    assert exchange.sign(PUBLISHED, "test", at) == PUBLISHED_SIGNATURE


def test_each_exchange_draws_a_private_number():
    """RFC 5054, section 3.2: the private number is used once."""
    drawn = {SrpExchange("eu-west-1_myPool").public for _ in range(5)}

    assert len(drawn) == 5


@settings(max_examples=8)
@given(password=st.text(min_size=1), user=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_server_accepts_the_password_and_no_other(password, user):
    """P26: both sides come to one key for one password, whatever its characters; even half a surrogate pair."""
    exchange = SrpExchange("eu-west-1_myPool", private=3**300)
    encodable = password.encode(errors="replace").decode()
    server = ServerExchange(Verifier("myPool", user, encodable), exchange.public)
    challenge = SrpChallenge.read(server.challenge())
    at = "Sat Jan 31 08:00:00 UTC 2026"

    assert server.proves(exchange.sign(challenge, password, at), at) is (password == encodable)
    assert not server.proves(exchange.sign(challenge, password + "x", at), at)
    assert not server.proves(exchange.sign(challenge, encodable, at), "Sat Jan 31 08:00:01 UTC 2026")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2000, 2, 1, 3, 4, 5, tzinfo=UTC), "Tue Feb 1 03:04:05 UTC 2000"),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), "Mon Nov 30 23:59:59 UTC 2026"),
    ],
)
def test_timestamp_is_english_without_a_leading_zero(at, expected):
    """P26: Cognito refuses a claim whose time is written otherwise."""
    assert expected == format_timestamp(at)


@given(st.integers(min_value=0, max_value=2**3100))
def test_padding_is_that_of_a_signed_number(number):
    """P26: AWS's clients hash numbers as Java writes them; a leading zero too many is another key."""
    padded = pad(number)

    assert number == int.from_bytes(padded, "big", signed=True)
    assert len(padded) == 1 or padded[0] != 0 or padded[1] >= 0x80


@pytest.mark.parametrize("server_public", [0, GROUP, 2 * GROUP, -5])
def test_a_number_that_proves_nothing_is_refused(server_public):
    """RFC 5054, section 2.5.4: B % N = 0 would let anybody pass for the server."""
    with pytest.raises(NotProvable):
        SrpChallenge.read({"USER_ID_FOR_SRP": "a", "SALT": "1", "SRP_B": f"{server_public:x}", "SECRET_BLOCK": "AAAA"})


@pytest.mark.parametrize(
    "damage", [{"SALT": "z"}, {"SRP_B": ""}, {"SECRET_BLOCK": "no base64"}, {"SALT": "-1"}, {"USER_ID_FOR_SRP": None}]
)
def test_a_damaged_challenge_is_told(damage):
    """P26: an answer that something on the way has changed is not signed."""
    whole = {"USER_ID_FOR_SRP": "a", "SALT": "1", "SRP_B": "5", "SECRET_BLOCK": "AAAA"}
    parameters = {name: value for name, value in {**whole, **damage}.items() if value is not None}

    with pytest.raises(NotProvable):
        SrpChallenge.read(parameters)


def test_a_scrambling_parameter_of_zero_is_refused(monkeypatch):
    """RFC 5054, section 2.5.3: u = 0 would take the password out of the proof."""
    monkeypatch.setattr(srp, "hash_to_int", lambda *_: 0)

    with pytest.raises(NotProvable):
        SrpExchange("eu-west-1_myPool", private=5).sign(PUBLISHED, "test", "now")
