"""RS256 by hand: every signature that is not exactly the right one is refused (kinds as in Wycheproof's vectors)."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from connector.provisioning.proxy.rs256 import PublicKey, decode_base64url
from tests.fakes.issuer import TokenIssuer

MESSAGE = b"header.payload"
SHA256_INFO = "3031300d060960864801650304020105000420"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NUMBERS = PRIVATE.private_numbers()
MODULUS = NUMBERS.public_numbers.n
KEY = PublicKey(MODULUS, 65537)
SIZE = 256
DIGEST = hashlib.sha256(MESSAGE).digest()


def encoded(info: bytes, *, start: bytes = b"\x00\x01", fill: bytes = b"\xff", end: bytes = b"\x00") -> bytes:
    """Return an encoded message of the key's size around some DigestInfo."""
    return start + fill * (SIZE - len(start) - len(end) - len(info)) + end + info


def raw_signature(encoding: bytes) -> bytes:
    """Return what the private key makes of any encoding at all."""
    return pow(int.from_bytes(encoding, "big"), NUMBERS.d, MODULUS).to_bytes(SIZE, "big")


GOOD_INFO = bytes.fromhex(SHA256_INFO) + DIGEST
GOOD = raw_signature(encoded(GOOD_INFO))


def test_right_signature_is_accepted():
    """It is the one that a kept library makes, too."""
    assert PRIVATE.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()) == GOOD
    assert KEY.verify(MESSAGE, GOOD)


GARBAGE = b"\x5a" * 40
WRONG_ENCODINGS = {
    "no NULL in the algorithm": encoded(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + DIGEST),
    "NULL with a length in long form": encoded(bytes.fromhex("3032300e06096086480165030402010581000420") + DIGEST),
    "sequence with a length in long form": encoded(bytes.fromhex("308131300d060960864801650304020105000420") + DIGEST),
    "indefinite length": encoded(bytes.fromhex("3080300d060960864801650304020105000420") + DIGEST + b"\x00\x00"),
    "SHA-1's name before SHA-256": encoded(bytes.fromhex("302d300906052b0e03021a05000420") + DIGEST),
    "SHA-512's name": encoded(bytes.fromhex("3031300d060960864801650304020305000420") + DIGEST),
    "another digest": encoded(bytes.fromhex(SHA256_INFO) + hashlib.sha256(b"other").digest()),
    "digest alone": encoded(DIGEST),
    "digest cut by a byte": encoded(bytes.fromhex("3030300d06096086480165030402010500041f") + DIGEST[:-1]),
    "garbage behind the digest": b"\x00\x01"
    + b"\xff" * 8
    + b"\x00"
    + GOOD_INFO
    + b"\x5a" * (SIZE - 11 - len(GOOD_INFO)),
    "garbage inside the algorithm": encoded(
        b"\x30\x59\x30\x35" + bytes.fromhex("06096086480165030402010500") + GARBAGE + b"\x04\x20" + DIGEST
    ),
    "padding of block type 2": encoded(GOOD_INFO, start=b"\x00\x02"),
    "padding of block type 0": encoded(GOOD_INFO, start=b"\x00\x00", fill=b"\x00"),
    "first byte not zero": encoded(GOOD_INFO, start=b"\x01\x01"),
    "padding of other bytes": encoded(GOOD_INFO, fill=b"\xfe"),
    "no zero between padding and digest": encoded(GOOD_INFO, end=b"\xff"),
    "one byte of padding replaced": encoded(GOOD_INFO).replace(b"\xff" * 4, b"\xff\xff\x00\xff", 1),
    "nothing but zeros": bytes(SIZE),
    "the number one": (1).to_bytes(SIZE, "big"),
}


@pytest.mark.parametrize("encoding", WRONG_ENCODINGS.values(), ids=WRONG_ENCODINGS)
def test_any_other_encoding_is_refused_although_the_private_key_made_it(encoding):
    """RFC 8017, section 8.2.2: encodings are compared, not parsed."""
    assert int.from_bytes(encoding, "big") < MODULUS or encoding[0] == 1
    assert not KEY.verify(MESSAGE, raw_signature(encoding))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x00",
        GOOD[:-1],
        GOOD[1:],
        GOOD + b"\x00",
        b"\x00" + GOOD,
        bytes(SIZE),
        b"\xff" * SIZE,
        MODULUS.to_bytes(SIZE, "big"),
        (MODULUS - 1).to_bytes(SIZE, "big"),
        (int.from_bytes(GOOD, "big") + MODULUS).to_bytes(SIZE + 1, "big"),
        (MODULUS - int.from_bytes(GOOD, "big")).to_bytes(SIZE, "big"),
    ],
    ids=[
        "empty",
        "a zero",
        "cut behind",
        "cut before",
        "longer",
        "a zero before",
        "zeros",
        "ones",
        "the modulus",
        "minus one",
        "the modulus added",
        "negated",
    ],
)
def test_signature_of_another_form_is_refused(signature):
    """Length and range are part of the check (RFC 8017, sections 8.2.2 and 5.2.2)."""
    assert not KEY.verify(MESSAGE, signature)


@given(st.integers(0, SIZE * 8 - 1))
def test_no_flipped_bit_is_accepted(bit):
    """Every bit of a signature counts."""
    flipped = (int.from_bytes(GOOD, "big") ^ (1 << bit)).to_bytes(SIZE, "big")

    assert not KEY.verify(MESSAGE, flipped)


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (MODULUS >> 1024, 65537),
        (MODULUS + 1, 65537),
        (1 << 9000 | 1, 65537),
        (MODULUS, 1),
        (MODULUS, 3),
        (MODULUS, 65538),
        (MODULUS, 2**32 + 1),
        (0, 65537),
    ],
    ids=["small", "even", "huge", "one", "three", "even exponent", "huge exponent", "zero"],
)
def test_weak_key_is_no_key(modulus, exponent):
    """With the exponent three a signature can be forged by a cube root, so such a key is not taken at all."""
    with pytest.raises(ValueError, match=r"modulus|exponent"):
        PublicKey(modulus, exponent)


def test_key_is_read_from_its_jwk():
    """RFC 7518, section 6.3.1."""
    issuer = TokenIssuer("eu-west-1_Pool", "client")
    numbers = issuer.private_key.public_key().public_numbers()

    assert PublicKey(numbers.n, numbers.e) == PublicKey.read(issuer.jwk())
    for name, value in {"kty": "EC", "use": "enc", "alg": "RS512", "n": "!", "e": None}.items():
        with pytest.raises(ValueError, match=r"RSA|base64url"):
            PublicKey.read(issuer.jwk() | {name: value})


@pytest.mark.parametrize("text", ["a", "a=", "YQ==", "YR", "Y Q", "Y\nQ", "+/8", "é", None, b"YQ"])
def test_base64url_has_one_form(text):
    """Two texts that decode to the same bytes would be two tokens with one signature."""
    with pytest.raises(ValueError, match="base64url"):
        decode_base64url(text)
